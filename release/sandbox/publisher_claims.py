"""Which publisher an identity is, by its claims: the index's questions, in its order and words.

Source: warehouse 6b62157, `oidc/models` (`check_claims_existence`, `lookup_by_claims`, `verify_claims`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Claims = Mapping[str, Any]

_GITHUB_FILE = re.compile(r"([^/]+\.(yml|yaml))(?=@)")
_GITLAB_FILE = re.compile(r"(?<=//)(.+[^/]\.(yml|yaml))(?=@)")
#: the claims without which an identity is none
_NEEDED = {
    "github": (
        *("sub", "repository", "repository_owner", "repository_owner_id", "job_workflow_ref", "jti", "ref", "sha"),
    ),
    "gitlab": ("sub", "project_path", "ci_config_ref_uri", "jti", "ref_path", "sha"),
    "google": ("email", "email_verified"),
    "activestate": ("sub", "organization", "project", "actor_id", "builder"),
}
_NOT_FOUND = "Publisher with matching claims was not found"


class NoPublisherError(Exception):
    """No publisher is this job; the text is the index's reason."""


class ReusedError(Exception):
    """The identity was exchanged before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPublisher:
    """A publisher that the index has."""

    id: str
    fields: Mapping[str, str]


def match(
    candidates: Sequence[RegisteredPublisher], provider: str, claims: Claims, *, used: bool
) -> RegisteredPublisher:
    """The publisher that these claims are. `used`: whether their identity was exchanged before.

    Raises NoPublisherError and ReusedError.
    """
    for name in _NEEDED[provider]:
        if claims.get(name) is None:
            raise NoPublisherError(f"Missing claim {name!r}")
    found = _LOOKUP[provider](candidates, claims)
    for claim, passed in _VERIFY[provider](found.fields, claims, used):
        if not passed:
            raise NoPublisherError(f"Check failed for {claim}")
    return found


def _same(found: RegisteredPublisher, **fields: str) -> bool:
    return all(found.fields[name].lower() == value.lower() for name, value in fields.items())


def _by_environment(candidates: Sequence[RegisteredPublisher], environment: str | None) -> RegisteredPublisher:
    """The one that names the environment, before one that takes any."""
    for wanted in dict.fromkeys((environment or "", "")):
        for one in candidates:
            if one.fields["environment"].lower() == wanted.lower():
                return one
    raise NoPublisherError(_NOT_FOUND)


def _on_github(candidates: Sequence[RegisteredPublisher], claims: Claims) -> RegisteredPublisher:
    file = _GITHUB_FILE.search(claims["job_workflow_ref"])
    if file is None:
        raise NoPublisherError(
            "Could not job extract workflow filename from OIDC claims"
            if claims["job_workflow_ref"]
            else "The job_workflow_ref claim is empty"
        )
    alike = [
        one
        for one in candidates
        if _same(one, repository=claims["repository"])
        and one.fields["owner_id"] == claims["repository_owner_id"]
        and one.fields["workflow"] == file[0]
    ]
    return _by_environment(alike, claims.get("environment"))


def _on_gitlab(candidates: Sequence[RegisteredPublisher], claims: Claims) -> RegisteredPublisher:
    file = _GITLAB_FILE.search(claims["ci_config_ref_uri"])
    if file is None:
        raise NoPublisherError(
            "Could not extract workflow filename from OIDC claims"
            if claims["ci_config_ref_uri"]
            else "The ci_config_ref_uri claim is empty"
        )
    alike = [
        one for one in candidates if _same(one, repository=claims["project_path"]) and one.fields["workflow"] == file[0]
    ]
    return _by_environment(alike, claims.get("environment"))


def _on_google(candidates: Sequence[RegisteredPublisher], claims: Claims) -> RegisteredPublisher:
    alike = [one for one in candidates if one.fields["email"] == claims["email"]]
    for sub in dict.fromkeys((claims.get("sub", ""), "")):
        for one in alike:
            if one.fields["sub"] == sub:
                return one
    raise NoPublisherError(_NOT_FOUND)


def _on_activestate(candidates: Sequence[RegisteredPublisher], claims: Claims) -> RegisteredPublisher:
    names = ("organization", "project", "actor_id")
    for one in candidates:
        if all(one.fields[name] == claims[name] for name in names):
            return one
    raise NoPublisherError(_NOT_FOUND)


Checks = Iterator[tuple[str, bool]]


def _verify_github(fields: Mapping[str, str], claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    yield "required claim 'sub'", _subject(claims["sub"]) == f"repo:{repository}".lower()
    yield "required claim 'repository'", claims["repository"].lower() == repository.lower()
    yield "required claim 'repository_owner'", claims["repository_owner"] == repository.partition("/")[0]
    yield "required claim 'repository_owner_id'", claims["repository_owner_id"] == fields["owner_id"]
    refs = (claims.get("ref"), claims.get("sha"))
    if not any(refs):
        raise NoPublisherError("The ref and sha claims are empty")
    _is_one_of(claims, "job_workflow_ref", f"{repository}/.github/workflows/{fields['workflow']}", refs)
    if claims.get("event_name") == "pull_request_target":
        raise NoPublisherError("Publishing from a workflow invoked via 'pull_request_target' is not supported.")
    _is_new(used)
    yield "optional claim 'environment'", fields["environment"].lower() in {"", str(claims.get("environment")).lower()}


def _verify_gitlab(fields: Mapping[str, str], claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    yield "required claim 'sub'", _subject(claims["sub"]) == f"project_path:{repository}".lower()
    yield "required claim 'project_path'", claims["project_path"].lower() == repository.lower()
    refs = (claims.get("ref_path"), claims.get("sha"))
    if not all(refs):
        raise NoPublisherError("The ref_path and sha claims are empty")
    _is_one_of(claims, "ci_config_ref_uri", f"gitlab.com/{repository}//{fields['workflow']}", refs)
    _is_new(used)
    yield "optional claim 'environment'", fields["environment"] in {"", claims.get("environment")}


def _verify_google(fields: Mapping[str, str], claims: Claims, used: bool) -> Checks:
    yield "required claim 'email'", claims["email"] == fields["email"]
    yield "required claim 'email_verified'", claims["email_verified"] is True
    _is_new(used)
    yield "optional claim 'sub'", fields["sub"] in {"", claims.get("sub")}


def _verify_activestate(fields: Mapping[str, str], claims: Claims, used: bool) -> Checks:
    sub = claims["sub"]
    if not sub:
        raise NoPublisherError("Missing 'subject' claim")
    parts = sub.split(":")
    if len(parts) != 4 or parts[::2] != ["org", "project"]:  # noqa: PLR2004 - org:NAME:project:NAME
        raise NoPublisherError("Invalid 'subject' claim. Wrong format")
    if parts[1::2] != [fields["organization"], fields["project"]]:
        raise NoPublisherError("Invalid 'subject' claim")
    for name in ("organization", "project", "actor_id"):
        yield f"required claim {name!r}", claims[name] == fields[name]
    yield "required claim 'builder'", claims["builder"] == "pypi-publisher"
    _is_new(used)


def _subject(sub: str) -> str:
    return ":".join(sub.split(":")[:2]).lower()


def _is_one_of(claims: Claims, name: str, place: str, refs: tuple[Any, ...]) -> None:
    expected = sorted({f"{place}@{ref}" for ref in refs if ref})
    if claims[name] not in expected:
        raise NoPublisherError(f"The {name} claim does not match, expecting one of {expected!r}, got {claims[name]!r}")


def _is_new(used: bool) -> None:
    if used:
        raise ReusedError


_LOOKUP: Mapping[str, Callable[[Sequence[RegisteredPublisher], Claims], RegisteredPublisher]] = {
    "github": _on_github,
    "gitlab": _on_gitlab,
    "google": _on_google,
    "activestate": _on_activestate,
}
_VERIFY: Mapping[str, Callable[[Mapping[str, str], Claims, bool], Checks]] = {
    "github": _verify_github,
    "gitlab": _verify_gitlab,
    "google": _verify_google,
    "activestate": _verify_activestate,
}

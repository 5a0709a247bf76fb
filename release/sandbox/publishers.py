"""Trusted publishers and CI jobs: their seed data, and which publisher an identity matches.

The claims of an identity are checked in the order and words of the index.
Source: warehouse 6b62157, `oidc/models` (`check_claims_existence`, `lookup_by_claims`, `verify_claims`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release.core.errors import UsageError
from release.core.models.attestation import AttestationPublisher
from release.core.tables import KeyPath, Reader, one_of, read_named_tables, string, strings, table

#: provider → the required and the optional fields of its publishers
FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "github": (("repository", "owner_id", "workflow"), ("environment",)),
    "gitlab": (("repository", "workflow"), ("environment",)),
    "google": (("email",), ("sub",)),
    "activestate": (("organization", "project", "actor_id"), ()),
}
ISSUERS = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
    "activestate": "https://platform.activestate.com/api/v1/oauth/oidc",
}
#: the default id of a repository's owner
OWNER_ID = "1001"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPublisher:
    """A trusted publisher in the seed data."""

    name: str
    #: one of `FIELDS`
    provider: str = "github"
    #: what is compared with an identity, by the names in `FIELDS`; an empty text matches anything
    fields: Mapping[str, str] = field(default_factory=dict)
    #: names of the projects that it may upload to
    projects: tuple[str, ...] = ()
    #: the project that a pending publisher will create; None for other publishers
    pending: str | None = None
    #: who registered a pending publisher, and will own its project
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CiJob:
    """A job of a CI service, and how its identity tokens differ from usual ones."""

    provider: str = "github"
    #: owner and name
    repository: str = "acme/widget"
    workflow: str = "release.yml"
    environment: str | None = "pypi"
    #: claims with unusual values; None: the claim is missing
    claims: Mapping[str, Any] = field(default_factory=dict)
    #: "known"; "unknown": signed with a key that the index does not know; "forged": a wrong signature
    key: str = "known"
    #: seconds; negative: the token has expired
    expires_in: int = 300


def attestation_publisher(provider: str, fields: Mapping[str, str]) -> AttestationPublisher:
    """Convert a publisher to the form in attestations."""
    kind = {"github": "GitHub", "gitlab": "GitLab", "google": "Google", "activestate": "ActiveState"}[provider]
    names = {name: name for name in ("repository", "workflow", "environment", "email")}
    if provider == "gitlab":
        names["workflow"] = "workflow_filepath"
    details = {names[name]: text for name, text in fields.items() if name in names and text}
    return AttestationPublisher(kind=kind, details=tuple(sorted(details.items())))


def read_publishers(value: Any, at: KeyPath) -> tuple[SeedPublisher, ...]:
    """Read the publishers in the seed data. Raises `ConfigError` and `UsageError`."""
    tables = read_named_tables(value, at, _PUBLISHER)
    return tuple(_seed_publisher(one, at[number]) for number, one in enumerate(tables))


def _seed_publisher(read: dict[str, Any], at: KeyPath) -> SeedPublisher:
    provider = read.get("provider", "github")
    needed, optional = FIELDS[provider]
    given = {name: read.pop(name) for name in _FIELD_NAMES if name in read}
    if provider == "github":
        given.setdefault("owner_id", OWNER_ID)
    for name in given:
        if name not in (*needed, *optional):
            remedy = f"use {', '.join((*needed, *optional))}"
            raise UsageError(f"{at / name} is not a key for {provider}", remedy=remedy)
    for name in needed:
        if name not in given:
            raise at.missing(name)
    if ("pending" in read) == ("projects" in read) or ("pending" in read) != ("user" in read):
        raise UsageError(
            f"{at}: a publisher has either projects, or a pending project and its user",
            remedy="set 'projects', or 'pending' and 'user'",
        )
    fields = {name: given.get(name, "") for name in (*needed, *optional)}
    return SeedPublisher(**{**read, "fields": fields, "projects": read.get("projects", ())})


def _number(value: Any, at: KeyPath) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise at.wrong("a whole number", value)


_FIELD_NAMES = tuple(dict.fromkeys(name for both in FIELDS.values() for names in both for name in names))
_PUBLISHER: Mapping[str, Reader] = {
    **dict.fromkeys(("name", "pending", "user", *_FIELD_NAMES), string),
    "provider": one_of(*FIELDS),
    "projects": strings,
}
#: the keys of a job in the seed data
JOB: Mapping[str, Reader] = {
    "provider": one_of(*FIELDS),
    "repository": string,
    "workflow": string,
    "environment": lambda value, at: None if value is None else string(value, at),
    "claims": table,
    "key": one_of("known", "unknown", "forged"),
    "expires_in": _number,
}


# -- matching an identity ----------------------------------------------------------------------------

Claims = Mapping[str, Any]
Fields = Mapping[str, str]
#: of each check the name that the index reports, and whether it passed
Checks = Iterator[tuple[str, bool]]

_GITHUB_FILE = re.compile(r"([^/]+\.(yml|yaml))(?=@)")
_GITLAB_FILE = re.compile(r"(?<=//)(.+[^/]\.(yml|yaml))(?=@)")
#: the claims that an identity must have
_REQUIRED = {
    "github": (
        *("sub", "repository", "repository_owner", "repository_owner_id", "job_workflow_ref", "jti", "ref", "sha"),
    ),
    "gitlab": ("sub", "project_path", "ci_config_ref_uri", "jti", "ref_path", "sha"),
    "google": ("email", "email_verified"),
    "activestate": ("sub", *FIELDS["activestate"][0], "builder"),
}


class NoPublisherError(Exception):
    """No publisher matches; the text is the index's reason."""


class ReusedError(Exception):
    """The identity was exchanged before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPublisher:
    """A publisher in the index's database."""

    id: str
    fields: Fields


def match_publisher(
    candidates: Sequence[RegisteredPublisher], provider: str, claims: Claims, *, used: bool
) -> RegisteredPublisher:
    """Find the publisher that these claims match. `used`: whether their identity was exchanged before.

    Raises NoPublisherError and ReusedError.
    """
    for name in _REQUIRED[provider]:
        if claims.get(name) is None:
            raise NoPublisherError(f"Missing claim {name!r}")
    lookup, verify = _PROVIDERS[provider]
    publisher = next(lookup(candidates, claims), None)
    if publisher is None:
        raise NoPublisherError("Publisher with matching claims was not found")
    for claim, passed in verify(publisher.fields, claims, used):
        if not passed:
            raise NoPublisherError(f"Check failed for {claim}")
    return publisher


# -- candidates, the best match first ---------------------------------------------------------------


def _on_github(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    file = _workflow_file(_GITHUB_FILE, claims, "job_workflow_ref", "Could not job extract workflow filename")
    owned = [one for one in candidates if one.fields["owner_id"] == claims["repository_owner_id"]]
    return _in_repository(owned, claims["repository"], file, claims.get("environment"))


def _on_gitlab(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    file = _workflow_file(_GITLAB_FILE, claims, "ci_config_ref_uri", "Could not extract workflow filename")
    return _in_repository(candidates, claims["project_path"], file, claims.get("environment"))


def _workflow_file(pattern: re.Pattern[str], claims: Claims, claim: str, error: str) -> str:
    if file := pattern.search(claims[claim]):
        return file[0]
    raise NoPublisherError(f"{error} from OIDC claims" if claims[claim] else f"The {claim} claim is empty")


def _in_repository(
    candidates: Sequence[RegisteredPublisher], repository: str, file: str, environment: str | None
) -> Iterator[RegisteredPublisher]:
    """Match repository and workflow; publishers that name the environment precede those that accept any."""
    for accepted in dict.fromkeys(((environment or "").lower(), "")):
        for one in candidates:
            found = (one.fields["repository"].lower(), one.fields["workflow"], one.fields["environment"].lower())
            if found == (repository.lower(), file, accepted):
                yield one


def _on_google(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    for sub in dict.fromkeys((claims.get("sub", ""), "")):
        yield from (one for one in candidates if (one.fields["email"], one.fields["sub"]) == (claims["email"], sub))


# -- checks -----------------------------------------------------------------------------------------


def _verify_github(fields: Fields, claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    yield "required claim 'sub'", _subject(claims) == f"repo:{repository}".lower()
    yield "required claim 'repository'", claims["repository"].lower() == repository.lower()
    yield "required claim 'repository_owner'", claims["repository_owner"] == repository.partition("/")[0]
    yield "required claim 'repository_owner_id'", claims["repository_owner_id"] == fields["owner_id"]
    refs = (claims.get("ref"), claims.get("sha"))
    if not any(refs):
        raise NoPublisherError("The ref and sha claims are empty")
    _check_workflow(claims, "job_workflow_ref", f"{repository}/.github/workflows/{fields['workflow']}", refs)
    if claims.get("event_name") == "pull_request_target":
        raise NoPublisherError("Publishing from a workflow invoked via 'pull_request_target' is not supported.")
    _check_unused(used)
    yield "optional claim 'environment'", fields["environment"].lower() in {"", str(claims.get("environment")).lower()}


def _verify_gitlab(fields: Fields, claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    yield "required claim 'sub'", _subject(claims) == f"project_path:{repository}".lower()
    yield "required claim 'project_path'", claims["project_path"].lower() == repository.lower()
    refs = (claims.get("ref_path"), claims.get("sha"))
    if not all(refs):
        raise NoPublisherError("The ref_path and sha claims are empty")
    _check_workflow(claims, "ci_config_ref_uri", f"gitlab.com/{repository}//{fields['workflow']}", refs)
    _check_unused(used)
    yield "optional claim 'environment'", fields["environment"] in {"", claims.get("environment")}


def _verify_google(fields: Fields, claims: Claims, used: bool) -> Checks:
    yield "required claim 'email'", claims["email"] == fields["email"]
    yield "required claim 'email_verified'", claims["email_verified"] is True
    _check_unused(used)
    yield "optional claim 'sub'", fields["sub"] in {"", claims.get("sub")}


def _verify_activestate(fields: Fields, claims: Claims, used: bool) -> Checks:
    sub = claims["sub"]
    if not sub:
        raise NoPublisherError("Missing 'subject' claim")
    parts = sub.split(":")
    if len(parts) != 4 or parts[::2] != ["org", "project"]:  # noqa: PLR2004 - org:NAME:project:NAME
        raise NoPublisherError("Invalid 'subject' claim. Wrong format")
    if parts[1::2] != [fields["organization"], fields["project"]]:
        raise NoPublisherError("Invalid 'subject' claim")
    for name in FIELDS["activestate"][0]:
        yield f"required claim {name!r}", claims[name] == fields[name]
    yield "required claim 'builder'", claims["builder"] == "pypi-publisher"
    _check_unused(used)


def _subject(claims: Claims) -> str:
    return ":".join(claims["sub"].split(":")[:2]).lower()


def _check_workflow(claims: Claims, name: str, workflow: str, refs: tuple[Any, ...]) -> None:
    expected = sorted({f"{workflow}@{ref}" for ref in refs if ref})
    if claims[name] not in expected:
        raise NoPublisherError(f"The {name} claim does not match, expecting one of {expected!r}, got {claims[name]!r}")


def _check_unused(used: bool) -> None:
    if used:
        raise ReusedError


#: by provider, how its publishers are found and verified
_PROVIDERS: Mapping[
    str,
    tuple[
        Callable[[Sequence[RegisteredPublisher], Claims], Iterator[RegisteredPublisher]],
        Callable[[Fields, Claims, bool], Checks],
    ],
] = {
    "github": (_on_github, _verify_github),
    "gitlab": (_on_gitlab, _verify_gitlab),
    "google": (_on_google, _verify_google),
    "activestate": (
        lambda candidates, claims: (
            one for one in candidates if all(one.fields[name] == claims[name] for name in FIELDS["activestate"][0])
        ),
        _verify_activestate,
    ),
}

"""Which trusted publisher an identity matches, checked in the order and words of the index.

First the claims must be there, then the publisher is looked up by them, then each claim is compared. What the index
does not expect of a claim, it answers with an error of its own: `ClaimError`.
Source: warehouse 6b62157, `oidc/models` (`check_claims_existence`, `lookup_by_claims`, `verify_claims`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern

Claims = Mapping[str, Any]
Fields = Mapping[str, str]
GITLAB = "https://gitlab.com"
#: of each check the name that the index reports, and whether it passed
Checks = Iterator[tuple[str, bool]]

#: of a publisher on ActiveState
_ACTIVESTATE = ("organization", "project", "actor_id")
_GITHUB_FILE = lazy_pattern(r"([^/]+\.(yml|yaml))(?=@)")
_GITLAB_FILE = lazy_pattern(r"(?<=//)(.*[^/]\.(yml|yaml))(?=@)")
#: the claims that an identity must have; GitHub's `sub` is ignored since January 2026 (warehouse#19422), because its
#: form can be customized
_REQUIRED = {
    "github": (
        *("repository", "repository_owner", "repository_owner_id", "job_workflow_ref", "jti", "event_name"),
        *("ref", "sha"),
    ),
    "gitlab": ("sub", "project_path", "ci_config_ref_uri", "jti", "ref_path", "sha"),
    "google": ("email", "email_verified"),
    "activestate": ("sub", *_ACTIVESTATE, "builder"),
}


class NoPublisherError(Exception):
    """No publisher matches; the text is the index's reason."""


class ReusedError(Exception):
    """The identity was exchanged before."""


class ClaimError(Exception):
    """A claim that the index fails at: "500 Internal Server Error"."""


class RegisteredPublisher(Struct, frozen=True, kw_only=True):
    """A publisher in the index's database."""

    id: str
    fields: Fields


def match_publisher(
    candidates: Sequence[RegisteredPublisher], provider: str, claims: Claims, *, used: bool
) -> RegisteredPublisher:
    """Find the publisher that these claims match. `used`: whether their identity was exchanged before.

    Raises NoPublisherError, ReusedError and ClaimError.
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


def refusal_without_publisher(provider: str, claims: Claims) -> str | None:
    """Why no publisher at all can match these claims, in the index's words; None if one can.

    The claims are compared with the publisher that is made for them.
    """
    try:
        match_publisher([_made_for(provider, claims)], provider, claims, used=False)
    except NoPublisherError as error:
        return str(error)
    except ClaimError as error:
        return f"Check failed for required claim '{error}'"
    return None


def _made_for(provider: str, claims: Claims) -> RegisteredPublisher:
    """A publisher that accepts as many claims as possible."""
    fields = {"environment": "", "sub": "", "issuer_url": str(claims.get("iss") or "")}
    names = {"repository": "repository", "owner_id": "repository_owner_id", "email": "email"}
    file, workflow = _GITHUB_FILE, "job_workflow_ref"
    if provider == "gitlab":
        names, file, workflow = {"repository": "project_path"}, _GITLAB_FILE, "ci_config_ref_uri"
    fields |= {name: str(claims.get(claim) or "") for name, claim in names.items()}
    fields |= {name: str(claims.get(name) or "") for name in _ACTIVESTATE}
    found = file.search(str(claims.get(workflow) or ""))
    return RegisteredPublisher(id="", fields=fields | {"workflow": found[0] if found else ""})


def _text(claims: Claims, name: str) -> str:
    """A claim that the index takes for text without a check."""
    found = claims[name]
    if isinstance(found, str):
        return found
    raise ClaimError(name)


# -- candidates, the best match first ---------------------------------------------------------------


def _on_github(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    """Find the publisher by its owner and repository, whose case matters here and only here."""
    repository = _text(claims, "repository")
    if "/" not in repository:
        raise ClaimError("repository")
    file = _workflow_file(_GITHUB_FILE, claims, "job_workflow_ref", "Could not job extract workflow filename")
    sought = repository, _text(claims, "repository_owner_id"), file
    found = [one for one in candidates if tuple(map(one.fields.get, ("repository", "owner_id", "workflow"))) == sought]
    return _for_environment(found, claims, str.lower)


def _on_gitlab(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    """Find the publisher by its issuer and project, whose case does not matter, unlike that of the environment."""
    repository = _text(claims, "project_path")
    if "/" not in repository:
        raise ClaimError("project_path")
    file = _workflow_file(_GITLAB_FILE, claims, "ci_config_ref_uri", "Could not extract workflow filename")
    sought = repository.lower(), file, claims["iss"]
    return _for_environment(
        [
            one
            for one in candidates
            if (one.fields["repository"].lower(), one.fields["workflow"], gitlab_issuer(one.fields)) == sought
        ],
        claims,
        str,
    )


def gitlab_issuer(fields: Fields) -> str:
    """The issuer that a publisher on GitLab names: a self-managed instance, or gitlab.com."""
    return fields.get("issuer_url") or GITLAB


def _workflow_file(pattern: re.Pattern[str], claims: Claims, claim: str, error: str) -> str:
    if file := pattern.search(_text(claims, claim)):
        return file[0]
    raise NoPublisherError(f"{error} from OIDC claims")


def _for_environment(
    candidates: Sequence[RegisteredPublisher], claims: Claims, normalized: Callable[[str], str]
) -> Iterator[RegisteredPublisher]:
    """Publishers that name the environment, then those that accept any."""
    named = normalized(_text(claims, "environment")) if claims.get("environment") else ""
    for accepted in dict.fromkeys((named, "")):
        yield from (one for one in candidates if normalized(one.fields["environment"]) == accepted)


def _on_google(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    email = _text(claims, "email")
    for sub in dict.fromkeys((claims.get("sub") or "", "")):
        yield from (one for one in candidates if (one.fields["email"], one.fields["sub"]) == (email, sub))


def _on_activestate(candidates: Sequence[RegisteredPublisher], claims: Claims) -> Iterator[RegisteredPublisher]:
    sought = [_text(claims, name) for name in _ACTIVESTATE]
    return (one for one in candidates if [one.fields[name] for name in _ACTIVESTATE] == sought)


# -- checks -----------------------------------------------------------------------------------------


def _verify_github(fields: Fields, claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    yield "required claim 'repository_owner'", _text(claims, "repository_owner") == repository.partition("/")[0]
    refs = (claims.get("ref"), claims.get("sha"))
    if not any(refs):
        raise NoPublisherError("The ref and sha claims are empty")
    _check_workflow(claims, "job_workflow_ref", f"{repository}/.github/workflows/{fields['workflow']}", refs)
    _check_unused(used)
    if claims["event_name"] == "pull_request_target":
        raise NoPublisherError("Publishing from a workflow invoked via 'pull_request_target' is not supported.")


def _verify_gitlab(fields: Fields, claims: Claims, used: bool) -> Checks:
    repository = fields["repository"]
    subject = ":".join(claims["sub"].split(":")[:2]).lower()
    yield "required claim 'sub'", subject == f"project_path:{repository}".lower()
    refs = (claims.get("ref_path"), claims.get("sha"))
    if not all(refs):
        raise NoPublisherError("The ref_path and sha claims are empty")
    host = gitlab_issuer(fields).partition("://")[2]
    _check_workflow(claims, "ci_config_ref_uri", f"{host}/{repository}//{fields['workflow']}", refs)
    _check_unused(used)


def _verify_google(fields: Fields, claims: Claims, used: bool) -> Checks:  # noqa: ARG001 - the lookup compared them
    yield "required claim 'email_verified'", claims["email_verified"] == True  # noqa: E712 - 1 is verified, "true" is not
    _check_unused(used)


def _verify_activestate(fields: Fields, claims: Claims, used: bool) -> Checks:
    if not claims["sub"]:
        raise NoPublisherError("Missing 'subject' claim")
    parts = claims["sub"].split(":")
    if len(parts) < 4:  # noqa: PLR2004 - org:NAME:project:NAME, and what follows
        raise NoPublisherError("Invalid 'subject' claim. Wrong format")
    if parts[:4] != ["org", fields["organization"], "project", fields["project"]]:
        raise NoPublisherError("Invalid 'subject' claim")
    yield "required claim 'builder'", claims["builder"] == "pypi-publisher"
    _check_unused(used)


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
    "activestate": (_on_activestate, _verify_activestate),
}

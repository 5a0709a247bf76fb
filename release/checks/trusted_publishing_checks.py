"""Trusted publishing, before the upload: whether the service vouches for this job, and whether it can be a publisher.

Which publishers the index has, only the exchange of the identity tells, and that is no dry run: it comes with the
upload. What no publisher could ever match is told here.
Source: warehouse, `oidc/models/github.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from release.core.facts import Access
from release.core.models.credential import Ambient
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.oidc_identity import TRUSTED_PROVIDERS, OidcIdentity, claim_text, describe_job, workflow_of

_NO_NEED = NotApplicable(reason="trusted publishing is not used")
_NOT_ASKED = NotApplicable(reason="the service was not asked")
_TROUBLESHOOTING = "https://docs.pypi.org/trusted-publishers/troubleshooting/"


def given(access: Access) -> Iterator[Observation]:
    """Whether there is an identity."""
    if not isinstance(access.credential, Ambient):
        yield _NO_NEED
        return
    match access.credential.identity:
        case None:
            yield _NOT_ASKED
        case Finding() | Unknown() as said:
            yield said
        case OidcIdentity():
            return


def fit(access: Access) -> Iterator[Observation]:
    """What no publisher can match, and what only an odd one does."""
    if not isinstance(access.credential, Ambient):
        yield _NO_NEED
    elif not isinstance(access.credential.identity, OidcIdentity):
        yield _NOT_ASKED
    else:
        yield from _judged(access, access.credential.identity)


def _judged(access: Access, identity: OidcIdentity) -> Iterator[Finding]:
    if identity.provider not in TRUSTED_PROVIDERS:
        yield Finding(
            message=f"no publisher on {access.index.name} can be a job of {identity.provider}",
            remedy=f"use an API token there, from {access.index.site}/manage/account/token/",
            server_text="unknown trusted publishing issuer",
            cause="tp.unknown-issuer",
        )
    elif identity.provider == "GitHub":
        yield from _at_github(identity)


def _at_github(identity: OidcIdentity) -> Iterator[Finding]:
    repository = claim_text(identity, "repository")
    if claim_text(identity, "event_name") == "pull_request_target":
        yield Finding(
            message="the workflow runs on 'pull_request_target', from which no index takes uploads",
            remedy="let the publishing workflow run on push: tags, or on release: published",
            server_text="Publishing from a workflow invoked via 'pull_request_target' is not supported.",
            cause="tp.event-unsupported",
        )
    if not claim_text(identity, "sub").lower().startswith(f"repo:{repository.lower()}"):
        yield Finding(
            message=f"the identity's subject is {claim_text(identity, 'sub')!r}, "
            f"and has to begin with 'repo:{repository}'",
            remedy=f"reset it: gh api --method PUT repos/{repository}/actions/oidc/customization/sub "
            "-F use_default=true",
            server_text="Check failed for required claim 'sub'",
            cause="tp.custom-sub",
        )
    yield from _reusable(identity, repository)


def _reusable(identity: OidcIdentity, repository: str) -> Iterator[Finding]:
    """The job's own workflow is another than the one that was triggered."""
    called, top = workflow_of(identity), workflow_of(identity, "workflow_ref")
    if called[:2] == top[:2] or not all((*called, *top)):
        return
    place, file, ref = called
    known = {claim_text(identity, "ref"), claim_text(identity, "sha")}
    never = place.lower() != repository.lower() or ref not in known
    where = f"{file!r} of {place}" if place.lower() != repository.lower() else repr(file)
    what = "which can be no publisher" if never else f"and the publisher has to name {file!r}, not {top[1]!r}"
    yield Finding(
        message=f"the upload runs in the reusable workflow {where}, called by {top[1]!r}, {what}",
        remedy=f"move the job that uploads into {top[1]}; the building may stay where it is; see {_TROUBLESHOOTING}",
        severity="block" if never else "warn",
        cause="tp.reusable-workflow",
    )


def line(ambient: Ambient) -> str:
    """What an upload would go with, in one line."""
    who = describe_job(ambient.identity) if isinstance(ambient.identity, OidcIdentity) else ambient.provider
    return f"trusted publishing, {who}"

"""Trusted publishing, before the upload: whether the CI service identifies this job, and whether it can be a publisher.

Whether the index has a matching publisher is known only after a token exchange: `credential_checks` reports its result.
What no publisher could ever match is reported here.
Source: warehouse, `oidc/models/github.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from release.checks import credential_remedies, publisher_claims
from release.checks.engine import Checklist
from release.checks.token_checks import a_credential_is_found
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Note, Observation, Unknown
from release.core.models.credential import Ambient
from release.core.models.index import Index, ProjectListing, normalize_name
from release.core.models.oidc_identity import (
    OidcIdentity,
    describe_job,
    pending_form_url,
    publisher_fields,
    publisher_form_url,
)

if TYPE_CHECKING:
    from release.core.models.probe import ProbeResult

_NOT_USED = NotApplicable(reason="trusted publishing is not used")
_NOT_REQUESTED = NotApplicable(reason="the identity token was not requested")

CHECKS = Checklist[Access]()


@CHECKS.check(needs=(a_credential_is_found,))
def the_service_vouches_for_this_job(access: Access) -> Iterator[Observation]:
    """The CI service provides an identity token for this job.

    Trusted publishing exchanges it for an upload token.
    """
    if not isinstance(access.credential, Ambient):
        yield _NOT_USED
        return
    match access.credential.identity:
        case None:
            yield _NOT_REQUESTED
        case Finding() | Unknown() as problem:
            # a permission does not help a job that cannot be a publisher, which the next check reports
            impossible = publisher_claims.shows_by_variables(access)
            yield NotApplicable(reason="the job cannot be a trusted publisher") if impossible else problem
        case OidcIdentity():
            return


def unproven(access: Access, *, offline: bool = False) -> Unknown:
    """Nothing was exchanged: the publisher is not proven. Where the project is new, no exchange would prove it."""
    index, identity = access.index.name, _identity(access)
    if access.listing is None and isinstance(access.project, ProjectMetadata) and identity is not None:
        return pending_publisher(access.index, access.project.name, identity)
    return Unknown(
        reason=f"{'offline: ' * offline}without an exchange it is not known whether {index} has a trusted publisher "
        "for this job",
        remedy=credential_remedies.own_command(access.user, "verify", "--index", index, "--exchange"),
    )


def pending_publisher(index: Index, project: str, identity: OidcIdentity) -> Unknown:
    """What to compare by eye where the project is new: an exchange would create it."""
    return Unknown(
        reason=f"{index.name} has no project {project!r}: an exchange would create it for a pending publisher, so none "
        "was tried",
        remedy=f"{_compare_pending(index, project, identity)}; if they match, pass --new-project {project} to check, "
        "publish or release",
    )


def _compare_pending(index: Index, project: str, identity: OidcIdentity) -> str:
    fields = publisher_fields(identity)
    listed = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in fields.items())
    if "environment" not in fields and identity.provider in {"GitHub", "GitLab"}:
        listed += ", no environment"
    page = pending_form_url(identity, index, project)
    return f"compare the pending publisher at {page} with: project name {project}, {listed}"


def _identity(access: Access) -> OidcIdentity | None:
    found = access.credential.identity if isinstance(access.credential, Ambient) else None
    return found if isinstance(found, OidcIdentity) else None


def never_exchanged(access: Access) -> Finding:
    """The configuration allows no exchange before the upload."""
    return Finding(
        message=f'exchange = "never": only the upload shows whether {access.index.name} has a trusted publisher for '
        "this job",
        remedy='set exchange = "auto" in [tool.release]',
        severity="warn",
    )


def accept_new_project(access: Access, problem: Finding | Unknown) -> Finding | Unknown:
    """A warning where the project is not on the index and the user has confirmed that this release creates it."""
    name = access.project.name if isinstance(access.project, ProjectMetadata) else ""
    confirmed = access.new_project is not None and normalize_name(access.new_project) == normalize_name(name)
    if access.listing is not None or not isinstance(problem, Unknown) or not confirmed:
        return problem
    identity = _identity(access)
    remedy = _compare_pending(access.index, name, identity) if identity is not None else problem.remedy
    return Finding(message=problem.reason, remedy=remedy, severity="warn")


def wrong_project(access: Access, probed: ProbeResult) -> Finding:
    """The index has a publisher for this job, but not for this project."""
    identity = _identity(access)
    name, index = access.project.name if isinstance(access.project, ProjectMetadata) else "", access.index
    status = access.listing.status if isinstance(access.listing, ProjectListing) else "active"
    page = f"{index.site}/manage/project/{normalize_name(name)}/settings/publishing/"
    if identity is not None:
        page = publisher_form_url(identity, index, name, exists=True)
    if status != "active":
        message = f"{index.name} accepts no uploads of trusted publishers to {name!r}, which is {status}"
        remedy = f"check the state of the project: {index.site}/manage/project/{normalize_name(name)}/settings/"
        cause = f"project.{status.partition('-')[0]}"
        return Finding(message=message, remedy=remedy, server_text=probed.message(), cause=cause)
    return Finding(
        message=f"{index.name} has a trusted publisher for this job, but of another project than {name!r}",
        remedy=f"add the publisher to this project: {page}",
        server_text=probed.message(),
        cause="tp.pending-name-mismatch",
    )


def unrevoked_tokens_to_findings(access: Access) -> Iterator[Finding | Note]:
    """The tokens that ended runs did not revoke; one that has expired is worth nothing."""
    for one in access.unrevoked:
        message = (
            f"an earlier run requested a token from {one.index} for {one.project!r} at {one.requested:%Y-%m-%d %H:%M} "
            "UTC and did not revoke it"
        )
        until = f"{one.expires:%Y-%m-%d %H:%M} UTC"
        if one.expires <= access.now:
            yield Note(message=f"{message}; it expired at {until}", remedy="run it again")
        else:
            remedy = f"wait until {until}, when it expires: it is stored in no file"
            yield Finding(message=message, remedy=remedy, severity="warn")


def ambient_to_text(ambient: Ambient) -> str:
    """What an upload would authenticate with, in one line."""
    who = describe_job(ambient.identity) if isinstance(ambient.identity, OidcIdentity) else ambient.provider
    return f"trusted publishing, {who}"

"""Trusted publishing, before the upload: whether the CI service identifies this job, and whether it can be a publisher.

Whether the index has a matching publisher is known only after the token exchange, which comes with the upload and is
not a dry run. What no publisher could ever match is reported here.
Source: warehouse, `oidc/models/github.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from release.checks import credential_remedies
from release.checks.engine import Checklist
from release.checks.token_checks import a_credential_is_found
from release.core import shell
from release.core.facts import Access
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient
from release.core.models.oidc_identity import TRUSTED_PROVIDERS, OidcIdentity, claim_text, describe_job, workflow_of

_NOT_USED = NotApplicable(reason="trusted publishing is not used")
_NOT_REQUESTED = NotApplicable(reason="the identity token was not requested")
_TROUBLESHOOTING = "https://docs.pypi.org/trusted-publishers/troubleshooting/"

CHECKS = Checklist[Access]()


@CHECKS.check(needs=(a_credential_is_found,))
def the_service_vouches_for_this_job(access: Access) -> Iterator[Observation]:
    """The CI service provides an identity token for this job.

    Trusted publishing exchanges it for an upload token, at the upload and not before.
    """
    if not isinstance(access.credential, Ambient):
        yield _NOT_USED
        return
    match access.credential.identity:
        case None:
            yield _NOT_REQUESTED
        case Finding() | Unknown() as problem:
            yield problem
        case OidcIdentity():
            return


@CHECKS.check(needs=(the_service_vouches_for_this_job,))
def the_job_can_be_a_publisher(access: Access) -> Iterator[Observation]:
    """The job can be a trusted publisher.

    Whether the index has that publisher is known only after the token exchange, which is not a dry run.
    """
    if not isinstance(access.credential, Ambient):
        yield _NOT_USED
        return
    identity = access.credential.identity
    if not isinstance(identity, OidcIdentity):
        yield _NOT_REQUESTED
    elif identity.provider not in TRUSTED_PROVIDERS:
        yield Finding(
            message=f"{access.index.name} does not support trusted publishers on {identity.provider}",
            remedy=f"use an API token there, from {credential_remedies.token_page(access.index)}",
            server_text="unknown trusted publishing issuer",
            cause="tp.unknown-issuer",
        )
    elif identity.provider == "GitHub":
        yield from _github_findings(access, identity)


def _github_findings(access: Access, identity: OidcIdentity) -> Iterator[Finding]:
    repository, subject = claim_text(identity, "repository"), claim_text(identity, "sub")
    if claim_text(identity, "event_name") == "pull_request_target":
        yield Finding(
            message="the workflow runs on 'pull_request_target', from which no index accepts uploads",
            remedy="let the publishing workflow run on push: tags, or on release: published",
            server_text="Publishing from a workflow invoked via 'pull_request_target' is not supported.",
            cause="tp.event-unsupported",
        )
    if not subject.lower().startswith(f"repo:{repository.lower()}"):
        message = f"the subject of the identity token is {subject!r}, but must start with 'repo:{repository}'"
        address = f"repos/{repository}/actions/oidc/customization/sub"
        name = access.user.shell_name
        remedy = shell.command_line(name, "gh", "api", "--method", "PUT", address, "-F", "use_default=true")
        yield Finding(
            message=message, remedy=remedy, server_text="Check failed for required claim 'sub'", cause="tp.custom-sub"
        )
    yield from _reusable_workflow_findings(identity, repository)


def _reusable_workflow_findings(identity: OidcIdentity, repository: str) -> Iterator[Finding]:
    """Report that the job is defined in another workflow than the one that was triggered."""
    called, top = workflow_of(identity), workflow_of(identity, "workflow_ref")
    if called[:2] == top[:2] or not all((*called, *top)):
        return
    owner, file, ref = called
    elsewhere = owner.lower() != repository.lower()
    never = elsewhere or ref not in {claim_text(identity, "ref"), claim_text(identity, "sha")}
    where = f"{file!r} of {owner}" if elsewhere else repr(file)
    effect = "which cannot be a publisher" if never else f"so the publisher must name {file!r}, not {top[1]!r}"
    message = f"the upload runs in the reusable workflow {where}, called by {top[1]!r}, {effect}"
    remedy = f"move the job that uploads, without the build, into {top[1]}; see {_TROUBLESHOOTING}"
    yield Finding(message=message, remedy=remedy, severity="block" if never else "warn", cause="tp.reusable-workflow")


def ambient_to_text(ambient: Ambient) -> str:
    """What an upload would authenticate with, in one line."""
    who = describe_job(ambient.identity) if isinstance(ambient.identity, OidcIdentity) else ambient.provider
    return f"trusted publishing, {who}"

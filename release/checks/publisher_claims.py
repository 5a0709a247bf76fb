"""What no trusted publisher can match: by the variables of the job, and by the claims of its identity.

A reusable workflow of the same repository, any tag, any event but one and a missing environment can be a publisher.
Sources: PyPI documentation, "Trusted publishers"; warehouse 6b62157, `oidc/models`; GitHub and GitLab documentation of
OpenID Connect tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from release.acceptance.publisher_rules import refusal_without_publisher
from release.checks import credential_remedies
from release.checks.engine import Checklist
from release.checks.token_checks import a_credential_is_found
from release.core import shell
from release.core.facts import Access
from release.core.models.check_result import Finding, NotApplicable, Observation
from release.core.models.credential import Ambient
from release.core.models.index import Ownership
from release.core.models.oidc_identity import (
    HOSTED,
    ISSUERS,
    TRUSTED_PROVIDERS,
    OidcIdentity,
    OidcProvider,
    claim_text,
    describe_job,
    parse_workflow_ref,
    subject_reset,
    workflow_of,
)

if TYPE_CHECKING:
    from release.core.models.ci_job import JobVariables

_TROUBLESHOOTING = "https://docs.pypi.org/trusted-publishers/troubleshooting/"
#: the names of `acceptance.publisher_rules`
_RULES_OF: Mapping[OidcProvider, str] = {
    "GitHub": "github",
    "GitLab": "gitlab",
    "Google Cloud": "google",
    "ActiveState": "activestate",
}
_NOT_REQUESTED = NotApplicable(reason="the identity token was not requested")
_UNKNOWN_ISSUER = "unknown trusted publishing issuer"


CHECKS = Checklist[Access]()


@CHECKS.check(needs=(a_credential_is_found,))
def the_job_can_be_a_publisher(access: Access) -> Iterator[Observation]:
    """The job can be a trusted publisher.

    What no publisher can match is known without the index; whether it has this one, only after a token exchange.
    """
    credential = access.credential
    if not isinstance(credential, Ambient):
        yield NotApplicable(reason="trusted publishing is not used")
        return
    match credential.identity:
        case OidcIdentity() as identity:
            yield from claims_to_findings(access, identity)
        case other if (other is None and not access.index.ephemeral) or shows_by_variables(access):
            findings = tuple(job_to_findings(access, credential.provider, credential.job))
            yield from findings or (_NOT_REQUESTED,)
        case _:
            yield _NOT_REQUESTED


def shows_by_variables(access: Access) -> bool:
    """Whether a job that gets no identity for want of a permission could not be a publisher with it either."""
    credential = access.credential
    if not isinstance(credential, Ambient) or not isinstance(credential.identity, Finding):
        return False
    findings = job_to_findings(access, credential.provider, credential.job)
    return credential.identity.cause != "tp.fork-pr" and any(findings)


def job_to_findings(access: Access, provider: OidcProvider, job: JobVariables) -> Iterator[Finding]:
    """What the variables show before an identity is requested."""
    if provider in HOSTED and _normalized(job.server) not in {"", HOSTED[provider]}:
        yield _own_server(access, provider, _normalized(job.server))
        return
    if job.event == "pull_request_target":
        yield _event()
    elif job.source_repository.lower() != job.target_repository.lower():
        yield _fork(job.source_repository, job.target_repository)
    place, file, _ = parse_workflow_ref(job.workflow_ref)
    if place and job.repository and place.lower() != job.repository.lower():
        yield _foreign_workflow(file, place, job.repository)
    if _is_foreign(job.config_path, job.repository):
        yield _foreign_configuration(access, job.config_path, job.repository)


def claims_to_findings(access: Access, identity: OidcIdentity) -> Iterator[Finding]:
    """What the claims show: why no publisher of an index can match them, and what makes the release fail later."""
    provider, issuer = identity.provider, _normalized(claim_text(identity, "iss"))
    if provider not in TRUSTED_PROVIDERS:
        yield _unsupported(access, provider)
        return
    if provider in HOSTED and issuer and issuer not in ISSUERS:
        own_server = _own_server(access, provider, issuer)
        yield own_server
        if own_server.severity == "block":
            return
    fork = claim_text(identity, "project_path"), claim_text(identity, "job_project_path")
    if provider == "GitLab" and all(fork) and fork[0].lower() != fork[1].lower():
        yield _fork(*fork)
        return
    reusable = tuple(_reusable_workflow(identity)) if provider == "GitHub" else ()
    yield from reusable
    reason = refusal_without_publisher(_RULES_OF[provider], identity.claims)
    if reason is not None and not any(one.severity == "block" for one in reusable):
        yield _refused(access, identity, reason)


def _normalized(url: str) -> str:
    return url.rstrip("/").lower()


# -- the service ------------------------------------------------------------------------------------


def _unsupported(access: Access, provider: OidcProvider) -> Finding:
    return Finding(
        message=f"{access.index.name} does not support trusted publishers on {provider}",
        remedy=f"use an API token there, from {credential_remedies.token_page(access.index)}",
        server_text=_UNKNOWN_ISSUER,
        cause="tp.unknown-issuer",
    )


def _own_server(access: Access, provider: OidcProvider, server: str) -> Finding:
    """A server of one's own. PyPI accepts a self-managed GitLab that an organization has registered.

    That is a beta since November 2025. For a project of an organization only an exchange shows whether it is one.
    """
    index, owners = access.index.name, access.ownership
    token = f"an API token as TWINE_PASSWORD in the job, from {credential_remedies.token_page(access.index)}"
    message = f"the job runs on {server}, and {index} accepts identities of {HOSTED[provider]} only"
    remedy, severity = f"set {token}", "block"
    if provider == "GitLab":
        message += ", unless an organization on the index has registered this GitLab (a beta)"
        if isinstance(owners, Ownership) and owners.organization is not None:
            severity = "warn"
            remedy = f"if {owners.organization!r} has not registered it, set {token}"
    return Finding(
        message=message,
        remedy=remedy,
        server_text=_UNKNOWN_ISSUER,
        cause="tp.unknown-issuer",
        severity="warn" if severity == "warn" else "block",
    )


# -- what runs --------------------------------------------------------------------------------------


def _event() -> Finding:
    return Finding(
        message="the workflow runs on 'pull_request_target', from which no index accepts uploads",
        remedy="let the publishing workflow run on push: tags, or on release: published",
        server_text="Publishing from a workflow invoked via 'pull_request_target' is not supported.",
        cause="tp.event-unsupported",
    )


def _fork(source: str, target: str) -> Finding:
    return Finding(
        message=f"the job belongs to a pull request from {source!r}, a fork, which cannot be a publisher of {target!r}",
        remedy="publish from the repository itself, when a tag is pushed (GitHub: on: push: tags; GitLab: rules: "
        "- if: $CI_COMMIT_TAG)",
        cause="tp.fork-pr",
    )


def _foreign_workflow(file: str, place: str, repository: str) -> Finding:
    return Finding(
        message=f"the upload runs in the workflow {file!r} of {place}, which cannot be a publisher of {repository}",
        remedy=f"move the job that uploads into a workflow of {repository} itself; see {_TROUBLESHOOTING}",
        cause="tp.reusable-workflow",
    )


def _is_foreign(config_path: str, repository: str) -> bool:
    """Whether the pipeline's configuration is in another project, or at a URL."""
    _, at, place = config_path.partition("@")
    return "://" in config_path or bool(at and place.partition(":")[0].lower() != repository.lower())


def _foreign_configuration(access: Access, where: str, project: str) -> Finding:
    """GitLab then leaves `ci_config_ref_uri` empty. Source: GitLab documentation, "ID token payload"."""
    place = f"GitLab reads the pipeline's configuration from {where!r}" if where else "the pipeline's configuration"
    message = f"{place}, not from {project}" if where else f"{place} is not in {project}"
    address = f"projects/{project.replace('/', '%2F')}"
    command = ("glab", "api", "--method", "PUT", address, "-f", "ci_config_path=.gitlab-ci.yml")
    return Finding(
        message=f"{message}, so the job cannot be a publisher",
        remedy=f"keep the job that uploads in .gitlab-ci.yml of {project}, and let GitLab read that file: "
        + shell.command_line(access.user.shell_name, *command),
        server_text="Missing claim 'ci_config_ref_uri'",
        cause="tp.reusable-workflow",
    )


def _reusable_workflow(identity: OidcIdentity) -> Iterator[Finding]:
    """Report that the job is defined in another workflow than the one that was triggered, or in another repository."""
    called, top = workflow_of(identity), workflow_of(identity, "workflow_ref")
    repository = claim_text(identity, "repository")
    owner, file, ref = called
    elsewhere = bool(owner and repository) and owner.lower() != repository.lower()
    if elsewhere and (called[:2] == top[:2] or not all(top)):
        yield _foreign_workflow(file, owner, repository)
        return
    if (owner.lower(), file) == (top[0].lower(), top[1]) or not all((*called, *top)):
        return
    never = elsewhere or ref not in {claim_text(identity, "ref"), claim_text(identity, "sha")}
    where = f"{file!r} of {owner}" if elsewhere else repr(file)
    effect = "which cannot be a publisher" if never else f"so the publisher must name {file!r}, not {top[1]!r}"
    message = f"the upload runs in the reusable workflow {where}, called by {top[1]!r}, {effect}"
    remedy = f"move the job that uploads, without the build, into {top[1]}; see {_TROUBLESHOOTING}"
    yield Finding(message=message, remedy=remedy, severity="block" if never else "warn", cause="tp.reusable-workflow")


# -- the claims -------------------------------------------------------------------------------------


def _refused(access: Access, identity: OidcIdentity, reason: str) -> Finding:
    """The finding for a reason of the index."""
    if "'pull_request_target'" in reason:
        return _event()
    if identity.provider == "GitLab" and ("ci_config_ref_uri" in reason or "workflow filename" in reason):
        found = _foreign_claim(access, identity)
        if found is not None:
            return found
    if identity.provider == "GitLab" and "claim 'sub'" in reason:
        return _custom_subject(identity, reason)
    if identity.provider == "Google Cloud":
        return _without_email(reason)
    return Finding(
        message=f"no publisher can match the identity of this job ({describe_job(identity)}): {reason}",
        remedy="run the job again; if the claim is still wrong, use an API token: set it as TWINE_PASSWORD, from "
        + credential_remedies.token_page(access.index),
        server_text=reason,
        cause="tp.identity-refused",
    )


def _foreign_claim(access: Access, identity: OidcIdentity) -> Finding | None:
    """GitLab's claim is missing where the pipeline's configuration is in another project."""
    project, named = claim_text(identity, "project_path"), claim_text(identity, "ci_config_ref_uri")
    place = named.partition("//")[0].partition("/")[2]
    if place.lower() == project.lower():
        return None
    return _foreign_configuration(access, named, project)


def _custom_subject(identity: OidcIdentity, reason: str) -> Finding:
    """GitHub's subject does not count since January 2026. Source: warehouse#19422."""
    subject, project = claim_text(identity, "sub"), claim_text(identity, "project_path")
    return Finding(
        message=f"the subject of the identity token is {subject!r}, but must start with 'project_path:{project}'",
        remedy=subject_reset(identity),
        server_text=reason,
        cause="tp.custom-sub",
    )


def _without_email(reason: str) -> Finding:
    what = "names no account" if "email_verified" not in reason else "does not confirm the email of its account"
    return Finding(
        message=f"the identity token {what}, so that no publisher can match it",
        remedy="request it with the email of a service account: gcloud auth print-identity-token "
        "--impersonate-service-account=ACCOUNT --include-email --audiences=pypi",
        server_text=reason,
        cause="tp.identity-refused",
    )

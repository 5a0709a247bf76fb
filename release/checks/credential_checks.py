"""The second checklist: access to one index, before anything is built; and what the responses to the probes mean.

Responses are recognized by the start of their message, since the index has reordered its checks before. A message that
the catalog does not know is unknown, and blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from release.checks import (
    credential_remedies,
    index_state,
    publisher_claims,
    token_checks,
    token_limit_checks,
    trusted_publishing_checks,
)
from release.checks.engine import Check, Checklist, quote
from release.checks.token_checks import origin_of
from release.checks.token_limit_checks import the_token_is_valid_now
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient, Credential
from release.core.models.exchanged_token import PublisherProof
from release.core.models.index import ProjectListing, normalize_name
from release.core.models.probe import ProbeResult, Quota
from release.core.tokens.token import Token, scope, validity

if TYPE_CHECKING:
    from release.diagnostics.models import Diagnosis, Match

#: sections of the catalog that a response about a token can come from; messages about files and metadata come from
#: checks that the probes do not reach
_ABOUT_ACCESS = ("cred.", "account.", "org.", "project.", "tp.", "server.", "url.", "net.")
#: causes that another token removes
_ABOUT_TOKEN = frozenset(
    """cred.revoked cred.signature-mismatch cred.expired cred.project-scope-mismatch cred.project-scope-new-project
    cred.user-caveat cred.caveat-invalid cred.wrong-index cred.malformed tp.token-expired""".split()  # noqa: SIM905 - a list that people read
)
#: causes by which a publisher exists, but not for this project
_ABOUT_PUBLISHER = {"account.no-role", "tp.pending-name-mismatch", "cred.project-scope-mismatch"}
_NOT_PROBED = NotApplicable(reason="the index was not contacted")
#: HTTP status: from here on no success; from there on a problem of the server, not of the request
_REFUSED, _SERVER_FAILED = 300, 500

_OF_THE_PROBES = Checklist[Access]()
#: of an index for which the files will be signed
OF_SIGNING = Checklist[Access]()


@_OF_THE_PROBES.check(needs=(the_token_is_valid_now,))
def the_index_knows_the_token(access: Access) -> Iterator[Observation]:
    """The index knows the token.

    Probed with a copy of the token that has expired, which cannot upload anything.
    """
    if access.identity is None:
        yield _NOT_PROBED
    else:
        yield from _observations(access, access.identity)


@_OF_THE_PROBES.check(needs=(the_index_knows_the_token,))
def the_index_lets_the_token_upload(access: Access) -> Iterator[Observation]:
    """The token may upload to the project, or create it.

    Probed with a copy of the token that is limited to this project and two minutes, in an upload that cannot succeed.
    For a new project only the account is probed: the index verifies the signature at the first upload.
    """
    if access.permission is None and isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project name is not known")
    elif access.permission is None:
        yield _NOT_PROBED
    else:
        yield from _observations(access, access.permission)


@_OF_THE_PROBES.check(needs=(token_checks.a_credential_is_found,))
def the_index_has_this_publisher(access: Access) -> Iterator[Observation]:
    """The index has a trusted publisher for this job.

    Proven by an exchange of the job's identity for a token, which is revoked at once. It leaves two lines in the
    project's security history: token created, token revoked. Where the project is not on the index, a pending
    publisher would create it, so nothing is exchanged. Source: warehouse, `oidc/views.py`.
    """
    if not isinstance(access.credential, Ambient):
        yield NotApplicable(reason="trusted publishing is not used")
        return
    yield from trusted_publishing_checks.unrevoked_tokens_to_findings(access)
    match access.proof:
        case None:
            yield NotApplicable(reason="no identity was exchanged")
        case Finding() | Unknown() as problem:
            yield problem
        case PublisherProof(problem=Finding() | Unknown() as problem):
            yield trusted_publishing_checks.accept_new_project(access, problem)
        case PublisherProof() as proof:
            yield from _of_the_proof(access, proof)


def _of_the_proof(access: Access, proof: PublisherProof) -> Iterator[Observation]:
    """What the index answers to a copy of the issued token, and whether the token was revoked."""
    index = access.index.name
    if proof.issued and not proof.revoked and proof.kept is None and proof.expires is not None:
        yield Finding(
            message=f"{index} did not confirm that the token of this proof is revoked: it expires by itself at "
            f"{proof.expires:%H:%M} UTC",
            remedy=f"wait until then, or check the security history of the project on {access.index.site}",
            severity="warn",
        )
    probed = proof.permission
    if not isinstance(probed, ProbeResult):
        yield probed or Unknown(reason=f"{index} was not asked what the token may do", remedy="run it again")
    elif not probed.passed():
        match = _recognize(probed)
        about_publisher = match is not None and match.cause in _ABOUT_PUBLISHER
        yield trusted_publishing_checks.wrong_project(access, probed) if about_publisher else _unknown(access, probed)


def _observations(access: Access, probed: ProbeResult | Unknown) -> Iterator[Observation]:
    if isinstance(probed, Unknown):
        yield probed
    elif not probed.passed():
        match = _recognize(probed)
        yield _finding(access, probed, match) if match else _unknown(access, probed)


def _recognize(probed: ProbeResult) -> Match | None:
    """The failure that the message shows, the likeliest cause first."""
    if not _REFUSED <= probed.status < _SERVER_FAILED:
        return None
    from release.diagnostics.matcher import recognise

    found = recognise(probed.message(), status=probed.status)
    return next((one for one in found if one.cause.startswith(_ABOUT_ACCESS)), None)


def _unknown(access: Access, probed: ProbeResult) -> Unknown:
    index, words = access.index, probed.message()
    cause = None
    if probed.status >= _SERVER_FAILED:
        cause = "server.outage"
        remedy = _diagnosis(cause).remedy_for({"upload_url": index.upload_url})
    elif probed.status < _REFUSED:
        remedy = f"check that {index.upload_url} is the upload URL of an index like PyPI"
    else:
        remedy = "follow the server's message; otherwise retry in a few minutes"
    message = f": {words!r}" if words else ", without a message"
    return Unknown(reason=f"{index.name} responds with {probed.status}{message}", remedy=remedy, cause=cause)


def _finding(access: Access, probed: ProbeResult, match: Match) -> Finding:
    cause = _cause(access, match.cause)
    known = {**match.values, "upload_url": access.index.upload_url}
    if isinstance(access.project, ProjectMetadata):
        known["project"] = access.project.name
    if isinstance(access.token, Token):
        known["identifier"] = access.token.identifier
    remedy = _diagnosis(cause).remedy_for(known)
    if cause in _ABOUT_TOKEN and isinstance(access.credential, Credential):
        remedy = credential_remedies.new_token(access, access.credential.origin)
        if cause == "cred.project-scope-mismatch" and not _is_recreated(access, probed):
            remedy = credential_remedies.token_for_project(access, access.credential.origin)
    message = _message(access, probed, cause, known.get("user", ""))
    return Finding(
        message=message, remedy=remedy, where=origin_of(access) or None, server_text=probed.message(), cause=cause
    )


def _diagnosis(cause: str) -> Diagnosis:
    from release.diagnostics.catalog import CATALOG

    return CATALOG[cause]


def _cause(access: Access, likeliest: str) -> str:
    """The cause; where several have the same message, the facts decide.

    The text of the token has been checked completely before the index is probed.
    """
    from_exchange = isinstance(access.token, Token) and scope(access.token).kind == "publisher"
    start = validity(access.token).not_before if isinstance(access.token, Token) else None
    early = start is not None and start > access.now + (access.skew or timedelta())  # by the index's clock
    status = access.listing.status if isinstance(access.listing, ProjectListing) else ""
    match likeliest:
        case "cred.expired" if early:
            return "cred.not-yet-valid"
        case "cred.revoked" | "cred.expired" if from_exchange:
            return "tp.token-expired"
        case "account.no-role" | "tp.pending-name-mismatch" if status.startswith("archived"):
            return "project.archived"
        case "cred.revoked" | "tp.pending-name-mismatch" if status == "quarantined":
            return "project.quarantined"  # which freezes the accounts of its users, and shuts out its publishers
        case _:
            return likeliest


def _message(access: Access, probed: ProbeResult, cause: str, user: str) -> str:
    index, token = access.index.name, f"the token in {origin_of(access)}"
    project = access.project.name if isinstance(access.project, ProjectMetadata) else "?"
    identifier = access.token.identifier if isinstance(access.token, Token) else "?"
    match cause:
        case "cred.revoked":
            return (
                f"{index} does not know {token}, identifier {identifier}: it was deleted, by its owner or because it "
                "was published somewhere, or its account is disabled"
            )
        case "cred.project-scope-mismatch" if _is_recreated(access, probed):
            return f"{token} is for a project {project!r} that was deleted on {index} and created again"
        case "account.no-role":
            users = [name for _, name in access.ownership.roles] if access.ownership else []
            owners = f"; {quote(users)} {'have' if len(users) > 1 else 'has'} one" if users else ""
            return f"{token} is valid, but its user {user!r} has no role on {project!r}{owners}"
        case "server.new-project-quota":
            limits = "".join(f"; {quota_to_text(one)}" for one in probed.quotas() if not one.remaining)
            return f"{index} does not let this account, or this IP address, create more projects for now{limits}"
        case "server.login-limit" if probed.reply.retry_after is not None:
            return f"{index} blocks this IP address for {probed.reply.retry_after:.0f} s"
        case _:
            owner = f" of user {user!r}" if user else ""
            return f"{index} refuses {token}{owner}: {_diagnosis(cause).title}"


def _is_recreated(access: Access, probed: ProbeResult) -> bool:
    """Whether a token's project is this one by name and another by identifier.

    The index gives a reason for each caveat, and also verifies its own copy of them: 4 reasons if neither name nor
    identifier matches, 2 if only the identifier does not. If the token shows names, they decide.
    """
    names = scope(access.token).projects if isinstance(access.token, Token) else ()
    if names and isinstance(access.project, ProjectMetadata):
        return normalize_name(access.project.name) in names
    return probed.reply.message().count("project-scoped token is not valid") <= 2  # noqa: PLR2004 - see above


def quota_to_text(quota: Quota) -> str:
    """A limit in words: "project.create.user: 0 of 20 left, more in 58 min"."""
    of = f" of {quota.limit}" if quota.limit is not None else ""
    return f"{quota.name}: {quota.remaining}{of} left, more in {-(-quota.reset // 60)} min"


@OF_SIGNING.check(needs=(token_checks.a_credential_is_found,))
def the_files_can_be_signed(access: Access) -> Iterator[Observation]:
    """Attestations can be created for the files.

    Only a trusted publisher can have its files signed. Without attestations the files are uploaded anyway, unless
    `attest = true`. Source: PEP 740.
    """
    if access.signing is not None:
        yield access.signing


#: source, content, what the index shows, whether it works: a tier is meaningful if those before it passed
TIERS: tuple[Sequence[Check[Access]], ...] = (
    (*token_checks.OF_THE_SOURCE, trusted_publishing_checks.the_service_vouches_for_this_job),
    (
        *token_checks.OF_THE_CONTENT,
        *token_limit_checks.OF_THE_LIMITS,
        publisher_claims.the_job_can_be_a_publisher,
    ),
    index_state.CHECKS,
    _OF_THE_PROBES,
)
CHECKS = [one for tier in TIERS for one in tier]

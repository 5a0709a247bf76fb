"""The verification of a credential as text, tier by tier, and as JSON. It contains no secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from release.checks.credential_checks import TIERS, quota_to_text
from release.checks.credential_remedies import is_fixed_by_new_token, token_page
from release.checks.index_state import listed_files
from release.checks.trusted_publishing_checks import ambient_to_text, unrevoked_tokens_to_findings
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, Finding, Note, Outcome
from release.core.models.credential import Ambient, Credential, twine_alone_to_text, used_by_twine
from release.core.models.exchanged_token import PublisherProof
from release.core.models.index import Index, ProjectListing, files_by_release
from release.core.models.oidc_identity import OidcIdentity, public_claims, publisher_fields
from release.core.models.probe import ProbeResult
from release.core.models.secret_location import location_to_json, location_to_text
from release.core.time_text import format_count
from release.core.tokens.token import Token, scope, validity
from release.reports.check_tally import tally_to_text
from release.reports.lines import format_iso_time, outcome_to_json, state_to_line

if TYPE_CHECKING:
    from release.core.models.results import Verification
    from release.core.secret import Secret
    from release.core.tokens.scope import TokenScope

_TITLES = ("where from", "what it is", "known", "works")


def verification_to_text(found: Verification, *, quiet: bool = False, verbose: bool = False) -> Iterator[str]:
    """The tiers in order, as far as they were reached; then all problems, and last the verdict with its root cause.

    A failure is shown once. The checks of a tier are counted; with `verbose` each has a line. With `quiet`, only the
    verdict and its cause.
    """
    access, problems = found.access, _problems(found.outcomes)
    if not quiet:
        project = f", {access.project.name}" if isinstance(access.project, ProjectMetadata) else ""
        yield f"{access.index.name}{project}: {access.index.upload_url}"
        outcomes = {one.check: one for one in found.outcomes}
        for title, tier, facts in zip(_TITLES, TIERS, (_source, _token_facts, _known, _works), strict=True):
            yield from _tier_to_text(title, [outcomes[check.name] for check in tier], facts(access), verbose=verbose)
        for one in problems[1:]:
            yield f"also: {one.cause or one.severity}"
            yield from _problem_to_text(one)
    cause = found.verdict.cause
    yield f"verdict: {found.verdict_text}" + (f", {cause}" if cause else "")
    if cause:
        yield f"  more: pypi-preflight explain {cause}"
    for one in problems[:1]:
        yield from _problem_to_text(one)
        if (page := _page_for_new_token(found)) and page not in one.remedy:
            yield f"  new tokens: {page}"
    if found.verdict.word == "warning" and not found.confirmed:
        yield f"  {'offline: ' * found.offline}not confirmed by the index"


def _page_for_new_token(found: Verification) -> str:
    """The page where a token is created; empty where that does not help. In CI, the remedy names it."""
    access, cause = found.access, found.verdict.cause
    helps = not found.verdict.passed and is_fixed_by_new_token(cause)
    return token_page(access.index) if helps and access.index.kind == "warehouse" and access.user.ci is None else ""


def _tier_to_text(title: str, outcomes: list[Outcome], facts: Iterable[str], *, verbose: bool) -> Iterator[str]:
    """The facts, and the number or the state of the checks; what failed is shown with the verdict."""
    ran = [one for one in outcomes if one.state not in {CheckState.SKIPPED, CheckState.NOT_APPLICABLE}]
    counted = tally_to_text(Counter(str(one.state) for one in ran))
    yield title if verbose or not ran else f"{title}: {counted}"
    yield from (f"  {text}" for text in facts)
    for one in ran:
        waived = one.state is CheckState.WAIVED
        if waived or verbose:
            bare = one if waived else replace(one, reason="", remedy="", findings=())
            yield state_to_line(bare, with_subject=False).text
    if not ran:
        yield f"  not checked: {outcomes[0].reason}"


def _problems(outcomes: Iterable[Outcome]) -> list[Finding]:
    """What is wrong and what is not known, the most serious first, as in the verdict."""
    ranked: list[tuple[int, Finding]] = []
    for one in outcomes:
        if one.state is CheckState.WAIVED:
            continue
        if one.state in {CheckState.UNKNOWN, CheckState.CRASHED}:
            ranked.append((1, Finding(message=one.reason, remedy=one.remedy, cause=one.cause)))
        ranked += ((0 if finding.severity == "block" else 2, finding) for finding in one.findings)
    return [finding for _, finding in sorted(ranked, key=lambda pair: pair[0])]


def _problem_to_text(one: Finding) -> Iterator[str]:
    where = f"{one.where}: " if one.where and one.where not in one.message else ""
    yield f"  {where}{one.message}"
    if one.server_text and one.server_text not in one.message:
        yield f"  the index would say: {one.server_text}"
    if one.remedy:
        yield f"  → {one.remedy}"


def _source(access: Access) -> Iterator[str]:
    credential = access.credential
    if isinstance(credential, Credential):
        yield f"username  {credential.username!r} ({location_to_text(credential.username_origin)})"
        yield f"password  {location_to_text(credential.origin)}: {_describe(credential.password)}"
    if isinstance(credential, Ambient):
        yield ambient_to_text(credential)
    for one in access.candidates:
        if one.status not in {"used", "twine-only"}:
            status = one.status if one.status == "shadowed" else "also"
            yield f"{status:<9} {location_to_text(one.origin)}: {_describe(one.password)}"
    if isinstance(credential, Credential) and (text := twine_alone_to_text(credential, access.candidates)):
        yield text


def _describe(secret: Secret) -> str:
    return f"{len(secret)} characters, fingerprint {secret.fingerprint}"


def _token_facts(access: Access) -> Iterator[str]:
    if isinstance(access.credential, Ambient) and isinstance(access.credential.identity, OidcIdentity):
        # the claims that the index compares its publishers with
        rows = tuple(public_claims(access.credential.identity))
        width = max((len(name) for name, _ in rows), default=0)
        yield from (f"{name:<{width}}  {value}" for name, value in rows)
    if not isinstance(access.token, Token):
        return
    token, limits = access.token, validity(access.token)
    yield f"a token of {token.location}, identifier {token.identifier}"
    yield f"for {_scope(scope(token))}"
    if limits.not_before and limits.not_before > access.now:
        yield f"valid from {limits.not_before:%Y-%m-%d %H:%M:%S} UTC"
    if limits.expires_at:
        yield f"expires {limits.expires_at:%Y-%m-%d %H:%M:%S} UTC"


def _scope(found: TokenScope) -> str:
    match found.kind:
        case "account":
            return "all projects of its user"
        case "projects":
            return ", ".join(map(repr, found.projects or ())) or f"the projects {', '.join(found.ids or ())}"
        case "publisher":
            return "a trusted publisher's projects"
        case "nothing":
            return "no project: its limits exclude each other"
        case "unknown":
            return "an unknown scope: the token shows no restriction, but the index may apply one"


def _known(access: Access) -> Iterator[str]:
    index, listing = access.index.name, access.listing
    if listing is None and isinstance(access.project, ProjectMetadata):
        yield f"{index} has no project {access.project.name!r} yet"
    if not isinstance(listing, ProjectListing):
        return
    newest = max(files_by_release(listing), default=None)
    name = access.ownership.name if access.ownership else listing.name
    version = f", newest version {newest}" if newest else ""
    yield f"{name!r} is on {index}: {format_count(len(listing.files), 'file')}{version}"
    if owners := access.ownership:
        roles = ", ".join(f"{user} ({role.lower()})" for role, user in owners.roles) or "no individual users"
        organization = f"; it belongs to the organization {owners.organization}" if owners.organization else ""
        yield f"may upload: {roles}, and members of teams, which the index does not list{organization}"
    if files := listed_files(access):
        uploaded = min((file.upload_time for file in files if file.upload_time), default=None)
        version = access.project.version if isinstance(access.project, ProjectMetadata) else ""
        since = f", since {uploaded:%Y-%m-%d}" if uploaded else ""
        count = format_count(len(files), "file")
        yield f"version {version} already has {count} there{since}: for the next release, run pypi-preflight prepare"


def _works(access: Access) -> Iterator[str]:
    if isinstance(access.proof, PublisherProof):
        yield from proof_to_text(access.index, access.proof)
    yield from (one.message for one in unrevoked_tokens_to_findings(access) if isinstance(one, Note))
    probe = access.permission
    if not isinstance(probe, ProbeResult) or not probe.passed():
        return
    if probe.kind == "first-release":
        yield "the account may create the project; the index checks the token's signature when the first file arrives"
    for quota in probe.quotas():
        yield f"new projects, {quota_to_text(quota)}"


def proof_to_text(index: Index, proof: PublisherProof) -> Iterator[str]:
    """What was exchanged, and what became of the token."""
    if not proof.issued:
        return
    end = "kept for the upload" if proof.kept else "revoked" if proof.revoked else "not confirmed as revoked"
    yield f"{index.name} issued a token for this job, {end}: see the security history of the project"


def _proof(access: Access) -> dict[str, Any] | None:
    """The exchange that proves the trusted publisher; None where there was none."""
    if not isinstance(access.proof, PublisherProof):
        return None
    proof = access.proof
    return {
        "proven": proof.proven, "issued": proof.issued, "revoked": proof.revoked,
        "expires": format_iso_time(proof.expires),
    }  # fmt: skip


def verification_to_json(found: Verification) -> dict[str, Any]:
    """The document, schema 1."""
    access, verdict = found.access, found.verdict
    return {
        "schema": 1, "verdict": verdict.word, "confirmed": found.confirmed,
        "cause": verdict.cause, "causes": list(verdict.causes),
        "index": access.index.name,
        "project": access.project.name if isinstance(access.project, ProjectMetadata) else None,
        "credential": _credential(access), "token": _token(access), "identity": _identity(access),
        "exchange": _proof(access),
        "checks": [outcome_to_json(one) for one in found.outcomes],
    }  # fmt: skip


def _identity(access: Access) -> dict[str, Any] | None:
    """The identity of this job, as the index would see it, without the token itself."""
    if not isinstance(access.credential, Ambient) or not isinstance(access.credential.identity, OidcIdentity):
        return None
    identity = access.credential.identity
    return {
        "provider": identity.provider, "audience": identity.audience,
        "claims": dict(public_claims(identity)), "publisher": publisher_fields(identity),
    }  # fmt: skip


def _credential(access: Access) -> dict[str, Any] | None:
    if isinstance(access.credential, Ambient):
        return {"origin": location_to_json(access.credential.origin), "username": None, "shadowed": []}
    if not isinstance(access.credential, Credential):
        return None
    shadowed = [
        {"origin": location_to_json(one.origin), "length": len(one.password), "fingerprint": one.password.fingerprint}
        for one in access.candidates
        if one.status == "shadowed" and one.password != access.credential.password
    ]
    origin, username, twine = access.credential.origin, access.credential.username, used_by_twine(access.candidates)
    return {
        "origin": location_to_json(origin), "username": username, "shadowed": shadowed,
        "twine": {"origin": location_to_json(twine.origin), "fingerprint": twine.password.fingerprint}
        if twine else None,
    }  # fmt: skip


def _token(access: Access) -> dict[str, Any] | None:
    if not isinstance(access.token, Token) or not isinstance(access.credential, Credential):
        return None
    found, limits = scope(access.token), validity(access.token)
    return {
        "location": access.token.location, "identifier": access.token.identifier,
        "scope": {"kind": found.kind, "projects": list(found.projects or ())},
        "expires": format_iso_time(limits.expires_at), "not_before": format_iso_time(limits.not_before),
        "fingerprint": access.credential.password.fingerprint,
    }  # fmt: skip

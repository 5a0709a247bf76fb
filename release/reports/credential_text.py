"""The answer to "would an upload work": a walk through its four tiers, and one JSON document. Never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from release.checks.credential_checks import TIERS
from release.checks.index_state import listed_files
from release.checks.token_permission import quota_to_text
from release.checks.trusted_publishing_checks import ambient_to_text
from release.core.events import CheckFinished
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, Outcome
from release.core.models.credential import Ambient, Credential, CredentialCandidate
from release.core.models.oidc_identity import OidcIdentity, public_claims, publisher_fields
from release.core.models.probe import ProbeResult
from release.core.models.project_listing import ProjectListing, files_by_release
from release.core.models.secret_location import location_to_json, location_to_text
from release.core.models.verification import Verification
from release.core.secret import Secret
from release.core.tokens.token import Token, TokenScope, scope, validity
from release.reports.lines import Line, event_to_lines, outcome_to_json

_TITLES = ("where from", "what it is", "known", "works")
_STYLES = {"healthy": "bold green", "warning": "bold yellow", "broken": "bold red", "unknown": "bold red"}


def verification_to_lines(found: Verification, *, quiet: bool = False) -> Iterator[Line]:
    """The tiers, one after the other, as far as they were reached; then the verdict. `quiet`: that alone."""
    access = found.access
    if not quiet:
        about = f", {access.project.name}" if isinstance(access.project, ProjectMetadata) else ""
        yield Line(text=f"{access.index.name}{about}: {access.index.upload_url}", style="bold")
        outcomes = {one.check: one for one in found.outcomes}
        for title, tier, facts in zip(_TITLES, TIERS, (_where_from, _what, _known, _works), strict=True):
            yield from _tier(title, [outcomes[check.name] for check in tier], facts(access))
    yield from _ending(found)


def _tier(title: str, outcomes: list[Outcome], facts: Iterator[str]) -> Iterator[Line]:
    silent = {CheckState.SKIPPED, CheckState.NOT_APPLICABLE}
    told = [one for one in outcomes if one.state not in silent]
    yield Line(text=title, style="bold")
    yield from (Line(text=f"  {text}", style="dim") for text in facts)
    for one in told:
        yield from event_to_lines(CheckFinished(outcome=_within(one), stops=True))
    if not told:
        yield Line(text=f"  not looked at: {outcomes[0].reason}", style="dim")


def _within(outcome: Outcome) -> Outcome:
    """The outcome without its subject, which stands above all of it."""
    return Outcome(**{name: getattr(outcome, name) for name in outcome.__slots__} | {"subject": ""})


def _ending(found: Verification) -> Iterator[Line]:
    verdict = found.verdict
    name = f", {verdict.cause}" if verdict.cause else ""
    level = {"healthy": None, "warning": "warning"}.get(verdict.word, "error")
    said = f"verdict: {verdict.word}{name}"
    yield Line(
        text=said,
        style=_STYLES[verdict.word],
        annotation=(level, said, f"{verdict.message}. {verdict.remedy}") if level else None,
    )
    if verdict.message:
        yield Line(text=f"  {verdict.message}")
    if verdict.remedy:
        yield Line(text=f"  → {verdict.remedy}")
    if verdict.cause:
        yield Line(text=f"  more: python -m release explain {verdict.cause}", style="dim")
    if verdict.passed and found.offline:
        yield Line(text="  as far as this machine can tell: the index was not asked", style="dim")


# -- the facts of a tier ----------------------------------------------------------------------------


def _where_from(access: Access) -> Iterator[str]:
    credential = access.credential
    if isinstance(credential, Credential):
        yield f"username  {credential.username!r} ({location_to_text(credential.username_origin)})"
        yield f"password  {location_to_text(credential.origin)}: {_measure(credential.password)}"
    if isinstance(credential, Ambient):
        yield ambient_to_text(credential)
    for one in access.candidates:
        if one.status != "used":
            yield f"{_standing(one):<9} {location_to_text(one.origin)}: {_measure(one.password)}"


def _measure(secret: Secret) -> str:
    return f"{len(secret)} characters, fingerprint {secret.fingerprint}"


def _standing(one: CredentialCandidate) -> str:
    return one.status if one.status == "shadowed" else "beside it"


def _what(access: Access) -> Iterator[str]:
    if isinstance(access.credential, Ambient) and isinstance(access.credential.identity, OidcIdentity):
        yield from _claims(access.credential.identity)
    if not isinstance(access.token, Token):
        return
    token, limits = access.token, validity(access.token)
    yield f"a token of {token.location}, identifier {token.identifier}"
    yield f"for {_scope(scope(token))}"
    if limits.not_before and limits.not_before > access.now:
        yield f"valid from {_time(limits.not_before)}"
    if limits.expires_at:
        yield f"expires {_time(limits.expires_at)}"


def _claims(identity: OidcIdentity) -> Iterator[str]:
    """The claims as a table: what the index compares its publishers with."""
    rows = tuple(public_claims(identity))
    width = max((len(name) for name, _ in rows), default=0)
    yield from (f"{name:<{width}}  {value}" for name, value in rows)


def _scope(found: TokenScope) -> str:
    match found.kind:
        case "account":
            return "all projects of its user"
        case "projects":
            return ", ".join(map(repr, found.projects)) or f"the projects {', '.join(found.ids)}"
        case "publisher":
            return "a trusted publisher's projects"
        case "unknown":
            return "nobody knows what: it shows no limit, and the index may keep some"


def _known(access: Access) -> Iterator[str]:
    index, listing = access.index.name, access.listing
    if listing is None and isinstance(access.project, ProjectMetadata):
        yield f"{index} has no project {access.project.name!r} yet"
    if not isinstance(listing, ProjectListing):
        return
    newest = max(files_by_release(listing), default=None)
    name = access.ownership.name if access.ownership else listing.name
    yield f"{name!r} is on {index}: {_files(len(listing.files))}" + (f", newest version {newest}" if newest else "")
    if access.ownership:
        yield from _owners(access)
    if there := listed_files(access):
        begun = min((file.upload_time for file in there if file.upload_time), default=None)
        version = access.project.version if isinstance(access.project, ProjectMetadata) else ""
        since = f", since {begun:%Y-%m-%d}" if begun else ""
        yield f"version {version} has {_files(len(there))} there{since}: the next release needs a new one"


def _files(number: int) -> str:
    return f"{number} file{'s' * (number != 1)}"


def _owners(access: Access) -> Iterator[str]:
    owners = access.ownership
    if owners is None:
        return
    roles = ", ".join(f"{user} ({role.lower()})" for role, user in owners.roles) or "nobody by name"
    whose = f"; it belongs to the organization {owners.organization}" if owners.organization else ""
    yield f"may upload: {roles}, and members of teams, which are not shown{whose}"


def _works(access: Access) -> Iterator[str]:
    if isinstance(access.credential, Ambient):
        yield f"whether {access.index.name} has a publisher for this job, only the exchange of the identity tells;"
        yield "that is no dry run, and comes with the upload"
    answer = access.permission
    if not isinstance(answer, ProbeResult) or not answer.passed():
        return
    if answer.kind == "first-release":
        yield "the account may create the project; the token's signature is looked at when the first file comes"
    for quota in answer.quotas():
        yield f"new projects, {quota_to_text(quota)}"


# -- JSON -------------------------------------------------------------------------------------------


def verification_to_json(found: Verification) -> dict[str, Any]:
    """The answer for JSON, schema 1."""
    access, verdict = found.access, found.verdict
    return {
        "schema": 1,
        "verdict": verdict.word,
        "cause": verdict.cause,
        "causes": list(verdict.causes),
        "index": access.index.name,
        "project": access.project.name if isinstance(access.project, ProjectMetadata) else None,
        "credential": _credential(access),
        "token": _token(access),
        "identity": _identity(access),
        "checks": [outcome_to_json(one) for one in found.outcomes],
    }


def _identity(access: Access) -> dict[str, Any] | None:
    """Who the index would be told that this job is; the token itself stays out."""
    if not isinstance(access.credential, Ambient) or not isinstance(access.credential.identity, OidcIdentity):
        return None
    identity = access.credential.identity
    return {
        "provider": identity.provider,
        "audience": identity.audience,
        "claims": dict(public_claims(identity)),
        "publisher": publisher_fields(identity),
    }


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
    origin, username = access.credential.origin, access.credential.username
    return {"origin": location_to_json(origin), "username": username, "shadowed": shadowed}


def _token(access: Access) -> dict[str, Any] | None:
    if not isinstance(access.token, Token) or not isinstance(access.credential, Credential):
        return None
    told, limits = scope(access.token), validity(access.token)
    return {
        "location": access.token.location,
        "identifier": access.token.identifier,
        "scope": {"kind": told.kind, "projects": list(told.projects)},
        "expires": _iso(limits.expires_at),
        "not_before": _iso(limits.not_before),
        "fingerprint": access.credential.password.fingerprint,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

"""The limits inside the token: whether anything can meet them, and whether this project and this moment do."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks import credential_remedies
from release.checks.engine import Checklist, quote
from release.checks.token_checks import NO_TOKEN, new_token_remedy, origin_of, the_token_is_of_this_index
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Credential
from release.core.models.index import normalize_name
from release.core.models.probe import ProbeResult
from release.core.time_text import format_lifetime, format_time
from release.core.tokens import refusals
from release.core.tokens.caveats import InvalidCaveat
from release.core.tokens.scope import TokenScope, contradictions
from release.core.tokens.token import Token, scope, validity

OF_THE_LIMITS = Checklist[Access]()


def _refusal(access: Access) -> str | None:
    """The index's words for what is wrong with the caveats, as far as that is certain."""
    credential, project = access.credential, access.project
    if not isinstance(credential, Credential) or not isinstance(access.token, Token):
        return None
    name = project.name if isinstance(project, ProjectMetadata) else None
    return refusals.authentication_refusal(credential.username, credential.password) or refusals.caveat_refusal(
        access.token, name, access.now
    )


def _finding(access: Access, message: str, remedy: str, cause: str) -> Finding:
    """A limit that refuses the upload; the message continues "the token in …"."""
    origin = origin_of(access)
    return Finding(
        message=f"the token in {origin} {message}",
        remedy=remedy,
        where=origin,
        server_text=_refusal(access),
        cause=cause,
    )


@OF_THE_LIMITS.check(needs=(the_token_is_of_this_index,))
def the_limits_of_the_token_can_be_met(access: Access) -> Iterator[Observation]:
    """The token's limits can be met.

    The holder of a token can add limits to it. Those that exclude each other leave no upload, and the index refuses
    limits that it does not know. Source: warehouse, `macaroons/caveats`.
    """
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    remedy = new_token_remedy(access)
    for number, one in enumerate(access.token.caveats, 1):
        if isinstance(one, InvalidCaveat):
            reason = "not JSON" if one.refusal == "unknown error" else one.refusal.removeprefix("caveat ")
            message = f"has a limit that no index accepts, caveat {number}: {reason}"
            yield _finding(access, message, remedy, "cred.caveat-invalid")
    for wrong in contradictions(access.token.caveats, access.now):
        yield _finding(access, wrong.message, remedy, wrong.cause)


@OF_THE_LIMITS.check(needs=(the_limits_of_the_token_can_be_met,))
def the_token_is_valid_now(access: Access) -> Iterator[Observation]:
    """The token is valid now.

    Source: warehouse, `macaroons/caveats`, tag 0; the index's clock decides.
    """
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    limits = validity(access.token)
    if limits.expires_at is not None and limits.expires_at <= access.now:
        cause = "tp.token-expired" if scope(access.token).kind == "publisher" else "cred.expired"
        message = f"expired at {limits.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        yield _finding(access, message, new_token_remedy(access), cause)
    elif limits.not_before is not None and limits.not_before > access.now:
        start = f"{limits.not_before:%Y-%m-%d %H:%M:%S} UTC"
        remedy = f"wait until {start}; if that time has passed, set this machine's clock, for example by NTP"
        yield _finding(access, f"is not valid before {start}", remedy, "cred.not-yet-valid")


@OF_THE_LIMITS.check(needs=(the_token_is_valid_now,))
def the_token_lasts(access: Access) -> Iterator[Observation]:
    """The token does not expire soon.

    Earlier than `warn-before`; by the expiry that the token shows.
    """
    token = access.token
    if not isinstance(token, Token):
        yield NO_TOKEN
        return
    end = validity(token).expires_at
    if scope(token).kind == "publisher":
        yield NotApplicable(reason="the token comes from trusted publishing and is valid for minutes")
    elif end is None:
        yield NotApplicable(reason="the token shows no expiry")
    elif access.warn_before is not None and end - access.now <= access.warn_before:
        origin = origin_of(access)
        yield Finding(
            message=f"the token in {origin} expires in {format_lifetime(end - access.now)}, at {format_time(end)}",
            remedy=credential_remedies.rotated_token(access),
            severity="warn",
            where=origin,
            cause="cred.expires-soon",
        )


@OF_THE_LIMITS.check(needs=(the_limits_of_the_token_can_be_met,))
def the_token_covers_this_project(access: Access) -> Iterator[Observation]:
    """The token's scope covers this project.

    A token that shows no limit may have one that only the index knows.
    """
    if isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project name is not known")
        return
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    found, name = scope(access.token), normalize_name(access.project.name)
    if found.kind == "projects" and access.listing is None:
        message = f"is limited to single projects, but {name!r} is not on {access.index.name} yet"
        yield _finding(access, message, new_token_remedy(access), "cred.project-scope-new-project")
    elif found.projects is not None and name not in found.projects and name in map(normalize_name, found.projects):
        message = f"is for {quote(found.projects)}, but the index compares with the normalized name, {name!r}"
        yield _finding(access, message, new_token_remedy(access), "cred.scope-unnormalised")
    elif found.projects is not None and name not in found.projects:
        message = f"is for {quote(found.projects)}, not for {name!r}"
        origin = access.credential.origin if isinstance(access.credential, Credential) else None
        remedy = credential_remedies.token_for_project(access, origin)
        yield _finding(access, message, remedy, "cred.project-scope-mismatch")
    elif not isinstance(access.permission, ProbeResult):
        yield from _not_confirmed(access, found, name)


def _not_confirmed(access: Access, found: TokenScope, name: str) -> Iterator[Observation]:
    """What a token without names leaves open until the index is asked."""
    if found.kind == "unknown":
        yield NotApplicable(reason="not known: the token shows no limit, but the index may have one for it")
    elif found.ids is not None and not found.ids_issued:
        yield Finding(
            message=f"the token in {origin_of(access)} is limited to projects by identifier: whether {name!r} is one "
            "of them cannot be checked offline",
            remedy=credential_remedies.own_command(
                access.user, "verify", "--index", access.index.name, "--project", name
            ),
            severity="warn",
            where=origin_of(access),
            cause="cred.project-id-scope",
        )

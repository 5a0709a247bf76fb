"""What a working token still lacks: time, narrowness, a place of its own.

None of these stops an upload, so all of them warn; what stops one is in `release.checks.credential_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from release.checks.engine import Check, check
from release.core.facts import ProjectMetadata, TokenHealth
from release.core.models.credential import Credential
from release.core.models.finding import Finding, NotApplicable, Observation
from release.core.models.secret_location import location_to_text
from release.core.tokens.token import Token, scope, validity

_NO_TOKEN = NotApplicable(reason="there is no token that can be read")
_LENT = NotApplicable(reason="it was made by trusted publishing, for minutes")
#: states in which a token is replaced on purpose
_DUE = {"broken", "expired", "revoked", "expiring", "warning"}


def age(health: TokenHealth) -> timedelta | None:
    """How old the token is, or at least is; None where nobody knows. Never negative, whatever the clocks say."""
    told = [one for one in (health.made, health.known_since) if one is not None]
    return max(health.access.now - min(told), timedelta()) if told else None


def left(health: TokenHealth) -> timedelta | None:
    """How long the token lasts; negative where it has expired, None where it shows no end."""
    end = validity(health.access.token).expires_at if isinstance(health.access.token, Token) else None
    return end - health.access.now if end else None


@check()
def the_token_lasts(health: TokenHealth) -> Iterator[Observation]:
    """The token lasts for longer than the policy wants.

    `warn-before`; by the expiry that the token shows.
    """
    if not isinstance(health.access.token, Token):
        yield _NO_TOKEN
    elif scope(health.access.token).kind == "publisher":
        yield _LENT
    elif (remaining := left(health)) is None:
        yield NotApplicable(reason="it shows no end")
    elif remaining <= timedelta():
        yield NotApplicable(reason="it has expired")
    elif remaining <= health.policy.warn_before:
        yield Finding(
            message=f"{_token(health)} expires in {_span(remaining)}, at {_time(health.access.now + remaining)}",
            remedy=_replace(health),
            severity="warn",
            where=_where(health),
        )


@check()
def the_token_is_rotated_in_time(health: TokenHealth) -> Iterator[Observation]:
    """The token is not older than the policy wants.

    `rotate-after`; from the day it was made where that is known, or else from when it was first seen.
    """
    limit, old = health.policy.rotate_after, age(health)
    if not isinstance(health.access.token, Token):
        yield _NO_TOKEN
    elif limit is None:
        yield NotApplicable(reason="no age is set by the policy")
    elif old is None:
        yield NotApplicable(reason="nobody knows how old it is")
    elif old >= limit:
        least = "" if health.made else "at least "
        yield Finding(
            message=f"{_token(health)} is {least}{_span(old)} old; it is to be replaced after {_span(limit)}",
            remedy=_replace(health),
            severity="warn",
            where=_where(health),
        )


@check()
def the_token_is_for_one_project(health: TokenHealth) -> Iterator[Observation]:
    """The token can upload to no more than its project.

    One that shows no limit may have one that the index keeps to itself: then nobody can tell.
    """
    access = health.access
    if not isinstance(access.token, Token):
        yield _NO_TOKEN
        return
    found = scope(access.token)
    if found.kind == "unknown":
        yield NotApplicable(reason="nobody can tell: it shows no limit, and the index may keep one to itself")
    elif found.kind == "account" and access.listing is None:
        yield NotApplicable(reason="the project is not on the index yet; its first release needs a token this wide")
    elif found.kind == "account" and not isinstance(access.project, ProjectMetadata):
        yield NotApplicable(reason="no project is named that it could be for")
    elif found.kind == "account" and isinstance(access.project, ProjectMetadata):
        name = access.project.name
        yield Finding(
            message=f"{_token(health)} can upload to every project of its user, and {name!r} alone is asked for",
            remedy=f"make one with the scope 'Project: {name}' on {_page(health)}, put it into {_where(health)} "
            f"in place of this one, then delete this one there: identifier {access.token.identifier}",
            severity="warn",
            where=_where(health),
        )


@check()
def the_token_lies_in_one_place(health: TokenHealth) -> Iterator[Observation]:
    """No other place has the same token.

    Whoever replaces it in one place breaks the others.
    """
    if health.elsewhere:
        others = ", ".join(health.elsewhere[:3]) + (", …" if len(health.elsewhere) > 3 else "")  # noqa: PLR2004 - a line's worth
        yield Finding(
            message=f"{_token(health)} lies in other places too: {others}",
            remedy=f"keep it in one of them, or make a token for each on {_page(health)}",
            severity="warn",
            where=_where(health),
        )


@check()
def the_secret_is_the_one_seen_before(health: TokenHealth) -> Iterator[Observation]:
    """The place holds what it held when it was last looked at, or something better.

    A token that was in order and is another one now was replaced by somebody.
    """
    before, credential = health.before, health.access.credential
    if before is None or not isinstance(credential, Credential):
        yield NotApplicable(reason="nobody knows what was there before")
    elif before.fingerprint != credential.password.fingerprint:
        if before.state in _DUE:
            yield NotApplicable(reason=f"it is another one, since the one before was {before.state}")
            return
        was = f"identifier {before.identifier}" if before.identifier else f"fingerprint {before.fingerprint}"
        yield Finding(
            message=f"{_where(health)} held another token until {_time(before.last_seen)}, which was in order: {was}",
            remedy=f"if you replaced it, delete the old one on {_page(health)}; if nobody did, ask who wrote there",
            severity="warn",
            where=_where(health),
        )


@check()
def trusted_publishing_is_used(health: TokenHealth) -> Iterator[Observation]:
    """No token lies where trusted publishing could be used.

    Source: PyPI documentation, "Publishing to PyPI with a Trusted Publisher": nothing to keep, nothing to leak.
    """
    access = health.access
    if health.publisher is None or access.index.kind != "warehouse":
        yield NotApplicable(reason="nothing shows that it could be")
    elif isinstance(access.token, Token) and scope(access.token).kind != "publisher":
        page = access.index.simple_url.removesuffix("simple/") + "manage/account/publishing/"
        if isinstance(access.project, ProjectMetadata) and access.listing is not None:
            page = page.replace("account/publishing/", f"project/{access.project.name}/settings/publishing/")
        yield Finding(
            message=f"{health.publisher} could publish without {_token(health)}",
            remedy=f"add it as a trusted publisher on {page}, give the job `id-token: write`, then delete the token",
            severity="warn",
            where=_where(health),
        )


def _where(health: TokenHealth) -> str:
    credential = health.access.credential
    return location_to_text(credential.origin) if isinstance(credential, Credential) else "its place"


def _token(health: TokenHealth) -> str:
    return f"the token in {_where(health)}"


def _page(health: TokenHealth) -> str:
    return health.access.index.simple_url.removesuffix("simple/") + "manage/account/token/"


def _replace(health: TokenHealth) -> str:
    token = health.access.token
    old = f", then delete the old one there: identifier {token.identifier}" if isinstance(token, Token) else ""
    return f"make a new one on {_page(health)}, put it into {_where(health)}{old}"


def _span(length: timedelta) -> str:
    """A length of time in words, rounded down: "13 days", "5 h", "7 min"."""
    seconds = int(length.total_seconds())
    if seconds >= 2 * 86_400:
        return f"{seconds // 86_400} days"
    return f"{seconds // 3600} h" if seconds >= 2 * 3600 else f"{seconds // 60} min"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


CHECKS: tuple[Check[TokenHealth], ...] = (
    the_token_lasts,
    the_token_is_rotated_in_time,
    the_token_is_for_one_project,
    the_token_lies_in_one_place,
    the_secret_is_the_one_seen_before,
    trusted_publishing_is_used,
)

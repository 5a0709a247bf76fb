"""What a working token still lacks: a narrow scope, a location of its own, a replacement in time.

None of these stops an upload, so all of them warn; what stops one is in `release.checks.token_checks`
and `release.checks.token_limit_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from release.checks.engine import Checklist, warn
from release.core.facts import ProjectMetadata
from release.core.models.check_result import NotApplicable, Observation
from release.core.models.credential import Credential
from release.core.models.secret_location import location_to_text
from release.core.time_text import format_lifetime, format_time
from release.core.token_health_facts import TokenHealth
from release.core.tokens.token import Token, scope, validity

_NO_TOKEN = NotApplicable(reason="there is no readable token")
#: states in which a token is replaced on purpose
_DUE = {"broken", "expired", "revoked", "expiring", "warning"}
#: locations listed in one message
_LISTED = 3


def token_age(health: TokenHealth) -> timedelta | None:
    """How old the token is, or at least is; None where that is not known. Never negative, even if the clocks differ."""
    known = [one for one in (health.made, health.known_since) if one is not None]
    return max(health.access.now - min(known), timedelta()) if known else None


def remaining_lifetime(health: TokenHealth) -> timedelta | None:
    """How long the token stays valid; negative where it has expired, None where it has no visible expiry."""
    end = validity(health.access.token).expires_at if isinstance(health.access.token, Token) else None
    return end - health.access.now if end else None


CHECKS = Checklist[TokenHealth]()


@CHECKS.check()
def the_token_is_rotated_in_time(health: TokenHealth) -> Iterator[Observation]:
    """The token is rotated in time.

    Before it is as old as `rotate-after`; from the day it was created if that is known, otherwise from when it was
    first seen.
    """
    limit, age = health.policy.rotate_after, token_age(health)
    if not isinstance(health.access.token, Token):
        yield _NO_TOKEN
    elif limit is None:
        yield NotApplicable(reason="the policy sets no maximum age")
    elif age is None:
        yield NotApplicable(reason="the age of the token is not known")
    elif age >= limit:
        old = f"{'' if health.made else 'at least '}{format_lifetime(age)} old"
        message = f"{_token(health)} is {old}; the policy is to rotate it after {format_lifetime(limit)}"
        yield warn(message, _replace(health), _where(health))


@CHECKS.check()
def the_token_is_for_one_project(health: TokenHealth) -> Iterator[Observation]:
    """The token is limited to one project.

    A token that shows no limit may have one that only the index knows.
    """
    access = health.access
    if not isinstance(access.token, Token):
        yield _NO_TOKEN
        return
    kind = scope(access.token).kind
    if kind == "unknown":
        yield NotApplicable(reason="not known: the token shows no limit, but the index may have one for it")
    elif kind == "account" and access.listing is None:
        yield NotApplicable(reason="the project is not on the index yet; its first release needs an account-wide token")
    elif kind == "account" and isinstance(access.project, ProjectMetadata):
        name = access.project.name
        yield warn(
            f"{_token(health)} can upload to every project of its user, but is used only for {name!r}",
            f"create one with the scope 'Project: {name}' on {_page(health)}, put it into {_where(health)} "
            f"in place of this one, then delete this one there: identifier {access.token.identifier}",
            _where(health),
        )
    elif kind == "account":
        yield NotApplicable(reason="no project is named that the token could be limited to")


@CHECKS.check()
def the_token_lies_in_one_place(health: TokenHealth) -> Iterator[Observation]:
    """The token is stored in one location only.

    Replacing it in one location would break the others.
    """
    if health.elsewhere:
        others = ", ".join(health.elsewhere[:_LISTED]) + (", …" if len(health.elsewhere) > _LISTED else "")
        remedy = f"keep it in one of them, or create a token for each on {_page(health)}"
        yield warn(f"{_token(health)} is also stored in {others}", remedy, _where(health))


@CHECKS.check()
def the_secret_is_the_one_seen_before(health: TokenHealth) -> Iterator[Observation]:
    """The stored token has not been replaced unexpectedly.

    If the token before was valid, its replacement may not have been intended.
    """
    before, credential = health.before, health.access.credential
    if before is None or not isinstance(credential, Credential):
        yield NotApplicable(reason="no earlier token is known for this location")
    elif before.fingerprint != credential.password.fingerprint and before.state in _DUE:
        yield NotApplicable(reason=f"it has changed, but the one before was {before.state}")
    elif before.fingerprint != credential.password.fingerprint:
        was = f"identifier {before.identifier}" if before.identifier else f"fingerprint {before.fingerprint}"
        message = f"{_where(health)} contained another, valid token until {format_time(before.last_seen)}: {was}"
        remedy = f"if you replaced it, delete the old one on {_page(health)}; otherwise find out who changed it"
        yield warn(message, remedy, _where(health))


@CHECKS.check()
def trusted_publishing_is_used(health: TokenHealth) -> Iterator[Observation]:
    """Trusted publishing is used where possible.

    Source: PyPI documentation, "Publishing to PyPI with a Trusted Publisher": no token is stored, so none can leak.
    """
    access = health.access
    if health.publisher is None or access.index.kind != "warehouse":
        yield NotApplicable(reason="nothing shows that trusted publishing could be used")
    elif isinstance(access.token, Token) and scope(access.token).kind != "publisher":
        page = "manage/account/publishing/"
        if isinstance(access.project, ProjectMetadata) and access.listing is not None:
            page = f"manage/project/{access.project.name}/settings/publishing/"
        yield warn(
            f"{health.publisher} could publish without {_token(health)}",
            f"add it as a trusted publisher on {_site(health)}{page}, give the job `id-token: write`, then delete the "
            "token",
            _where(health),
        )


def _where(health: TokenHealth) -> str:
    credential = health.access.credential
    return location_to_text(credential.origin) if isinstance(credential, Credential) else "its location"


def _token(health: TokenHealth) -> str:
    return f"the token in {_where(health)}"


def _site(health: TokenHealth) -> str:
    return health.access.index.simple_url.removesuffix("simple/")


def _page(health: TokenHealth) -> str:
    return f"{_site(health)}manage/account/token/"


def _replace(health: TokenHealth) -> str:
    token = health.access.token
    old = f", then delete the old one there: identifier {token.identifier}" if isinstance(token, Token) else ""
    return f"create a new one on {_page(health)}, put it into {_where(health)}{old}"

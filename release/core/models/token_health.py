"""The health of tokens: their state, how it changed, and their history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from release.core.errors import Exit

if TYPE_CHECKING:
    from release.core.models.check_result import Outcome, VerdictWord

#: a `VerdictWord`, more precise for the most common causes
TokenState = Literal["healthy", "warning", "expiring", "expired", "revoked", "broken", "unknown"]

_BY_CAUSE: Mapping[str, TokenState] = {
    "cred.expires-soon": "expiring",
    "the-token-lasts": "expiring",  # its name in histories from before it was in the catalog
    "cred.expired": "expired",
    "tp.token-expired": "expired",
    "cred.revoked": "revoked",
}


def token_state(word: VerdictWord, cause: str) -> TokenState:
    """The state for a verdict; `cause` is the id of a known cause, or the name of the check that warned."""
    named = _BY_CAUSE.get(cause)
    fits = named is not None and (word == "broken") == (named in {"expired", "revoked"}) and word != "unknown"
    return named if named is not None and fits and word != "healthy" else word


class TokenStatus(Struct, frozen=True, kw_only=True):
    """The status of one credential in one run, as stored in the history. It contains no secrets."""

    index: str
    upload_url: str
    #: None if only the account was checked
    project: str | None
    #: where the credential is stored, as text
    place: str
    #: 8 hex digits; empty if there was no credential
    fingerprint: str
    #: empty if the token could not be decoded
    identifier: str
    #: what it may upload to, as text; empty if unknown
    scope: str
    #: aware, UTC; None if it has no expiration
    expires: datetime | None
    word: VerdictWord
    state: TokenState
    #: id of the root cause, or the name of the check that warned; empty if healthy
    cause: str
    message: str
    remedy: str
    #: check → its result: "passed", "warned", "failed", …
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """The index and the project, as text."""
        return f"{self.index}, {self.project or 'the account'}"


class StatusChange(Struct, frozen=True, kw_only=True):
    """A change of one credential to notify about."""

    #: the history's number for the index, project and location
    watch: int
    #: "worse", "healed", "otherwise" (from one problem to another), "reminder" (no change)
    kind: Literal["worse", "healed", "otherwise", "reminder"]
    #: the state in the last notification; "healthy" if there was none
    before: TokenState
    now: TokenStatus
    #: when this state began; aware, UTC
    since: datetime


class TokenPolicy(Struct, frozen=True, kw_only=True):
    """When tokens must be replaced."""

    #: the maximum age of a token; None: unlimited
    rotate_after: timedelta | None = timedelta(days=180)
    #: how long before its expiration a token must be replaced
    warn_before: timedelta = timedelta(days=14)


class TokenReport(Struct, frozen=True, kw_only=True):
    """One credential in a report."""

    seen: TokenStatus
    #: the checks that did not pass
    outcomes: tuple[Outcome, ...]
    #: None if unknown
    age: timedelta | None
    #: None if it has no expiration
    left: timedelta | None
    #: how far the index's clock is ahead of this machine's; None if it was not measured
    skew: timedelta | None = None
    #: whether the index has confirmed the token, as in `Verification`
    confirmed: bool = False
    #: when an exchange has proven the trusted publisher of this job; aware, UTC; None: not in this run
    proven: datetime | None = None


class HealthReport(Struct, frozen=True, kw_only=True):
    """The result of checking all credentials."""

    #: in the order of the targets
    rows: tuple[TokenReport, ...]
    #: whether the run was stopped before all were checked
    interrupted: bool = False
    offline: bool = False
    #: other messages: the clock is wrong, the history was damaged
    notes: tuple[str, ...] = ()
    #: why this run was not stored, and what to do about it; None if it was
    forgotten: tuple[str, str] | None = None
    #: path of the history
    history: str = ""

    def status(self, *, strict: bool) -> Exit:
        """The exit status; `strict` treats warnings as failures."""
        words = {row.seen.word for row in self.rows}
        if "broken" in words or (strict and "warning" in words):
            return Exit.REFUSED
        if "unknown" in words or not self.rows:
            return Exit.UNKNOWN
        return Exit.WARNED if "warning" in words else Exit.DONE


class StatusInterval(Struct, frozen=True, kw_only=True):
    """A period in which a credential did not change."""

    seen: TokenStatus
    #: the state before; None if unknown
    before: TokenState | None
    #: aware, UTC, as the next field
    since: datetime
    last_seen: datetime
    #: number of checks in this period
    count: int


class StatePeriod(Struct, frozen=True, kw_only=True):
    """A period in which a credential was in one state."""

    state: TokenState
    since: datetime
    last_seen: datetime
    #: check → its last result in this period
    checks: Mapping[str, str]


class TokenTimeline(Struct, frozen=True, kw_only=True):
    """The current status and the history of one credential."""

    now: StatusInterval
    #: the oldest first; the last one is the current state
    spans: tuple[StatePeriod, ...]

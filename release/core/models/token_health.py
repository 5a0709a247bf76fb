"""How a credential is, in one word; and what has changed with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from release.core.errors import Exit
from release.core.models.check_result import Outcome
from release.core.models.verdict import VerdictWord

#: a `Word`, made more precise where the cause is one that everybody asks for
TokenState = Literal["healthy", "warning", "expiring", "expired", "revoked", "broken", "unknown"]

_BY_CAUSE: Mapping[str, TokenState] = {
    "the-token-lasts": "expiring",
    "cred.expired": "expired",
    "tp.token-expired": "expired",
    "cred.revoked": "revoked",
}


def token_state(word: VerdictWord, cause: str) -> TokenState:
    """The state for a verdict; `cause` is the id of a known cause, or the name of the check that warned."""
    named = _BY_CAUSE.get(cause)
    fits = named is not None and (word == "broken") == (named in {"expired", "revoked"}) and word != "unknown"
    return named if named is not None and fits and word != "healthy" else word


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus:
    """What one run saw of one credential: what the history keeps. Without secrets."""

    index: str
    upload_url: str
    #: None where the account alone was asked about
    project: str | None
    #: where the credential lives, for a reader
    place: str
    #: 8 hex digits; empty where there was no credential
    fingerprint: str
    #: empty where the token could not be read
    identifier: str
    #: what it may upload to, in words; empty where nobody could tell
    scope: str
    #: aware, UTC; None where it shows no end
    expires: datetime | None
    word: VerdictWord
    state: TokenState
    #: id of the root cause, or the name of the check that warned; empty where all is well
    cause: str
    message: str
    remedy: str
    #: check → how it ended: "passed", "warned", "failed", …
    checks: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What it is about, for a reader."""
        return f"{self.index}, {self.project or 'the account'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """Something that is to be told of one credential."""

    #: the history's number for what is watched: an index, a project, a place
    watch: int
    #: "worse", "healed", "otherwise" (from one trouble to another), "reminder" (nothing new, told again)
    kind: Literal["worse", "healed", "otherwise", "reminder"]
    #: what was told of it last; "healthy" where nothing was
    before: TokenState
    now: TokenStatus
    #: since when it is so; aware, UTC
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """What is wanted of a token."""

    #: how old a token may become; None: as old as it likes
    rotate_after: timedelta | None = timedelta(days=180)
    #: how long before its end a token is to be replaced
    warn_before: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """One credential, as it is told."""

    seen: TokenStatus
    #: of the checks that did not pass
    outcomes: tuple[Outcome, ...]
    #: None where nobody knows
    age: timedelta | None
    #: None where it shows no end
    left: timedelta | None
    #: how far the index's clock is ahead of this machine's; None if it was not measured
    skew: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """A run over all that is watched."""

    #: in the order in which they are listed
    rows: tuple[TokenReport, ...]
    #: whether it was ended before all was looked at
    interrupted: bool = False
    offline: bool = False
    #: what is to be told beside the tokens: a clock that is wrong, a history that was damaged
    notes: tuple[str, ...] = ()
    #: why this run is not remembered, and what to do about it; None where it is
    forgotten: tuple[str, str] | None = None
    #: where the history is
    history: str = ""

    def status(self, *, strict: bool) -> Exit:
        """The exit status; `strict` makes warnings failures."""
        words = {row.seen.word for row in self.rows}
        if "broken" in words or (strict and "warning" in words):
            return Exit.REFUSED
        if "unknown" in words or not self.rows:
            return Exit.UNKNOWN
        return Exit.WARNED if "warning" in words else Exit.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInterval:
    """A credential that was the same for some time."""

    seen: TokenStatus
    #: what it was before; None where nothing was known
    before: TokenState | None
    #: aware, UTC, like the next
    since: datetime
    last_seen: datetime
    #: how often it was looked at in that time
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePeriod:
    """A state of one credential, for as long as it lasted."""

    state: TokenState
    since: datetime
    last_seen: datetime
    #: check → how it ended in the last look of that time
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTimeline:
    """One credential: how it is, and how it was."""

    now: StatusInterval
    #: the oldest first; the last one is how it is
    spans: tuple[StatePeriod, ...]

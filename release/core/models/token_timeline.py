"""The health of a token over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from release.core.models.token_health import TokenState, TokenStatus


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

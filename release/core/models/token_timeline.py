"""The health of a token over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from release.core.models.token_health import Seen, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A credential that was the same for some time."""

    seen: Seen
    #: what it was before; None where nothing was known
    before: State | None
    #: aware, UTC, like the next
    since: datetime
    last_seen: datetime
    #: how often it was looked at in that time
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A state of one credential, for as long as it lasted."""

    state: State
    since: datetime
    last_seen: datetime
    #: check → how it ended in the last look of that time
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One credential: how it is, and how it was."""

    now: Interval
    #: the oldest first; the last one is how it is
    spans: tuple[Span, ...]

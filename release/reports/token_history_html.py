"""The history of tokens as one HTML page: their states over time, problems, and the last result of each check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from release.core.models.token_health import StatePeriod, TokenTimeline
from release.core.time_text import format_count
from release.reports.record_text import CHECK_STATES, Level
from release.reports.templating import render_page
from release.reports.token_health_text import WORST_FIRST, counts_to_text

_LEVELS: Mapping[str, Level] = {
    "healthy": "good", "warning": "warn", "expiring": "warn", "expired": "bad", "revoked": "bad", "broken": "bad",
    "unknown": "calm",
}  # fmt: skip
_LEGEND: Sequence[tuple[str, Level]] = (
    ("healthy", "good"), ("warning, expiring", "warn"), ("broken, revoked, expired", "bad"), ("unknown", "calm"),
)  # fmt: skip
#: pixels: the height of a strip, and of its bars. Worse states are higher too, for monochrome print and color blindness
_STRIP = 18
_HEIGHTS: Mapping[Level, int] = {"good": 6, "calm": 2, "warn": 11, "bad": 18}
#: the longest and shortest time that the strips cover
_LONGEST, _SHORTEST = timedelta(days=90), timedelta(days=1)
#: a credential that was not checked for this long is shown with the date of its last check
_STALE = timedelta(days=14)
#: states of a check that ran
_RAN = {"passed", "warned", "failed", "waived"}


def token_history_page(strips: Sequence[TokenTimeline], *, now: datetime) -> str:
    """The page as of `now` (aware, UTC), the worst first."""
    ranked = sorted(
        strips, key=lambda one: (WORST_FIRST.index(one.now.seen.word), one.now.seen.about, one.now.seen.place)
    )
    first = min((span.since for one in strips for span in one.spans), default=now)
    start = max(now - _LONGEST, min(first, now - _SHORTEST))  # the left end of all strips
    counts = counts_to_text(one.now.seen.word for one in strips) or "the history is empty"
    worst = ranked[0].now.seen.word if ranked else "unknown"
    last = max((one.now.last_seen for one in strips), default=None)
    return render_page(
        "tokens.html", title=f"Token health: {counts}", counts=counts, level=_LEVELS[worst], start=start, now=now,
        times=f"last check {_minute(last)}, page created {_minute(now)}" if last else "run: pypi-preflight tokens",
        rows=[_row(one, start=start, now=now) for one in ranked],
        height=_STRIP, heights=_HEIGHTS, legend=_LEGEND,
    )  # fmt: skip


def _row(one: TokenTimeline, *, start: datetime, now: datetime) -> Mapping[str, object]:
    seen, shown = one.now.seen, list(_visible_spans(one, start, now))
    states = "; ".join(f"{span.state} since {_minute(span.since)}" for span, _ in shown) or "not checked in this period"
    return {
        "seen": seen, "level": _LEVELS[seen.state],
        "left": _left(one, now), "bars": [_bar(span, end, start, now) for span, end in shown], "description": states,
        "facts": _facts(one), "checks": [_check(one, name) for name in seen.checks],
    }  # fmt: skip


def _left(one: TokenTimeline, now: datetime) -> str:
    expires = one.now.seen.expires
    if now - one.now.last_seen > _STALE:
        return f"on {one.now.last_seen:%Y-%m-%d}"
    if expires is None:
        return ""
    days = (expires - now) // timedelta(days=1)
    return "expired" if expires <= now else f"{format_count(days, 'day')} left"


def _facts(one: TokenTimeline) -> list[tuple[str, str | None]]:
    seen = one.now.seen
    return [
        ("Since", _minute(one.now.since)),
        ("Last seen", f"{_minute(one.now.last_seen)} ({one.now.count} times)"),
        ("Expires", _minute(seen.expires) if seen.expires else None),
        ("Scope", seen.scope), ("Identifier", seen.identifier), ("Fingerprint", seen.fingerprint),
    ]  # fmt: skip


def _check(one: TokenTimeline, name: str) -> tuple[str, Level, str, str]:
    """Name, level, mark and last result of a check: one that does not apply today may have run before."""
    ran = next((span for span in reversed(one.spans) if span.checks.get(name) in _RAN), None)
    state = ran.checks[name] if ran else one.now.seen.checks[name]
    level, mark = CHECK_STATES.get(state, ("bad", "?"))
    return name.replace("-", " "), level, mark, f"{state}, {_minute(ran.last_seen)}" if ran else f"{state}, never run"


def _visible_spans(one: TokenTimeline, start: datetime, now: datetime) -> Iterator[tuple[StatePeriod, datetime]]:
    """The spans and their ends. Each ends where the next begins; the last, at the last check."""
    ends = [span.since for span in one.spans[1:]] + [one.now.last_seen]
    return ((span, min(end, now)) for span, end in zip(one.spans, ends, strict=True) if end >= start)


def _bar(span: StatePeriod, end: datetime, start: datetime, now: datetime) -> tuple[str, str, int, Level]:
    left = min(max((span.since - start) / (now - start) * 100, 0.0), 99.5)
    width = min(max((end - start) / (now - start) * 100 - left, 0.5), 100 - left)
    level = _LEVELS[span.state]
    return f"{left:.2f}%", f"{width:.2f}%", _HEIGHTS[level], level


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"

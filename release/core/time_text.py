"""Times, durations and counts as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta

_MINUTE, _HOUR = 60, 3600


def format_time(moment: datetime) -> str:
    """An aware UTC time: "2026-11-24 18:36 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def format_duration(seconds: float) -> str:
    """A duration with about two significant parts: "0.3 s", "12 s", "2 min 5 s", "13 min", "2 h"."""
    if seconds < 10 and seconds != int(seconds):  # noqa: PLR2004 - tenths matter up to here
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < 10 * _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole / _MINUTE:.0f} min" if whole < 100 * _MINUTE else f"{whole / _HOUR:.0f} h"


def format_lifetime(length: timedelta) -> str:
    """A duration as people plan with it, rounded down: "13 days", "5 h", "7 min"."""
    seconds = int(length.total_seconds())
    if seconds >= 2 * 24 * _HOUR:
        return f"{seconds // (24 * _HOUR)} days"
    return f"{seconds // _HOUR} h" if seconds >= 2 * _HOUR else f"{seconds // _MINUTE} min"


def format_count(number: int, noun: str) -> str:
    """A number of things: `1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

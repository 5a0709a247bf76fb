"""Times, durations and counts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from release.core.time_text import format_count, format_duration, format_lifetime, format_time


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.04, "0.0 s"),
        (0.3, "0.3 s"),
        (9.96, "10.0 s"),
        (9, "9 s"),
        (10.0, "10 s"),
        (10.4, "10 s"),
        (59.4, "59 s"),
        (59.5, "1 min 0 s"),
        (60, "1 min 0 s"),
        (125, "2 min 5 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (779, "13 min"),
        (5999, "100 min"),
        (6000, "2 h"),
        (7200, "2 h"),
        (9360.4, "3 h"),
    ],
)
def test_a_duration(seconds: float, expected: str) -> None:
    assert format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(days=13, hours=23), "13 days"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1, hours=23, minutes=59), "47 h"),
        (timedelta(hours=5, minutes=59), "5 h"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=1, minutes=59, seconds=59), "119 min"),
        (timedelta(minutes=7, seconds=59), "7 min"),
        (timedelta(seconds=59), "0 min"),
    ],
)
def test_a_lifetime_is_rounded_down(length: timedelta, expected: str) -> None:
    assert format_lifetime(length) == expected


def test_a_time_and_a_count() -> None:
    assert format_time(datetime(2026, 11, 4, 8, 6, 59, tzinfo=UTC)) == "2026-11-04 08:06 UTC"
    assert [format_count(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]

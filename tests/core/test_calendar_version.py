"""Versions with the date: which versions have one, and what follows."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version

from release.core.calendar_version import find_calendar_form
from release.core.errors import UsageError
from release.core.models.preparation import CommitSummary, EarlierVersion
from release.core.next_version import propose_version

TODAY = date(2026, 11, 28)


def earlier(text: str) -> list[EarlierVersion]:
    """Of "2026.10@2026-10-03 2026.9"."""
    pairs = [one.partition("@") for one in text.split()]
    return [EarlierVersion(text=one[0], released=date.fromisoformat(one[2]) if one[2] else None) for one in pairs]


def following(released: str, wish: str | None = None, *subjects: str, current: str = "", today: date = TODAY) -> str:
    known = earlier(released)
    version = Version(current or known[0].text)
    commits = [CommitSummary(commit="a" * 40, subject=one) for one in subjects or ["Add a"]]
    return propose_version(version, commits, wish, today=today, released=known).text


@pytest.mark.parametrize(
    ("released", "expected"),
    [
        # the year and the month
        ("2026.10", "2026.11"),
        ("2026.11 2026.10", "2026.11.1"),
        ("2026.11.1 2026.11 2026.10", "2026.11.2"),
        ("2026.10.1 2026.10", "2026.11"),
        ("2026.05 2026.04", "2026.11"),
        ("2026.11.0 2026.9.0", "2026.11.1"),
        ("26.10.3@2026-10-30 26.10.2@2026-10-02 26.8.0@2026-08-01", "26.11.0"),
        ("26.11.0 26.9.0 26.8.0", "26.11.1"),
        ("26.10.1@2026-10-02 25.12.1@2025-12-24", "26.11.1"),  # its counter begins with 1
        ("2026.10.1.0", "2026.11.1.0"),
        # and the day
        ("2026.11.27", "2026.11.28"),
        ("2026.11.28", "2026.11.28.1"),
        ("2026.09.04 2026.08.31", "2026.11.28"),
        ("26.11.3@2026-11-03 26.10.28@2026-10-28", "26.11.28"),
        ("20261127", "20261128"),
        # the year alone: what follows is a counter
        ("2026.2@2026-06-01 2026.1@2026-02-01 2025.2@2025-03-26", "2026.3"),
        ("2025.2@2025-03-26 2025.1@2025-01-15", "2026.1"),
        ("25.3@2025-10-24 25.2@2025-07-30 25.0@2025-01-26", "26.0"),
        ("26.1.1@2026-05-04 26.1@2026-04-25 26.0@2026-01-30", "26.1.2"),
        ("2025.14.2", "2026.0.0"),
        ("2026.0.1 2026.0.0", "2026.0.2"),
        # of the future
        ("2026.12.0", "2026.12.1"),
        # a pre-release leads to its release
        ("2026.11.0rc1", "2026.11.0"),
        ("2026.10.0rc1", "2026.10.0"),
    ],
)
def test_what_follows(released: str, expected: str) -> None:
    assert following(released) == expected


@pytest.mark.parametrize(
    "released",
    [
        "1.1.0",
        "20.31.2@2026-09-02 20.31.1@2026-07-01 20.30.0@2026-01-20",  # a major version that is like a year
        "26.0.0@2026-10-01 25.4.0@2026-06-01 25.0.0@2026-03-01 24.0@2025-12-01",
        "26.1.0 25.0.0 24.0.0 23.0 22.0 21.0 20.0 19.0 18.0 17.0 16.0 15.0",  # only the newest are known
        "20.1.0",
        "3000.1",
        "1!2026.11.0",
        "11.0 10.0 9.0",
    ],
)
def test_what_is_no_date(released: str) -> None:
    known = earlier(released)
    if released.startswith("26.1.0"):
        known += earlier("14.0 13.0 12.0 11.0 10.0 9.0 8.0")
    assert find_calendar_form(Version(known[0].text), known, TODAY) is None


def test_words() -> None:
    assert following("26.10.3", "patch") == "26.10.4", "of the version, not of the day"
    assert following("2026.11.28", "patch") == "2026.11.28.1"
    assert following("26.10.3", "pre") == "26.11.0rc1"
    assert following("26.11.0rc1", "pre") == "26.11.0rc2"
    assert following("26.10.3", "dev") == "26.11.0.dev1"
    assert following("2026.1.0 2026.0.0 2025.0.0", "minor") == "2026.2.0"
    for released, word in (("26.10.3", "minor"), ("2026.11.28", "major"), ("2026.1.0 2026.0.0", "major")):
        with pytest.raises(UsageError, match=f"'{word}' does not apply to versions that are dates"):
            following(released, word)


def test_the_remedy_is_a_date() -> None:
    for released, remedy in (
        ("2026.9.4 2026.8.31", "2026.11.28"),
        ("26.11.0 26.9.0", "26.11.1"),
        ("2026.2 2026.1", "2026.3"),
    ):
        with pytest.raises(UsageError) as error:
            following(released, "2.0")
        assert error.value.remedy == f"pypi-preflight prepare {remedy}"


def test_commits_and_current_versions() -> None:
    assert following("2026.1.0 2026.0.0 2025.0.0", None, "feat: a") == "2026.2.0"
    assert following("2026.1.0 2026.0.0 2025.0.0", None, "fix!: a") == "2026.2.0", "the first part is the year"
    assert following("26.10.0", None, "feat!: a") == "26.11.0"
    assert following("26.10.0 26.8.0", current="26.11.0") == "26.11.0", "set already"
    assert following("26.8.0 26.7.0", current="26.10.0") == "26.11.0", "set in another month"
    assert following("26.10.0 26.8.0", current="26.11.0.dev0") == "26.11.0"
    assert following("26.8.0 26.7.0", current="26.9.0.dev0") == "26.11.0"
    assert following("2026.06.04 2026.05.31", today=date(2026, 12, 1)) == "2026.12.01"


@pytest.mark.parametrize(
    ("current", "length", "start"),
    [
        ("20261128", 1, ()), ("20261128.1", 1, (1,)), ("2026.0", 1, (0,)), ("2026.11", 2, ()), ("26.11.0", 2, (0,)),
        ("2026.11.28", 3, ()),
    ],
)  # fmt: skip
def test_which_parts_are_the_date(current: str, length: int, start: tuple[int, ...]) -> None:
    form = find_calendar_form(Version(current), earlier(current), TODAY)
    assert form is not None
    assert (form.length, form.start) == (length, start)


@pytest.mark.parametrize(
    ("current", "released", "is_date"),
    [
        ("25.0", "", True),
        ("24.0", "", False),
        ("27.0", "", False),
        ("9.0", "", False),
        ("26.0", "25.0 24.0", True),
        ("26.0", " ".join(f"{number}.0" for number in range(25, 8, -1)), False),
        ("26.0", " ".join(f"{number}.0" for number in range(25, 9, -1)), True),
        ("25.0", " ".join(f"{number}.0" for number in range(24, 9, -1)), True),
    ],
)
def test_two_digits_without_dates_are_a_year_near_that_of_today(current: str, released: str, *, is_date: bool) -> None:
    form = find_calendar_form(Version(current), earlier(released) if released else [], TODAY)
    assert (form is not None) is is_date

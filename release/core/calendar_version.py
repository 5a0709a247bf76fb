"""Calendar versions: `2026.11`, `26.11.0`, `2026.11.28`, `2026.2.1` (a counter after the year), `20261128`.

The form is not declared anywhere: it is read from the current version and the released ones, with their dates where
they are known. Source: calver.org, "Scheme". Observed: bumpver 2026.1132, 2026-11: YY.MM.PATCH leads from 26.10.3 to
26.11.0 in November, and to 26.11.1 from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from release.core.models.preparation import EarlierVersion
from release.core.version_parts import final_release, is_before_release, make_version

#: four digits are a year from here on
_FIRST_YEAR = 1990
#: two digits are a year from here on: 2010
_FIRST_SHORT_YEAR = 10
_CENTURY = 2000
_MONTHS = range(1, 13)
_DAYS = range(1, 32)
#: as a number: 20261128
_WHOLE_DATES = range(19900101, 21000000)
#: the newest of the released versions that count
_NEWEST = 12
#: majors before the newest one whose dates must agree, where two digits may be a year
_RECENT = 2


class CalendarForm(Struct, frozen=True, kw_only=True):
    """How a project's versions have the date."""

    #: the parts that are the date, of a day: (2026,), (26, 11), (2026, 11, 28), (20261128,)
    date_of: Callable[[date], tuple[int, ...]]
    #: how many these are
    length: int
    #: what follows the date in the first version of a day, month or year: (), (0,), (1, 0)
    start: tuple[int, ...]

    @property
    def is_yearly(self) -> bool:
        """Whether only the year is of the calendar, and counters follow it."""
        return self.date_of is _year or self.date_of is _short_year


def find_calendar_form(current: Version, released: Sequence[EarlierVersion], today: date) -> CalendarForm | None:
    """The form of a project's calendar versions; None if it has others. `released`: the newest first."""
    known = [(version, one) for one in released if (version := _parse(one.text))]
    first = current.release[0]
    if current.epoch:
        return None
    if first in _WHOLE_DATES:
        return _with_start(_whole, 1, current, known[:_NEWEST])
    long = _FIRST_YEAR <= first <= today.year + 1
    if not long and not _is_short_year(first, known, today):
        return None
    alike = [(version, one) for version, one in known[:_NEWEST] if len(str(version.release[0])) == len(str(first))]
    if not _is_month([(current, None), *alike]):
        return _with_start(_year if long else _short_year, 1, current, alike)
    if _is_day([(current, None), *alike]):
        return _with_start(_day if long else _short_day, 3, current, alike)
    return _with_start(_month if long else _short_month, 2, current, alike)


def next_calendar_version(form: CalendarForm, current: Version, today: date) -> Version | None:
    """The version of today; None if the current one, released, is of the same year in a form with a counter only.

    In the same month or day the counter goes up: 26.11.0 leads to 26.11.1, 2026.11 to 2026.11.1. A pre-release leads to
    its release, on any date. A version of the future is continued.
    """
    period = form.date_of(today)
    if current.pre is not None:
        return final_release(current)
    if period > current.release[: form.length]:
        return make_version(0, (*period, *form.start))
    if is_before_release(current):
        return final_release(current)
    return None if form.is_yearly else raise_counter(form, current)


def raise_counter(form: CalendarForm, current: Version) -> Version:
    """The next version with the same date."""
    if is_before_release(current):
        return final_release(current)
    *start, last = current.release
    release = (*start, last + 1) if len(current.release) > form.length else (*current.release, 1)
    return make_version(0, release)


def _year(day: date) -> tuple[int, ...]:
    return (day.year,)


def _short_year(day: date) -> tuple[int, ...]:
    return (day.year - _CENTURY,)


def _month(day: date) -> tuple[int, ...]:
    return day.year, day.month


def _short_month(day: date) -> tuple[int, ...]:
    return day.year - _CENTURY, day.month


def _day(day: date) -> tuple[int, ...]:
    return day.year, day.month, day.day


def _short_day(day: date) -> tuple[int, ...]:
    return day.year - _CENTURY, day.month, day.day


def _whole(day: date) -> tuple[int, ...]:
    return (int(f"{day:%Y%m%d}"),)


_Known = Sequence[tuple[Version, EarlierVersion | None]]


def _is_short_year(first: int, known: _Known, today: date) -> bool:
    """Whether two digits are a year: where they agree with the dates, or, without dates, with the year of today.

    A project that has counted up to there (…, 24, 25, 26 within a year, or 9, 10, 11, …) does not agree.
    """
    if not _FIRST_SHORT_YEAR <= first <= today.year - _CENTURY:
        return False
    recent = [(version, one) for version, one in known if version.release[0] >= first - _RECENT]
    agree = list(_agreements(recent, lambda version, day: version.release[0] + _CENTURY == day.year))
    if agree:
        return _mostly(agree)
    majors = {version.release[0] for version, _ in known} | {first}
    start = first
    while start - 1 in majors:
        start -= 1
    return start >= _FIRST_SHORT_YEAR and first >= today.year - _CENTURY - 1


def _is_month(known: _Known) -> bool:
    """Whether the second part is the month."""
    long = [(version, one) for version, one in known if len(version.release) > 1]
    if not long or any(version.release[1] not in _MONTHS for version, _ in long):
        return False
    agree = list(_agreements(long, lambda version, day: version.release[1] == day.month))
    return _mostly(agree) if agree else _has_zeros(long, 1) or not _is_counter(long, 1)


def _is_day(known: _Known) -> bool:
    """Whether the third part is the day; the second one is the month. After two digits of the year it rarely is."""
    long = [(version, one) for version, one in known if len(version.release) > 2]  # noqa: PLR2004 - the third part
    if not long or any(version.release[2] not in _DAYS for version, _ in long):
        return False
    agree = list(_agreements(long, lambda version, day: version.release[2] == day.day))
    if agree:
        return _mostly(agree)
    return _has_zeros(long, 2) or (long[0][0].release[0] >= _FIRST_YEAR and not _is_counter(long, 2))


def _agreements(known: _Known, agrees: Callable[[Version, date], bool]) -> Iterator[bool]:
    """For each version with a date: whether it agrees with it, or with the day before or after: of time zones."""
    for version, one in known:
        if one is not None and one.released is not None:
            yield any(agrees(version, one.released + timedelta(days=days)) for days in (-1, 0, 1))


def _mostly(agree: Sequence[bool]) -> bool:
    """Whether at least four of five are true: a release may be late."""
    return 5 * sum(agree) >= 4 * len(agree)


def _has_zeros(known: _Known, at: int) -> bool:
    """Whether a part is spelled with leading zeros: "2026.06"."""
    texts = (one.text.replace("_", ".").split(".")[at : at + 1] for _, one in known if one is not None)
    return any(text[0].startswith("0") and text[0] != "0" for text in texts if text)


def _is_counter(known: _Known, at: int) -> bool:
    """Whether a part counts up, from 0 or 1 and without gaps, wherever the parts before it are the same.

    A lone 1 shows nothing for the second part, where the month is more usual, and a counter for the third.
    """
    groups: dict[tuple[int, ...], set[int]] = {}
    for version, _ in known:
        groups.setdefault(version.release[:at], set()).add(version.release[at])
    runs = all(min(group) <= 1 and len(group) == max(group) - min(group) + 1 for group in groups.values())
    return runs and (at > 1 or any(len(group) > 1 for group in groups.values()))


def _with_start(
    date_of: Callable[[date], tuple[int, ...]], length: int, current: Version, known: _Known
) -> CalendarForm:
    """The form, with what follows the date in the first version of the newest period."""
    releases = {current.release, *(version.release for version, _ in known)}
    newest = max(one[:length] for one in releases)
    first = min(one for one in releases if one[:length] == newest)[length:]
    return CalendarForm(
        date_of=date_of, length=length, start=tuple(_first_counter(one, at) for at, one in enumerate(first))
    )


def _first_counter(number: int, at: int) -> int:
    """A counter begins with 0 or 1, the later ones with 0."""
    return number if number <= 1 and not at else 0


def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None

"""When a job runs: a cron expression, read once, so that each platform can say it in its own words.

Source: POSIX, crontab(1); crontab(5) of Debian's cron for names, steps and the `@` words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from release.core.errors import UsageError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS = {
    "@hourly": "{minute} * * * *",
    "@daily": "{minute} 9 * * *",
    "@weekly": "{minute} 9 * * 1",
    "@monthly": "{minute} 9 1 * *",
}
#: days that are searched for the next run: 29 February may be eight years away
_HORIZON = 366 * 8 + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One of the five fields."""

    name: str
    least: int
    most: int
    #: values by name, the first one being `least`
    names: tuple[str, ...] = ()


_FIELDS = (
    Field(name="minute", least=0, most=59),
    Field(name="hour", least=0, most=23),
    Field(name="day of the month", least=1, most=31),
    Field(name="month", least=1, most=12, names=_MONTHS),
    Field(name="day of the week", least=0, most=7, names=_DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The times of a job. Each tuple is sorted and holds no value twice."""

    #: five fields
    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    #: 0 is Sunday
    weekdays: tuple[int, ...]

    @property
    def alternatives(self) -> tuple[tuple[tuple[int, ...] | None, tuple[int, ...] | None], ...]:
        """Days of the month and of the week, None for any: the job runs on a day that fits one of the pairs.

        Raises `UsageError` where the platforms that know cron do not agree on what is meant.
        """
        _, _, month_day, _, week_day = self.text.split()
        days = None if month_day == "*" else self.days
        weekdays = None if week_day == "*" else self.weekdays
        if days is None or weekdays is None:
            return ((days, weekdays),)
        if month_day.startswith("*") or week_day.startswith("*"):
            raise UsageError(
                f"{self.text!r} has a step in one field of days and names days in the other: either, or both at once?",
                remedy="list the days of one field, and leave the other at *",
            )
        return ((days, None), (None, weekdays))

    def after(self, now: datetime) -> datetime | None:
        """The first time after `now`, in the time zone of `now`; None where there is none, as on 30 February."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(_HORIZON):
            date = day + timedelta(days=number)
            if not self._on(date):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    time = date.replace(hour=hour, minute=minute)
                    if time > now:
                        return time
        return None

    def _on(self, date: datetime) -> bool:
        weekday = date.isoweekday() % 7
        return date.month in self.months and any(
            (days is None or date.day in days) and (weekdays is None or weekday in weekdays)
            for days, weekdays in self.alternatives
        )

    def any_of(self, name: str) -> bool:
        """Whether every value will do: of "minutes", "hours", "months"."""
        return len(getattr(self, name)) == {"minutes": 60, "hours": 24, "months": 12}[name]


def parse(every: str, seed: str) -> When:
    """`day`, `week`, or a cron expression. Raises `UsageError`, which names the field.

    `seed` chooses the minute where none is given, always the same: not everybody shall ask at once.
    """
    minute = 1 + int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 58
    word = {"day": "@daily", "week": "@weekly", "hour": "@hourly", "@midnight": "@daily"}.get(every, every)
    text = _WORDS[word].format(minute=minute) if word in _WORDS else every
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise UsageError(
            f"{every!r} says no times: neither day nor week nor the five fields of cron",
            remedy="give --every day, --every week, or minute, hour, day of the month, month, day of the week: "
            "--every '30 7 * * 1-5'",
        )
    minutes, hours, days, months, weekdays = (_values(part, field) for part, field in zip(parts, _FIELDS, strict=True))
    return When(
        text=" ".join(parts), minutes=minutes, hours=hours, days=days, months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
    )  # fmt: skip


def _values(text: str, field: Field) -> tuple[int, ...]:
    found = {value for part in text.split(",") for value in _range(part, field)}
    return tuple(sorted(found))


def _range(text: str, field: Field) -> Iterator[int]:
    matched = re.fullmatch(r"(?:(\*)|([a-zA-Z0-9]+)(?:-([a-zA-Z0-9]+))?)(?:/([0-9]+))?", text)
    if matched is None:
        raise _wrong(text, field)
    star, first, last, step = matched.groups()
    if step is not None and (int(step) == 0 or (first and not last)):
        raise _wrong(text, field)  # crons do not agree on what 5/15 means
    low, high = (field.least, field.most) if star else (_value(first, field), _value(last or first, field))
    if star and field.names == _DAYS:
        high = 6
    if low > high:
        raise _wrong(text, field)
    return iter(range(low, high + 1, int(step or 1)))


def _value(text: str, field: Field) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.least
    if not text.isdigit() or not field.least <= int(text) <= field.most:
        raise _wrong(text, field)
    return int(text)


def _wrong(text: str, field: Field) -> UsageError:
    names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return UsageError(
        f"{text!r} is no {field.name} that cron knows",
        remedy=f"use {field.least} to {field.most}{names}; with * , - and / as crontab(5) has them",
    )

"""Parse a cron expression, so that each scheduler can express its times in its own format.

Source: POSIX, crontab(1); crontab(5) of Debian's cron for names, steps and the `@` shorthands.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

from msgspec import Struct

from release.core.errors import UsageError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORTHANDS = {
    "@hourly": "{minute} * * * *",
    "@daily": "{minute} 9 * * *",
    "@weekly": "{minute} 9 * * 1",
    "@monthly": "{minute} 9 1 * *",
}


class CronField(Struct, frozen=True, kw_only=True):
    """One of the five fields of an expression."""

    name: str
    least: int
    most: int
    #: names of values, starting with `least`
    names: tuple[str, ...] = ()


_FIELDS = (
    CronField(name="minute", least=0, most=59),
    CronField(name="hour", least=0, most=23),
    CronField(name="day of the month", least=1, most=31),
    CronField(name="month", least=1, most=12, names=_MONTHS),
    CronField(name="day of the week", least=0, most=7, names=DAYS),
)


class CronExpression(Struct, frozen=True, kw_only=True):
    """The times of a job. Each tuple is sorted and has no duplicates."""

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
        """Pairs of days of the month and days of the week, None for any: the job runs on days that match a pair.

        Raises `UsageError` for an expression that implementations of cron interpret differently.
        """
        _, _, month_day, _, week_day = self.text.split()
        days = None if month_day == "*" else self.days
        weekdays = None if week_day == "*" else self.weekdays
        if days is None or weekdays is None:
            return ((days, weekdays),)
        if month_day.startswith("*") or week_day.startswith("*"):
            raise UsageError(
                f"{self.text!r} is ambiguous: it has a step in one day field and lists days in the other",
                remedy="list the days in one field, and use * in the other",
            )
        return ((days, None), (None, weekdays))

    def next_after(self, now: datetime) -> datetime | None:
        """Return the first time after `now`, in its time zone; None if there is none, such as for 30 February."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for number in range(366 * 8 + 2):  # 29 February can be eight years away
            date = day + timedelta(days=number)
            if not self._matches_day(date):
                continue
            for hour in self.hours:
                for minute in self.minutes:
                    time = date.replace(hour=hour, minute=minute)
                    if time > now:
                        return time
        return None

    def _matches_day(self, date: datetime) -> bool:
        weekday = date.isoweekday() % 7
        return date.month in self.months and any(
            (days is None or date.day in days) and (weekdays is None or weekday in weekdays)
            for days, weekdays in self.alternatives
        )

    def restricted(self, name: str) -> tuple[int, ...] | None:
        """Return the values of "minutes", "hours" or "months"; None if they are all possible ones."""
        values: tuple[int, ...] = getattr(self, name)
        return values if len(values) < {"minutes": 60, "hours": 24, "months": 12}[name] else None


def parse_cron(every: str, seed: str, *, option: str = "--every") -> CronExpression:
    """Parse `day`, `week`, or a cron expression, the value of `option`. Raises `UsageError`, which names the field.

    If no minute is given, it is derived from `seed`, so that not all jobs query the index at the same time.
    """
    minute = 1 + int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 58
    shorthand = {"day": "@daily", "week": "@weekly", "hour": "@hourly", "@midnight": "@daily"}.get(every, every)
    text = _SHORTHANDS[shorthand].format(minute=minute) if shorthand in _SHORTHANDS else every
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise UsageError(
            f"{every!r} is not a schedule: neither day nor week nor the five fields of cron",
            remedy=f"use {option} day, {option} week, or minute, hour, day of the month, month, day of the week: "
            f"{option} '30 7 * * 1-5'",
        )
    minutes, hours, days, months, weekdays = (
        tuple(sorted({value for part in text.split(",") for value in _range(part, field)}))
        for text, field in zip(parts, _FIELDS, strict=True)
    )
    return CronExpression(
        text=" ".join(parts), minutes=minutes, hours=hours, days=days, months=months,
        weekdays=tuple(sorted({day % 7 for day in weekdays})),
    )  # fmt: skip


def _range(text: str, field: CronField) -> range:
    matched = re.fullmatch(r"(?:(\*)|([a-zA-Z0-9]+)(?:-([a-zA-Z0-9]+))?)(?:/([0-9]+))?", text)
    if matched is None:
        raise _invalid(text, field)
    star, first, last, step = matched.groups()
    if star:
        low, high = field.least, 6 if field.names == DAYS else field.most
    else:
        low, high = _value(first, field), _value(last or first, field)
    # implementations of cron interpret 5/15 differently
    if low > high or (step is not None and (int(step) == 0 or (first and not last))):
        raise _invalid(text, field)
    return range(low, high + 1, int(step or 1))


def _value(text: str, field: CronField) -> int:
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.least
    if not text.isdigit() or not field.least <= int(text) <= field.most:
        raise _invalid(text, field)
    return int(text)


def _invalid(text: str, field: CronField) -> UsageError:
    names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return UsageError(
        f"{text!r} is not a valid {field.name}",
        remedy=f"use {field.least} to {field.most}{names}; with * , - and / as in crontab(5)",
    )

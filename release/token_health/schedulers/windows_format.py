"""A task for Windows' Task Scheduler.

Source: Microsoft, "Task Scheduler Schema"; the order of elements within a trigger is the schema's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from release.core.errors import UsageError
from release.token_health.schedulers.command import Job, one_line
from release.token_health.schedulers.cron_expression import When

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
#: triggers that a task may have. Source: Microsoft, "Task Scheduler Schema", triggersType
_MOST = 48
#: a trigger needs a first day; a fixed one, so that the same job makes the same text
_FIRST = "2026-01-01"


def path(job: Job) -> str:
    """How Task Scheduler calls the job."""
    return f"\\pypi-preflight\\{job.name}"


def task(job: Job, *, user: str | None) -> bytes:
    """The task as XML in UTF-16 with a mark, as schtasks wants it.

    It runs in the session of `user` (None: of whoever creates it), where the credential manager can be
    read, and makes up for a run that was missed. Raises `UsageError` for times that need too many triggers.
    """
    one_line(job, "a task")
    root = ET.Element("Task", {"version": "1.2", "xmlns": _NAMESPACE})
    _texts(_under(root, "RegistrationInfo"), {"Description": job.title, "URI": path(job)})
    _triggers(_under(root, "Triggers"), job.when)
    principal = ET.SubElement(_under(root, "Principals"), "Principal", {"id": "Author"})
    named = {"UserId": user} if user else {}
    _texts(principal, named | {"LogonType": "InteractiveToken", "RunLevel": "LeastPrivilege"})
    _texts(_under(root, "Settings"), _SETTINGS)
    run = ET.SubElement(ET.SubElement(root, "Actions", {"Context": "Author"}), "Exec")
    _texts(run, {"Command": _literal(job.argv[0]), "Arguments": _literal(arguments(job.argv[1:]))})
    ET.indent(root)
    text = '<?xml version="1.0" encoding="UTF-16"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


_SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "StartWhenAvailable": "true",
    "RunOnlyIfNetworkAvailable": "true",
    "Enabled": "true",
    "ExecutionTimeLimit": "PT1H",
    "Priority": "7",
}


def _triggers(parent: ET.Element, when: When) -> None:
    count = len(when.alternatives) * len(when.hours) * len(when.minutes)
    if count > _MOST:
        raise UsageError(
            f"{when.text!r} would need {count} triggers, and a task has up to {_MOST}",
            remedy="name fewer times a day: --every day, for one",
        )
    for days, weekdays in when.alternatives:
        for hour in when.hours:
            for minute in when.minutes:
                trigger = _under(parent, "CalendarTrigger")
                start = f"{_FIRST}T{hour:02d}:{minute:02d}:00"
                _texts(trigger, {"Enabled": "true", "StartBoundary": start, "RandomDelay": "PT15M"})
                _schedule(trigger, when, days, weekdays)


def _schedule(trigger: ET.Element, when: When, days: tuple[int, ...] | None, weekdays: tuple[int, ...] | None) -> None:
    some_months = not when.any_of("months")
    if weekdays is not None and some_months:
        schedule = _under(trigger, "ScheduleByMonthDayOfWeek")
        _texts(_under(schedule, "Weeks"), [("Week", week) for week in ("1", "2", "3", "4", "Last")])
        _flags(_under(schedule, "DaysOfWeek"), (_DAYS[day] for day in weekdays))
        _flags(_under(schedule, "Months"), (_MONTHS[month - 1] for month in when.months))
    elif weekdays is not None:
        schedule = _under(trigger, "ScheduleByWeek")
        _texts(schedule, {"WeeksInterval": "1"})
        _flags(_under(schedule, "DaysOfWeek"), (_DAYS[day] for day in weekdays))
    elif days is not None or some_months:
        schedule = _under(trigger, "ScheduleByMonth")
        _texts(_under(schedule, "DaysOfMonth"), (("Day", str(day)) for day in days or range(1, 32)))
        _flags(_under(schedule, "Months"), (_MONTHS[month - 1] for month in when.months))
    else:
        _texts(_under(trigger, "ScheduleByDay"), {"DaysInterval": "1"})


def arguments(words: Iterable[str]) -> str:
    """Words as one string that programs on Windows take apart again.

    Source: Microsoft, "Parsing C command-line arguments": a backslash is one, unless quotes follow.
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    inside = re.sub(r'(\\*)"', r'\1\1\\"', word)
    if word and not re.search(r"[ \t]", word):
        return inside
    return '"' + re.sub(r"(\\+)$", r"\1\1", inside) + '"'


def _literal(text: str) -> str:
    """The text, if Task Scheduler leaves it as it is. Raises `UsageError`."""
    if found := re.search(r"%[^%]+%|\$\(", text):
        raise UsageError(
            f"Task Scheduler would put something else in the place of {found[0]!r}, and has no way to quote it",
            remedy="rename the directory or file that has it in its name",
        )
    return text


def _under(parent: ET.Element, tag: str) -> ET.Element:
    return ET.SubElement(parent, tag)


def _texts(parent: ET.Element, texts: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
    for tag, text in texts.items() if isinstance(texts, Mapping) else texts:
        ET.SubElement(parent, tag).text = text


def _flags(parent: ET.Element, tags: Iterable[str]) -> None:
    for tag in tags:
        ET.SubElement(parent, tag)

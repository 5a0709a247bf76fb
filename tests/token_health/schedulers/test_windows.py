"""The task is of Task Scheduler's form, in its encoding, and its program gets back every word."""

from __future__ import annotations

import subprocess
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.errors import UsageError
from release.token_health.schedulers import windows
from tests.token_health.schedulers.sample_jobs import job

NS = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ARGV = (
    "C:\\Program Files\\Python\\pythonw.exe",
    "-m",
    "pypi_preflight.windows_task",
    "C:\\a b\\",
    'say "hi"',
    "50% é <&>",
)


def task(every: str = "30 7 * * *", **changed: Any) -> ET.Element:
    return ET.fromstring(  # noqa: S314 - our own
        windows.render_task(job(every, **{"argv": ARGV, **changed}), user="CORP\\ada").decode("utf-16")
    )


def names(element: ET.Element) -> list[str]:
    return [child.tag.removeprefix(NS) for child in element]


def find(element: ET.Element, path: str) -> ET.Element:
    found = element.find("/".join(f"{NS}{part}" for part in path.split("/")))
    assert found is not None, path
    return found


def test_the_text_is_utf_16_with_its_mark_as_schtasks_wants_it() -> None:
    data = windows.render_task(job(argv=ARGV), user=None)
    assert data.startswith(b"\xff\xfe<\x00")
    assert data.decode("utf-16").startswith('<?xml version="1.0" encoding="UTF-16"?>\r\n<Task version="1.2"')


def test_the_parts_are_the_schemas_in_its_order() -> None:
    root = task()
    assert names(root) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    (trigger,) = find(root, "Triggers")
    assert names(trigger) == ["Enabled", "StartBoundary", "RandomDelay", "ScheduleByDay"]
    assert find(root, "Principals/Principal/LogonType").text == "InteractiveToken"
    assert find(root, "Principals/Principal/UserId").text == "CORP\\ada"
    assert find(root, "Settings/StartWhenAvailable").text == "true"
    assert find(root, "Actions/Exec/Command").text == ARGV[0]
    assert find(root, "Actions/Exec/Arguments").text == subprocess.list2cmdline(ARGV[1:])


@given(st.lists(st.text(st.sampled_from(list('ab \\"\t')), max_size=8)))
def test_words_are_quoted_as_python_itself_does(words: list[str]) -> None:
    assert windows.join_arguments(words) == subprocess.list2cmdline(words)


@pytest.mark.parametrize(
    ("every", "starts", "schedule"),
    [
        ("30 7 * * *", ["07:30"], ["ScheduleByDay"]),
        ("0 9,17 * * *", ["09:00", "17:00"], ["ScheduleByDay"]),
        ("0 9 * * 1-5", ["09:00"], ["ScheduleByWeek"]),
        ("0 9 1 * *", ["09:00"], ["ScheduleByMonth"]),
        ("0 9 * 6 *", ["09:00"], ["ScheduleByMonth"]),
        ("0 9 * 6 mon", ["09:00"], ["ScheduleByMonthDayOfWeek"]),
        ("0 9 13 * fri", ["09:00", "09:00"], ["ScheduleByMonth", "ScheduleByWeek"]),
    ],
)
def test_each_time_of_a_day_is_a_trigger(every: str, starts: list[str], schedule: list[str]) -> None:
    triggers = list(find(task(every), "Triggers"))
    assert [find(one, "StartBoundary").text for one in triggers] == [f"2026-01-01T{start}:00" for start in starts]
    assert list(dict.fromkeys(names(one)[-1] for one in triggers)) == schedule


def test_days_and_months_are_named() -> None:
    month = find(task("0 9 1,15 6,12 *"), "Triggers/CalendarTrigger/ScheduleByMonth")
    assert [day.text for day in find(month, "DaysOfMonth")] == ["1", "15"]
    assert names(find(month, "Months")) == ["June", "December"]
    week = find(task("0 9 * * 0,6"), "Triggers/CalendarTrigger/ScheduleByWeek")
    assert names(find(week, "DaysOfWeek")) == ["Sunday", "Saturday"]
    weeks = find(task("0 9 * 6 mon"), "Triggers/CalendarTrigger/ScheduleByMonthDayOfWeek/Weeks")
    assert [week.text for week in weeks] == ["1", "2", "3", "4", "Last"]


@pytest.mark.parametrize(
    ("every", "argv", "said"),
    [
        ("*/10 * * * *", ARGV, "144 triggers"),
        ("0 9 * * *", ("C:\\%TEMP%\\x",), "'%TEMP%'"),
        ("0 9 * * *", ("x", "$(Arg0)"), "'$('"),
    ],
)
def test_what_a_task_can_not_say_is_refused(every: str, argv: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        windows.render_task(job(every, argv=argv), user=None)
    assert said in refused.value.message

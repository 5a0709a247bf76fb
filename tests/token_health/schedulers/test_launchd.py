"""launchd's list holds the job as it is, and its times."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers import cron_expression, launchd
from tests.token_health.schedulers.sample_jobs import TIMES, job


def test_the_list_has_every_word_as_it_was() -> None:
    found = plistlib.loads(launchd.render_plist(job()).encode())
    assert found["ProgramArguments"] == list(job().argv)
    assert found["EnvironmentVariables"] == job().env
    assert found["StandardOutPath"] == found["StandardErrorPath"] == job().log
    assert found["Label"] == "pypi-preflight.pypi-preflight-acme-0123abcd"


@pytest.mark.skipif(shutil.which("plutil") is None, reason="plutil is macOS'")
def test_plutil_accepts_it(tmp_path: Path) -> None:
    (tmp_path / "x.plist").write_text(launchd.render_plist(job()), encoding="utf-8")
    subprocess.run(["plutil", "-lint", str(tmp_path / "x.plist")], check=True)


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("30 7 * * 1,5", [{"Weekday": 1, "Hour": 7, "Minute": 30}, {"Weekday": 5, "Hour": 7, "Minute": 30}]),
        ("0 9 1 2 *", [{"Month": 2, "Day": 1, "Hour": 9, "Minute": 0}]),
        ("*/30 * * * *", [{"Minute": 0}, {"Minute": 30}]),
        ("0 9 13 * 5", [{"Day": 13, "Hour": 9, "Minute": 0}, {"Weekday": 5, "Hour": 9, "Minute": 0}]),
        ("* * * * *", [{}]),
    ],
)
def test_each_expression_is_a_list_of_entries(text: str, intervals: list[dict[str, int]]) -> None:
    assert launchd.calendar_intervals(cron_expression.parse_cron(text, "")) == intervals


@pytest.mark.parametrize("text", TIMES)
def test_the_times_are_read_back(text: str) -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    read = [one.next_after(now) for one in launchd.parse_plist_times(launchd.render_plist(job(text)).encode())]
    assert min(one for one in read if one) == cron_expression.parse_cron(text, "").next_after(now)


def test_times_without_end_and_lists_of_others_are_refused() -> None:
    with pytest.raises(UsageError, match="calendar intervals"):
        launchd.render_plist(job("*/2 8-20 * * *"))
    with pytest.raises(ReleaseError, match="cannot read"):
        launchd.parse_plist_times(b"no list")
    with pytest.raises(UsageError, match="cannot be written to a property list"):
        launchd.render_plist(job(argv=("a\x07",)))

"""systemd itself takes the units, and means the times that we mean."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release.core.errors import UsageError
from release.token_health.schedulers import cron_expression, systemd
from tests.token_health.schedulers.sample_jobs import ODD, TIMES, job

ANALYZE = shutil.which("systemd-analyze")
asks_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def analyze(*words: str, home: Path = Path("/")) -> str:
    env = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin", "SYSTEMD_LOG_TARGET": "console", "SYSTEMD_COLORS": "0"}
    env |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    done = subprocess.run([str(ANALYZE), *words], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def verified(directory: Path, odd: str, *, there: bool = True) -> str:
    """What systemd finds in the units of a job whose program and words lie under `odd`."""
    program = directory / odd / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755 if there else 0o644)
    made = job(argv=(str(program), "-m", "release", "--directory", str(program.parent), ODD))
    (directory / "x.service").write_text(systemd.render_service(made), encoding="utf-8")
    (directory / "x.timer").write_text(systemd.render_timer(made), encoding="utf-8")
    units = [str(directory / name) for name in ("x.service", "x.timer")]
    return analyze("verify", "--user", "--man=no", *units, home=directory)


@asks_systemd
@pytest.mark.parametrize("odd", ["plain", "100% of $HOME; <é>", 'it\'s "said"', "back\\slash", "trailing%"])
def test_systemd_finds_no_fault_with_the_units(tmp_path: Path, odd: str) -> None:
    assert "x." not in verified(tmp_path, odd)


@asks_systemd
@pytest.mark.parametrize("odd", ["plain", "100% of $HOME; <é>", "trailing%"])
def test_systemd_reads_the_path_of_the_program_as_it_is(tmp_path: Path, odd: str) -> None:
    """It names the path where it is no program."""
    with pytest.raises(AssertionError) as refused:
        verified(tmp_path, odd, there=False)
    assert f"Command {tmp_path / odd / 'python'} is not executable" in str(refused.value)


@asks_systemd
@pytest.mark.parametrize("text", TIMES)
def test_systemd_means_the_times_that_cron_means(text: str) -> None:
    """Its next time is ours."""
    made, now = cron_expression.parse_cron(text, ""), datetime(2026, 11, 24, 12, tzinfo=UTC)
    said = analyze("calendar", "--base-time=2026-11-24 12:00:00 UTC", *systemd.calendar_events(made))
    coming = [datetime.strptime(one, "%Y-%m-%d %H:%M:%S") for one in re.findall(r"elapse: \w+ (.*) UTC", said)]  # noqa: DTZ007 - UTC
    assert min(coming).replace(tzinfo=UTC) == made.next_after(now)


@pytest.mark.parametrize(("text", "lines"), TIMES.items())
def test_each_expression_is_said_in_systemds_words(text: str, lines: list[str]) -> None:
    assert list(systemd.calendar_events(cron_expression.parse_cron(text, ""))) == lines


def test_percent_signs_quotes_and_backslashes_are_what_they_were() -> None:
    text = systemd.render_service(job(argv=("/a b", '"', "100%", "c\\d", "$HOME"), env={}))
    assert 'ExecStart=:"/a b" "\\"" "100%%" "c\\\\d" "$HOME"\n' in text


def test_a_program_whose_path_systemd_would_not_take_is_run_by_a_shell() -> None:
    text = systemd.render_service(job(argv=("/it's/python", "-m"), env={}))
    assert """ExecStart=:"/bin/sh" "-c" "exec \\"$@\\"" "sh" "/it's/python" "-m"\n""" in text


def test_a_line_break_in_a_path_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written to a systemd unit"):
        systemd.render_service(job(argv=("/bin/x\nExecStart=/bin/y",)))


def test_a_missed_run_is_made_up_for_and_a_warning_is_no_failure() -> None:
    assert "Persistent=true\nRandomizedDelaySec=" in systemd.render_timer(job())
    service = systemd.render_service(job())
    assert "SuccessExitStatus=5\n" in service
    assert "AF_UNIX" in service, "the session bus is reached by one"
    assert "Private" not in service, "a namespace would hide the session bus"

"""The block is found again, and nothing else of a crontab is touched. `tests/stories/test_schedule.py` runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers import cron
from tests.token_health.schedulers.sample_jobs import ODD, job

LINES = st.lists(
    st.sampled_from(["MAILTO=a@example.org", "# mine", "", "0 4 * * * backup", "# >>> other >>>"]), max_size=6
)


@given(before=LINES, after=LINES)
def test_what_is_added_is_taken_away_and_all_else_is_as_it_was(before: list[str], after: list[str]) -> None:
    head, tail = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    added = cron.with_block(head, job())
    assert added == head + cron.render_block(job())
    there = added + tail
    assert cron.with_block(there, job()) == there
    moved = cron.with_block(there, job("1 2 3 4 *"))
    assert cron.times_of(moved, job().name) == "1 2 3 4 *"
    assert cron.without_block(moved, job().name) == head + tail


def test_two_jobs_stand_side_by_side() -> None:
    other = job(name="pypi-preflight-other-0")
    both = cron.with_block(cron.with_block("", job()), other)
    assert cron.without_block(both, job().name) == cron.render_block(other)
    assert cron.times_of(both, "pypi-preflight-none") is None


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_block_that_somebody_edited_is_left_to_them(broken: int) -> None:
    lines = cron.render_block(job()).splitlines(keepends=True)
    text = "".join(lines[1:]) if broken == 0 else "".join(lines[:-1]) if broken == 1 else "".join([*lines[:-1], *lines])
    with pytest.raises(ReleaseError, match="marks of"):
        cron.without_block(text, job().name)


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
def test_the_shell_gets_back_every_word(tmp_path: Path) -> None:
    r"""As cron hands it on, with `\%` for `%`."""
    log = tmp_path / "it's 100%.log"
    made = job(argv=("printf", "%s|", ODD, "a b", ""), env={"A": ODD}, log=str(log))
    text = cron.render_command(made)
    assert "%" not in text.replace("\\%", "")
    subprocess.run(["/bin/sh", "-c", text.replace("\\%", "%")], check=True)
    assert log.read_text() == f"{ODD}|a b||exit status 0\n"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"argv": ("a\nb",)}, "cannot be written to a crontab"),
        ({"argv": ("a\\b",)}, "backslash"),
        ({"argv": ("a" * 999,)}, "cron reads 998"),
    ],
)
def test_what_cron_can_not_say_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        cron.render_block(job(**changed))
    assert not cron.fits(job(**changed))

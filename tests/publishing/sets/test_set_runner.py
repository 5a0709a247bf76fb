"""A set's run ends and is recorded, whatever stops it."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from release.adapters.system import system as systems
from release.core.config import Config
from release.core.errors import Exit, ReleaseError
from release.core.events import CheckFinished, MemberFinished, SetEvent
from release.publishing import journal as journals
from release.publishing.sets.member_run import MemberRun
from release.publishing.sets.set_options import SetRunOptions
from release.publishing.sets.set_runner import execute_set
from tests.publishing.sets.made_sets import DIAMOND, release_set
from tests.repeated_commands import repeated


def options(root: Path, told: list[SetEvent]) -> SetRunOptions:
    return SetRunOptions(
        verb="check", directory=root, config=Config(), system=systems.real_system(), notify=told.append,
        approve=lambda *_: True, approve_new=lambda *_: None, command=repeated("pypi-preflight set check"),
    )  # fmt: skip


def test_a_fault_of_the_program_in_one_member_is_recorded_and_the_others_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(one: MemberRun) -> None:
        if one.name == "b":
            raise ZeroDivisionError("b is odd")

    told: list[SetEvent] = []
    monkeypatch.setattr(MemberRun, "check", check)
    result, document = execute_set(release_set(DIAMOND), options(tmp_path, told), ending=ExitStack())
    assert result.exit == Exit.REFUSED
    assert "b: internal error: test_set_runner.py:" in result.message
    assert "ZeroDivisionError: b is odd" in result.message
    assert document["exit"]["status"] == 1
    assert json.loads(Path(result.record).read_text(encoding="utf-8"))["exit"]["status"] == 1
    assert {one.member: one.status for one in told if isinstance(one, MemberFinished)}.keys() == DIAMOND.keys()
    checks = [one.outcome.check for one in told if isinstance(one, CheckFinished)]
    assert len(checks) == len(set(checks)) == len(result.outcomes)
    with journals.lock_set(tmp_path):
        pass


def test_an_interrupt_while_the_run_ends_does_not_lose_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def end(one: MemberRun, _reason: ReleaseError) -> None:
        if not ended:
            signal.raise_signal(signal.SIGINT)
        ended.append(one.name)

    monkeypatch.setattr(MemberRun, "check", lambda _: None)
    monkeypatch.setattr(MemberRun, "end", end)
    with ExitStack() as ending:
        result, _ = execute_set(release_set(DIAMOND), options(tmp_path, []), ending=ending)
    assert sorted(ended) == sorted(DIAMOND)
    assert json.loads(Path(result.record).read_text(encoding="utf-8"))["ended"]

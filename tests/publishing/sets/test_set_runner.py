"""A set's run ends and is recorded, whatever stops it."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system import system as systems
from release.core.config import Config
from release.core.errors import Exit, ReleaseError
from release.core.events import CheckFinished, MemberFinished, SetEvent, SetPhaseFinished, SetPhaseStarted
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


@pytest.mark.parametrize(
    ("failed", "because"),
    [("", "its set was refused"), ("a", "a failed"), ("abc", "a, b, c failed"), ("abcd", "a, b, c, … failed")],
)
def test_a_member_that_is_not_released_names_those_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: str, because: str
) -> None:
    reasons: dict[str, ReleaseError] = {}

    def check(one: MemberRun) -> None:
        if one.name in failed:
            one.failure = (None, ReleaseError("it fails", remedy="repair it"))

    monkeypatch.setattr(MemberRun, "check", check)
    monkeypatch.setattr(MemberRun, "end", lambda one, reason: reasons.update({one.name: reason}))
    execute_set(release_set(DIAMOND), options(tmp_path, []), ending=ExitStack())
    assert {one.message for one in reasons.values()} == {f"not released: {because}"}
    assert {one.remedy for one in reasons.values()} == {"run: pypi-preflight set check"}


@pytest.mark.parametrize(
    ("verb", "titles"),
    [
        ("check", ["check"]),
        ("rehearse", ["check", "rehearsal"]),
        (
            "release",
            ["check", "gate", "pypi, level 1 of 3", "pypi, level 2 of 3", "pypi, level 3 of 3", "push the commit"],
        ),
    ],
)
def test_the_phases_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: Any, titles: list[str]) -> None:
    """The commit is that of all members, so that it is pushed after the last one."""
    worked: list[tuple[str, str]] = []
    for name in ("check", "pass_gate", "push_commit"):
        monkeypatch.setattr(MemberRun, name, lambda one, name=name: worked.append((name, one.name)))
    monkeypatch.setattr(MemberRun, "publish", lambda one, index, _: worked.append((index, one.name)))
    monkeypatch.setattr(MemberRun, "publishes_on", lambda _, index: index == "pypi")
    monkeypatch.setattr(MemberRun, "lasting_indexes", lambda _: ("pypi",))
    monkeypatch.setattr(MemberRun, "pushes_commit", property(lambda one: one.name in {"b", "d"}))
    told: list[SetEvent] = []
    made = replace(options(tmp_path, told), verb=verb)
    execute_set(release_set(DIAMOND), made, ending=ExitStack())
    started = [one for one in told if isinstance(one, SetPhaseStarted)]
    assert [one.title for one in started] == titles
    assert [one.title for one in told if isinstance(one, SetPhaseFinished)] == titles
    assert set(started[0].members) == set(DIAMOND)
    if verb == "release":
        assert [set(one.members) for one in started[2:]] == [{"a", "e"}, {"b", "c"}, {"d"}, {"b", "d"}]
        assert [(one.index, one.level) for one in started[2:5]] == [("pypi", 1), ("pypi", 2), ("pypi", 3)]
        assert sorted(name for what, name in worked if what == "push_commit") == ["b", "d"]
        assert worked[-1][0] == "push_commit"


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

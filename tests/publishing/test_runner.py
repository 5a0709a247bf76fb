"""A run is opened once, journalled from its begin to its end, and ends with a result whatever happens."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.config import Config
from release.core.errors import Exit, ReleaseError
from release.core.events import Event
from release.core.facts import Source
from release.core.plan import Build, Plan, Step
from release.publishing import journal as journals
from release.publishing import runner
from release.publishing.journal import Journal
from release.publishing.plan_run import PlanRun
from release.publishing.recorder import load_record
from release.publishing.runner import RunOptions
from tests.fake_system import PROJECT, as_built, fake_system, files_in
from tests.repeated_commands import repeated

COMMIT = "c" * 40
PLAN = Plan(
    verb="build", project="acme-widget", version="1.0", commit=COMMIT, strict=True, steps=(Build(origin="journal"),)
)


def options(directory: Path, **more: Any) -> RunOptions:
    config = Config()
    source = Source(config=config, project=PROJECT, git=None, tag="v1.0", changelog=None)
    told: list[Event] = []
    given: dict[str, Any] = {
        "config": config, "source": source, "directory": directory, "system": fake_system(), "notify": told.append,
        "approve": lambda *_: True, "command": repeated("pypi-preflight build"),
    }  # fmt: skip
    return RunOptions(**given | more)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return journals.for_plan(PLAN, tmp_path)


def test_a_run_begins_and_ends_in_the_journal_and_in_the_record(tmp_path: Path, journal: Journal) -> None:
    files = files_in(journal.dist, "acme_widget-1.0.tar.gz")
    journal.write("built", files=as_built(files))
    result = runner.execute_plan(PLAN, options(tmp_path))
    assert (result.exit, result.files) == (Exit.DONE, files)
    first, last = list(journal.events())[1], list(journal.events())[-1]
    assert (first["event"], first["verb"], first["steps"]) == ("begun", "build", ["use the files of the last build"])
    assert (last["event"], last["verb"], last["exit"]) == ("ended", "build", 0)
    assert [one["exit"]["status"] for one in load_record(journal.record)["runs"]] == [0]


def test_a_failure_is_part_of_the_result(tmp_path: Path, journal: Journal) -> None:
    result = runner.execute_plan(PLAN, options(tmp_path))
    assert (result.exit, result.message) == (Exit.REFUSED, "nothing has been built")
    assert list(journal.events())[-1]["exit"] == 1
    assert load_record(journal.record)["runs"][0]["exit"]["status"] == 1


def test_two_runs_of_a_project_do_not_run_at_once(tmp_path: Path) -> None:
    with runner.open_run(PLAN, options(tmp_path)), pytest.raises(ReleaseError, match="another run is in progress"):
        runner.execute_plan(PLAN, options(tmp_path))
    runner.execute_plan(PLAN, options(tmp_path))  # the lock is free again


def test_a_plan_in_parts_begins_once(tmp_path: Path, journal: Journal) -> None:
    with runner.open_run(PLAN, options(tmp_path)) as run:
        assert run.execute(()) is None
        run.execute(())
        assert not [one for one in journal.events() if one["event"] == "ended"]
        run.end(None)
    assert [one["event"] for one in journal.events()] == ["begun", "ended"]


@pytest.mark.parametrize("event", ["begun", "ended"])
def test_a_full_disk_is_a_result_and_no_exception(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """Where the begin cannot be written, nothing is executed: its effects would be in no journal."""
    executed: list[Step] = []
    real: Callable[..., None] = Journal.write

    def write(self: Journal, name: str, **fields: Any) -> None:
        if name == event:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, name, **fields)

    def execute(_: PlanRun, steps: Any) -> None:
        executed.extend(steps)

    monkeypatch.setattr(Journal, "write", write)
    monkeypatch.setattr(PlanRun, "execute", execute)
    result = runner.execute_plan(PLAN, options(tmp_path))
    assert (result.exit, result.message) == (Exit.REFUSED, "no space left on the disk")
    assert executed == ([] if event == "begun" else list(PLAN.steps))


def test_an_interrupt_before_the_first_step_is_a_result_and_recorded(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., None] = Journal.write

    def write(self: Journal, name: str, **fields: Any) -> None:
        real(self, name, **fields)
        if name == "begun":
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "write", write)
    result = runner.execute_plan(PLAN, options(tmp_path))
    assert (result.exit, result.message) == (Exit.REFUSED, "interrupted")
    assert [one["event"] for one in journal.events()] == ["begun", "ended"]
    assert load_record(journal.record)["runs"][0]["exit"]["message"] == "interrupted"


def test_a_rehearsal_has_a_journal_of_its_own(tmp_path: Path) -> None:
    tree = replace(PLAN, verb="rehearse", steps=(Build(origin="tree"),))
    with runner.open_run(tree, options(tmp_path)) as run:
        assert run.state.journal.directory == tmp_path / ".release" / "rehearsal"

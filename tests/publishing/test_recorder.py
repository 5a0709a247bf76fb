"""The record on the disk: whole or not at all, never with a secret, never a reason for a release to fail."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.process import Completed
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import Exit, ReleaseError
from release.core.events import Event, Message, StepFinished, StepStarted
from release.core.models.build_requirement import BuildEnvironments, InstalledRequirement
from release.core.models.results import RunResult
from release.core.plan import Build
from release.core.secret import Secret
from release.publishing import journal, recorder
from tests import fake_tokens
from tests.runs import COMMIT, FILES, NOON, accepted, full, story
from tests.uploads import credential

EVENTS = (
    StepStarted(title="check the source"),
    StepFinished(title="check the source", status="done", note="", seconds=1),
)


def system(env: Mapping[str, str] | None = None) -> System:
    def run(*_: Any, **__: Any) -> Completed:
        raise ReleaseError("no programs here", remedy="none")

    return System(env=env or {}, home=Path(), now=lambda: NOON, sleep=lambda _: None, run=run)


def kept(tmp_path: Path, account: RunResult, *, env: Mapping[str, str] | None = None, secret: str = "") -> RunResult:
    told: list[Event] = []
    watch = recorder.RunRecorder(forward=told.append, system=system(env))
    for event in (
        StepStarted(title="check the source"),
        StepFinished(title="check the source", status="done", note="", seconds=1),
    ):
        watch.notify(event)
    made = recorder.record_run(
        account, watch, config=Config(), tag="v1.0", directory=tmp_path,
        journal=journal.for_release(tmp_path, version="1.0", commit=COMMIT),
        secrets=[credential(Secret(secret))] if secret else [],
    )  # fmt: skip
    assert told[:2] == [
        StepStarted(title="check the source"),
        StepFinished(title="check the source", status="done", note="", seconds=1),
    ]
    return replace(made, message=" ".join(one.text for one in told if isinstance(one, Message)))


def test_the_record_lies_beside_the_journals_of_its_version(tmp_path: Path) -> None:
    account = kept(tmp_path, story("check").result)
    path = tmp_path / ".release" / "1.0" / "record.json"
    assert account.record == str(path)
    assert journal.record_paths(tmp_path) == (path,)
    made = recorder.load_record(path)
    assert made["runs"][0]["begun"] == "2026-11-05T12:00:00.000Z"
    assert made["runs"][0]["steps"][0]["how"] == "done"
    assert list(path.parent.iterdir()) == [path]


def test_a_rehearsal_of_the_tree_has_its_own(tmp_path: Path) -> None:
    book = journal.for_rehearsal(tmp_path, version="1.0", commit=COMMIT)
    assert book.record == tmp_path / ".release" / "rehearsal" / "record.json"


def test_no_secret_is_in_it_or_in_the_job_summary(tmp_path: Path) -> None:
    """A token by its shape, in one piece or broken over lines; a password because the run used it."""
    token, password = fake_tokens.token(), "correct horse battery"
    words = f"the server said: {token[:60]}\n{token[60:]} and {password}"
    summary = tmp_path / "summary.md"
    told = story("check", exit=Exit.REFUSED, message=words, remedy=f"unset {password}").result
    kept(tmp_path, told, env={"GITHUB_STEP_SUMMARY": str(summary)}, secret=password)
    for path in (tmp_path / ".release" / "1.0" / "record.json", summary):
        text = path.read_text(encoding="utf-8")
        assert "the server said" in text
        assert password not in text
        assert token[:60] not in text
        assert token[60:] not in text


def test_the_summary_of_the_job_is_added_to(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    kept(tmp_path, story("check").result, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert summary.read_text().startswith("# Before\n")
    assert "acme-widget 1.0" in summary.read_text()


def test_a_record_that_cannot_be_written_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / ".release").mkdir()
    (tmp_path / ".release" / "1.0").write_text("a file where a directory belongs")
    account = kept(tmp_path, replace(story("check").result, record="journal.jsonl"))
    assert account.record == "journal.jsonl"
    assert "cannot write the record: " in account.message
    assert "None" not in account.message


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 7}', "\udcff"])
def test_a_record_that_cannot_be_read_is_put_aside(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".release" / "1.0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    kept(tmp_path, story("check").result)
    assert len(recorder.load_record(path)["runs"]) == 1
    assert (path.parent / "record.json.unreadable").exists()


def test_a_writer_that_is_stopped_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    recorder.write_record(path, full())
    before = path.read_bytes()

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        recorder.write_record(path, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_no_text_does_not_lose_the_record(tmp_path: Path) -> None:
    recorder.write_record(tmp_path / "record.json", {"name": "caf\udce9"})
    assert json.loads((tmp_path / "record.json").read_text())["name"] == "caf\udce9"


def test_the_tools_are_those_that_the_plan_needs(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["hatchling>=1.27"]\n')
    made = recorder.tool_versions(system(), tmp_path, story("publish").result.plan)
    assert made["build-system.requires"] == "hatchling>=1.27"
    assert {"python", "platform", "pypi-preflight", "build", "twine"} <= made.keys()
    assert made["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert "twine" not in recorder.tool_versions(system(), tmp_path, story("check").result.plan)


def test_the_tools_are_asked_for_their_versions_while_the_run_executes_its_steps(tmp_path: Path) -> None:
    account, watch = story("publish").result, recorder.RunRecorder(forward=lambda _: None, system=system())
    with ThreadPoolExecutor(1) as pool:
        watch.find_tools(pool, tmp_path, account.plan)
    assert watch.tools is not None
    assert watch.tools.result() == recorder.tool_versions(system(), tmp_path, account.plan)
    watch.tools = Future()
    watch.tools.set_result({"twine": "7.0.0"})
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    recorder.record_run(account, watch, config=Config(), tag=None, directory=tmp_path, journal=book, secrets=[])
    assert recorder.load_record(book.record)["runs"][0]["tools"] == {"twine": "7.0.0"}


def test_files_are_accepted_and_told(tmp_path: Path) -> None:
    account = story("publish", uploads={"pypi": accepted(*FILES)}).result
    kept(tmp_path, account)
    kept(tmp_path, story("check").result)
    made = recorder.load_record(tmp_path / ".release" / "1.0" / "record.json")
    assert [one["verb"] for one in made["runs"]] == ["publish", "check"]
    assert len(made["files"]) == len(FILES)


def test_a_job_summary_stays_below_the_limit_of_github(tmp_path: Path) -> None:
    """GitHub refuses all of a summary that has more than 1 MiB: what other steps wrote would be lost with ours."""
    path, limit = tmp_path / "summary.md", 1024 * 1024
    env = {"GITHUB_STEP_SUMMARY": str(path)}
    recorder.append_job_summary(env, lambda: "# Ours\n")
    assert path.read_text() == "# Ours\n"
    for there, text, grows in ((0, "ä" * (limit // 2), 0), (0, "x" * (limit - 1), limit - 1), (limit - 3, "abc", 0)):
        path.write_bytes(b"." * there)
        recorder.append_job_summary(env, lambda text=text: text)  # type: ignore[misc] # bound now
        assert path.stat().st_size - there == grows
    path.write_bytes(b"." * (limit - 4))
    recorder.append_job_summary(env, lambda: "abc")
    assert path.stat().st_size == limit - 1


def test_without_a_job_summary_its_text_is_not_made() -> None:
    for env in ({}, {"GITHUB_STEP_SUMMARY": ""}):
        recorder.append_job_summary(env, lambda: pytest.fail("nobody reads it"))


INSTALLED = BuildEnvironments(requirements=(InstalledRequirement(name="hatchling", version="1.27.0"),))


def given_files() -> RunResult:
    made = story("publish").result
    steps = (Build(origin="given"), *made.plan.steps[1:])
    return replace(made, plan=replace(made.plan, steps=steps))


@pytest.mark.parametrize(
    ("result", "listed"),
    [
        (story("build").result, True),
        (story("build", files=()).result, False),
        (story("check").result, False),
        (given_files(), False),
    ],
    ids=["built", "failed", "no build", "given files"],
)
def test_what_a_build_has_installed_is_listed_for_the_files_of_that_build(
    tmp_path: Path, result: RunResult, listed: bool
) -> None:
    """Files from another machine, or of a build that failed, were not made by what an earlier build has installed."""
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    book.write("built", files=[], **journal.environments_to_json(INSTALLED))
    kept(tmp_path, result)
    assert ("hatchling" in book.record.read_text()) is listed


def test_a_step_has_its_own_checks_and_its_end() -> None:
    told: list[Event] = []
    watch = recorder.RunRecorder(forward=told.append, system=system())
    watch.notify(Message(text="before any step"))
    watch.notify(EVENTS[1])
    assert watch.steps == []
    for event in (*EVENTS, StepStarted(title="build")):
        watch.notify(event)
    assert [(one.title, one.ended) for one in watch.steps] == [("check the source", EVENTS[1]), ("build", None)]
    assert len(told) == 5

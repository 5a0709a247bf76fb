"""A build runs while its caller does other things, and ends with it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builds import builder, rehearsed_version
from release.adapters.builds.rehearsed_version import NextVersion
from release.adapters.git import repository
from release.adapters.system.system import System, real_system
from release.adapters.system.temporary_directory import temporary_directory
from release.core.errors import ToolError
from release.core.events import Event, Message, Progress
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.distribution import Distribution
from release.core.models.interpreter import Interpreter, RequiredPython
from release.publishing import running_build
from release.publishing.running_build import EarlyBuild, RunningBuild
from tests.fake_system import SDIST, WHEEL, fake_system, files_in

LINES = ("* Building sdist...", "warning: no files found matching 'a.txt'", "copying a")


@pytest.fixture(autouse=True)
def _no_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "find_root", lambda *_: None)
    monkeypatch.setattr(rehearsed_version, "prepare_next_version", lambda *_: NextVersion())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "module.py").touch()
    return tmp_path / "project"


def builds(monkeypatch: pytest.MonkeyPatch, work: Callable[[System], object] = lambda _: None) -> None:
    """In the place of the build frontend: does some work, writes lines, and makes two files."""

    def build(system: System, _source: Path, into: Path, **options: Any) -> tuple[Distribution, ...]:
        options["ready"]()
        work(system)
        for line in LINES:
            options["on_line"](line)
        options["installed"](BuildEnvironments(requirements=(), unpinned=()))
        return files_in(into, WHEEL, SDIST)

    monkeypatch.setattr(builder, "build_distributions", build)


def running(system: System, directory: Path) -> RunningBuild:
    place = directory.with_name("built")
    return RunningBuild(system, directory, place, commit=None, scratch=directory.with_name)


def waiting_program(pid_file: Path) -> Callable[[System], object]:
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    return lambda system: system.run([sys.executable, "-c", code])


def wait_for_pid(pid_file: Path) -> int:
    pause = threading.Event()
    for _ in range(12000):
        with suppress(FileNotFoundError):
            if (text := pid_file.read_text()).endswith("\n"):
                return int(text)
        pause.wait(0.01)
    raise AssertionError("it does not start")


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_its_events_reach_the_caller_in_the_thread_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    builds(monkeypatch)
    told, threads = list[Event](), set[threading.Thread]()

    def notify(event: Event) -> None:
        told.append(event)
        threads.add(threading.current_thread())

    with running(fake_system(), directory) as build:
        done = build.result(notify)
    assert told == [Message(text=LINES[0], tool_output=True), Progress(text=LINES[1]), Progress(text=LINES[2])]
    assert threads == {threading.current_thread()}
    assert {file.filename for file in done.files} == {WHEEL, SDIST}
    assert len(done.warnings) == 1
    assert done.environments is not None


def test_the_failure_of_a_build_is_raised_where_its_result_is_asked_for_and_only_there(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    def fail(_: System) -> None:
        raise ToolError("the project does not build", remedy="correct it")

    builds(monkeypatch, fail)
    with running(fake_system(), directory) as build, pytest.raises(ToolError, match="does not build"):
        build.result(lambda _: None)
    with running(fake_system(), directory.rename(directory.with_name("again"))):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 0")
def test_what_a_build_runs_ends_when_its_caller_leaves(
    monkeypatch: pytest.MonkeyPatch, directory: Path, tmp_path: Path
) -> None:
    builds(monkeypatch, waiting_program(tmp_path / "pid"))
    with running(real_system(), directory):
        pid = wait_for_pid(tmp_path / "pid")
    assert not lives(pid)


def test_a_copy_of_the_tree_ends_when_its_caller_leaves(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    copied, leave = list[str](), threading.Event()

    def copy(old: str, _new: str, **_: object) -> None:
        copied.append(Path(old).name)
        leave.wait(60)

    (directory / "other.py").touch()
    monkeypatch.setattr(shutil, "copy2", copy)
    builds(monkeypatch)
    build = running(fake_system(), directory)
    threading.Timer(0.2, leave.set).start()
    build.stop()
    assert len(copied) <= 1


# -- a build that starts before the run -------------------------------------------------------------


def test_an_early_build_leaves_only_its_files_in_the_place_of_the_run(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    builds(monkeypatch)
    home = directory / ".release" / "rehearsal"
    with EarlyBuild(directory) as early:
        early.start(fake_system(), None)
        assert early.started
        done = early.result(home / "dist", lambda _: None)
    assert {file.path for file in done.files} == {home / "dist" / WHEEL, home / "dist" / SDIST}
    assert all(file.path.is_file() for file in done.files)
    assert [path.name for path in home.iterdir()] == ["dist"]


def test_the_source_of_an_early_build_is_removed_while_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    sources: list[Path] = []

    @contextmanager
    def recorded(**options: Any) -> Iterator[Path]:
        with temporary_directory(**options) as made:
            sources.append(made)
            yield made

    monkeypatch.setattr(running_build, "temporary_directory", recorded)
    builds(monkeypatch)
    with EarlyBuild(directory) as early:
        early.start(fake_system(), None)
        early.result(directory / ".release" / "rehearsal" / "dist", lambda _: None)
        for one in threading.enumerate():
            if one.name == "removal":
                one.join()
        assert [path.exists() for path in sources] == [False]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 0")
def test_an_early_build_that_is_not_needed_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, directory: Path, tmp_path: Path
) -> None:
    builds(monkeypatch, waiting_program(tmp_path / "pid"))
    with EarlyBuild(directory) as early:
        early.start(real_system(), None)
        pid = wait_for_pid(tmp_path / "pid")
    assert not lives(pid)
    assert list((directory / ".release" / "rehearsal").iterdir()) == []


def test_without_its_interpreter_or_a_place_it_does_not_start(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    builds(monkeypatch)
    here = Interpreter(path=Path(sys.executable), version=(3, 11, 0))
    missing = RequiredPython(specifier=">=4", declared_in="pyproject.toml", running=here, chosen=None)
    with EarlyBuild(directory) as early:
        early.start(fake_system(), missing)
        assert not early.started
        (directory / ".release").touch()
        early.start(fake_system(), None)
        assert not early.started


def test_an_early_build_starts_before_the_caller_goes_on(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """What the caller computes would delay the copy of the source."""
    copied = threading.Event()
    copy = shutil.copytree

    def slow_copy(*arguments: Any, **options: Any) -> Any:
        threading.Event().wait(0.2)
        place = copy(*arguments, **options)
        copied.set()
        return place

    monkeypatch.setattr(shutil, "copytree", slow_copy)
    builds(monkeypatch)
    with EarlyBuild(directory) as early:
        early.start(fake_system(), None)
        assert copied.is_set()


def test_a_build_that_fails_before_it_starts_lets_the_caller_go_on(
    monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    def no_copy(*_: object, **__: object) -> None:
        raise ToolError("no copy", remedy="copy it")

    builds(monkeypatch)
    monkeypatch.setattr(builder, "copy_project", no_copy)
    with running(fake_system(), directory) as build:
        build.wait_until_prepared()
        with pytest.raises(ToolError, match="no copy"):
            build.result(lambda _: None)

"""A build that runs in a thread of its own, while the caller collects facts and prepares the later steps."""

from __future__ import annotations

import queue
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from msgspec import Struct

from release.adapters.builds import backend_output, builder, rehearsed_version
from release.adapters.git import repository
from release.adapters.git.shared_answers import GitAnswers
from release.adapters.system.system import System, stoppable
from release.adapters.system.temporary_directory import temporary_directory, temporary_directory_in
from release.core.errors import ReleaseError
from release.core.events import Event, Message, Observer, Progress
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.distribution import Distribution
from release.core.models.interpreter import RequiredPython
from release.publishing import journal as journals

#: seconds between two checks; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1


class BuildOutcome(Struct, frozen=True, kw_only=True):
    """What a build has made."""

    files: tuple[Distribution, ...]
    #: of the build backend, about files; each once
    warnings: tuple[str, ...]
    #: what it has installed; None where that is unknown
    environments: BuildEnvironments | None


class RunningBuild:
    """One build, which starts at once; a context manager that ends it where it is not over.

    `commit`: None builds the directory in its current state. `scratch` returns a path that does not exist yet; the
    files are put into `into`.
    """

    def __init__(
        self, system: System, directory: Path, into: Path, *, commit: str | None, scratch: Callable[[str], Path]
    ) -> None:
        self._stop = threading.Event()
        self._system = stoppable(system, self._stop.is_set)
        self._directory, self._into, self._commit, self._scratch = directory, into, commit, scratch
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._future: Future[BuildOutcome] = Future()
        self._prepared = threading.Event()
        self._thread = threading.Thread(target=self._run, name="build", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End what it runs, and wait for that; nothing is raised of what it failed with."""
        self._stop.set()
        self._thread.join()

    def wait_until_prepared(self) -> None:
        """Wait until the source is copied and the build program starts, or the build is over.

        What this process computes meanwhile delays the copy, and with it the build, by far more than it takes itself:
        each file waits for the interpreter lock.
        """
        while not self._prepared.wait(_TICK):
            pass

    def result(self, notify: Observer) -> BuildOutcome:
        """Wait for the end of the build, and pass its events on. Raises what the build raises."""
        while True:
            try:
                event = self._events.get(timeout=_TICK)
            except queue.Empty:
                continue
            if event is None:
                return self._future.result()
            notify(event)

    def _run(self) -> None:
        try:
            self._future.set_result(self._build())
        except BaseException as error:  # noqa: BLE001 - raised where the caller waits for the result
            self._future.set_exception(error)
        self._events.put(None)
        self._prepared.set()

    def _build(self) -> BuildOutcome:
        if self._commit is not None:  # it may need another environment than the directory's current state
            found = self._prepare()
            return self._build_from(found.directory, lambda: found)
        with ThreadPoolExecutor(1) as pool:
            return self._build_from(self._directory, pool.submit(self._prepare).result)

    def _prepare(self) -> builder.ReadySource:
        """Make the copy that is built."""
        directory, epoch = prepare_source(self._system, self._directory, self._commit, self._scratch, copy=self._copy)
        version = rehearsed_version.NextVersion()
        if self._commit is None:
            version = rehearsed_version.prepare_next_version(self._system, directory)
        if version.text:
            self._events.put(Message(text=version.text))
        self._prepared.set()
        return builder.ReadySource(directory=directory, epoch=epoch, variables=version.variables)

    def _build_from(self, source: Path, ready: Callable[[], builder.ReadySource]) -> BuildOutcome:
        warnings: list[str] = []
        environments: list[BuildEnvironments] = []

        def on_line(line: str) -> None:
            """Show the steps of the build frontend, which start with a star; the rest is progress."""
            self._events.put(Message(text=line, tool_output=True) if line.startswith("* ") else Progress(text=line))
            warnings.extend(filter(None, [backend_output.file_warning(line)]))

        built = builder.build_distributions(
            self._system, source, self._into, epoch=None, on_line=on_line, copy_of=self._directory, ready=ready,
            installed=environments.append,
        )  # fmt: skip
        return BuildOutcome(
            files=built,
            warnings=tuple(dict.fromkeys(warnings)),
            environments=environments[-1] if environments else None,
        )

    def _copy(self, old: str, new: str, *, follow_symlinks: bool = True) -> object:
        if self._stop.is_set():
            raise ReleaseError("stopped", remedy="")
        return shutil.copy2(old, new, follow_symlinks=follow_symlinks)


class EarlyBuild:
    """The build of the working tree, started before the facts are collected that only later steps need.

    A context manager; it has no build until `start` is called, or where that is not possible.
    """

    def __init__(self, directory: Path) -> None:
        self._directory, self._stack = directory, ExitStack()
        #: the source, which is removed once it is built
        self._source = ExitStack()
        self._running: RunningBuild | None = None
        self._into = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, system: System, python: RequiredPython | None) -> None:
        """Start it, unless the interpreter that it needs is missing, or it has no place: the run reports both."""
        if python is not None and python.chosen is None:
            return
        with ExitStack() as stack:
            try:
                home = journals.for_rehearsal(self._directory, version=None, commit=None).directory
                home.mkdir(exist_ok=True)
                place = stack.enter_context(temporary_directory_in(home, "the build directory", prefix=".build-"))
                source = stack.enter_context(ExitStack())
                work = source.enter_context(temporary_directory(wait=False))
            except (ReleaseError, OSError):
                return
            self._into = place / "dist"
            running = RunningBuild(system, self._directory, self._into, commit=None, scratch=lambda name: work / name)
            self._running, self._source = stack.enter_context(running), source
            self._stack = stack.pop_all()
            running.wait_until_prepared()

    @property
    def started(self) -> bool:
        """Whether there is such a build."""
        return self._running is not None

    def result(self, into: Path, notify: Observer) -> BuildOutcome:
        """Wait for its files, which are moved into the new directory `into`. Raises what the build raises."""
        assert self._running is not None
        done = self._running.result(notify)
        self._source.close()
        self._into.replace(into)
        files = tuple(Distribution(path=into / one.filename, sha256=one.sha256, size=one.size) for one in done.files)
        return BuildOutcome(files=files, warnings=done.warnings, environments=done.environments)


def prepare_source(
    system: System,
    directory: Path,
    commit: str | None,
    scratch: Callable[[str], Path],
    *,
    copy: Callable[..., object] = shutil.copy2,
) -> tuple[Path, int | None]:
    """A clone of `commit`, or a copy of the tree; and SOURCE_DATE_EPOCH.

    That is the time of the commit, in seconds since 1970; None outside a repository. `copy` copies each file of the
    tree, as `shutil.copy2` does.
    """
    system = GitAnswers().shared(system)
    root = repository.find_root(system, directory)
    if root is None:
        return builder.copy_project(system, directory, scratch("tree"), copy=copy), None
    if commit is None:
        with ThreadPoolExecutor(1) as pool:
            epoch = pool.submit(_time_of_head, system, root)
            return builder.copy_project(system, directory, scratch("tree"), copy=copy), epoch.result()
    clone = scratch("clone")
    repository.clone_commit(system, root, commit, clone)
    return clone / directory.resolve().relative_to(root.resolve()), repository.commit_time(system, root, commit)


def _time_of_head(system: System, root: Path) -> int:
    return repository.commit_time(system, root, repository.commit(system, root))

"""A set's release that is killed at any moment, and run again, ends with each file there exactly once."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from release.adapters.system.system import real_system
from release.core.child_environment import without_credentials
from release.publishing import journal as journals
from release.publishing.sets.collect_set import load_set
from release.publishing.sets.set_recorder import load_set_record, set_record_paths
from release.publishing.sets.set_status import load_set_status
from release.sandbox.faults import CannedResponse, Fault, RequestFilter
from tests.repeated_commands import repeated
from tests.stories.project import Indexes, UserProject, files_on, indexes, posts, release_table
from tests.stories.workspace import Project, seed_for, workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, and kills process groups")

MEMBERS = (
    Project(name="acme-core"),
    Project(name="acme-http", requires=["acme-core>=1"]),
    Project(name="acme-db", requires=["acme-core>=1"]),
)
NAMES = [one.name for one in MEMBERS]
#: of each member a wheel and an sdist
FILES = 2 * len(MEMBERS)
ENDINGS = ("SIGKILL", "SIGINT", "SIGTERM", "two SIGINTs")


@dataclass(kw_only=True)
class Run:
    """A run of the program, in a process group of its own."""

    pid: int
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    @property
    def status(self) -> int | None:
        """The exit status; None where it was killed."""
        path = Path(f"{self.output}.status")
        return int(path.read_text(encoding="utf-8")) if path.exists() else None

    def ended(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def wait(self, seconds: float = 60) -> int | None:
        deadline = time.monotonic() + seconds
        while not self.ended():
            assert time.monotonic() < deadline, f"it has not ended: {self.text}"
            time.sleep(0.005)
        return self.status

    def end(self, how: str, chance: random.Random) -> None:
        with contextlib.suppress(ProcessLookupError):
            if how == "SIGKILL":
                os.killpg(self.pid, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
            else:
                os.kill(self.pid, signal.SIGTERM if how == "SIGTERM" else signal.SIGINT)
            if how == "two SIGINTs":
                time.sleep(chance.uniform(0, 0.3))
                os.kill(self.pid, signal.SIGINT)
        self.wait()


class Runs:
    """Starts runs: forks of one process that has imported everything."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._lock, self._numbers = process, threading.Lock(), itertools.count()

    def start(self, made: UserProject, *words: str) -> Run:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        output = made.home / f"output-{next(self._numbers)}"
        line = {"root": str(made.root), "env": made.environment(), "words": words, "output": str(output)}
        with self._lock:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
            return Run(pid=int(self._process.stdout.readline()), output=output)


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.stories.half_released"], cwd=Path(__file__).parents[2],
        env=without_credentials(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Runs(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass(kw_only=True)
class Place:
    """A repository whose members are built, and through the gate; and two indexes that have nothing of them."""

    made: UserProject
    on: Indexes
    runs: Runs
    words: tuple[str, ...] = ("set", "release", "--yes", "--config")
    _config: Path = field(init=False)

    def __post_init__(self) -> None:
        self._config = self.made.home / "release.toml"
        self._config.write_text(f'[tool.release.set]\nmembers = ["packages/*"]\n{release_table(self.on)}')
        self.made.credentials(self.on)
        temporary = self.made.home / "tmp"
        temporary.mkdir()
        self.made.env |= {"PYPI_PREFLIGHT_OFFLINE": "", "TMPDIR": str(temporary)}

    def release(self) -> Run:
        return self.runs.start(self.made, *self.words, str(self._config))

    def accepted(self) -> list[tuple[str, str]]:
        """Index and name of each file that was accepted, in order."""
        both = (("testpypi", self.on.testpypi), ("pypi", self.on.pypi))
        return [(name, one.filename) for name, index in both for one in posts(index) if one.status == 200]

    def files(self) -> dict[tuple[str, str], dict[str, str]]:
        """Member and name of the index → file name → SHA-256."""
        return {(n, i): files_on(getattr(self.on, i), n) for n in NAMES for i in ("testpypi", "pypi")}

    def status(self) -> dict[tuple[str, str], int]:
        """Member and name of the index → the number of files by `set status`."""
        found = load_set(real_system(), self.made.root, config_file=self._config)
        status = load_set_status(self.made.root, found, command=repeated("pypi-preflight set status"), offline=False)
        return {(one.name, at.index): at.accepted for one in status.members for at in one.standings}

    def left_behind(self) -> list[str]:
        """Temporary files of the run, and processes that it has started."""
        temporary = self.made.env["TMPDIR"]
        return [*os.listdir(temporary), *_processes_with(f"TMPDIR={temporary}")]  # noqa: PTH208 - names


def _processes_with(variable: str) -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                yield path.with_name("cmdline").read_text(errors="replace")


@pytest.fixture(scope="module")
def built(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> UserProject:
    """The repository after a run that the index refused: the members are built, and went through the gate."""
    made = workspace(tmp_path_factory.mktemp("built"), MEMBERS, None)
    with indexes(test=seed_for(NAMES, exist=False), real=seed_for(NAMES, exist=True)) as on:
        on.testpypi.inject(Fault(what=CannedResponse(status=403), when=RequestFilter(method="POST", filename="acme_*")))
        run = Place(made=made, on=on, runs=runs).release()
        assert run.wait() == 3, run.text
    return made


@contextlib.contextmanager
def copied(runs: Runs, built: UserProject, directory: Path) -> Iterator[Place]:
    with indexes(test=seed_for(NAMES, exist=False), real=seed_for(NAMES, exist=True)) as on:
        directory.mkdir()
        made = UserProject(root=directory / "repository", home=directory / "home")
        shutil.copytree(built.root, made.root, symlinks=True)
        made.home.mkdir()
        yield Place(made=made, on=on, runs=runs)


def _kill(place: Place, after: int, how: str, chance: random.Random) -> None:
    """One run, ended once as many files are accepted, and what it has left."""
    before = len(place.accepted())
    shutil.rmtree(place.made.env["TMPDIR"])  # what a killed run has left
    Path(place.made.env["TMPDIR"]).mkdir()
    records = set(set_record_paths(place.made.root))
    run = place.release()
    while not run.ended() and len(place.accepted()) < after:
        time.sleep(0.003)
    time.sleep(chance.uniform(0, 0.1 if before < after else 0.9))
    run.end(how, chance)
    sent = len(place.accepted()) - before
    if how != "SIGKILL":
        assert "Traceback" not in run.text, run.text
        _check_end(place, run, sent, before)
        for path in set(set_record_paths(place.made.root)) - records:
            ended = load_set_record(path)["exit"]
            assert ended is not None, run.text
            assert ended["status"] == run.status, run.text
    standing = {key: len(files) for key, files in place.files().items()}
    known = place.status()
    # an index may still finish what a killed run has sent
    finished = {key: len(files) for key, files in place.files().items()}
    assert all(count <= known.get(key, count) <= finished[key] for key, count in standing.items()), (known, standing)
    for name in NAMES:
        for journal in journals.release_journals(place.made.root / "packages" / name):
            assert all("event" in event for event in journal.events())
    for path in set_record_paths(place.made.root):
        load_set_record(path)


def _check_end(place: Place, run: Run, sent: int, before: int) -> None:
    """What is right after an interrupt: exit status, and nothing left behind."""
    whole = len(place.accepted()) == 2 * FILES
    nothing = {1, 3, 4} if before else {1, 3}
    expected = {0, 4} if sent and whole else {4} if sent else {0, *nothing} if whole else nothing
    assert run.status in expected, (run.status, expected, run.text)
    if run.status:
        assert "interrupted" in run.text
    assert place.left_behind() == [], run.text


def _kill_and_resume(place: Place, thresholds: Sequence[int], chance: random.Random) -> None:
    for after in sorted(thresholds):
        how = chance.choice(ENDINGS)
        try:
            _kill(place, after, how, chance)
        except AssertionError as error:
            raise AssertionError(f"{how} after {after}: {error}") from error
    run = place.release()
    assert run.wait() == 0, run.text
    files = place.files()
    for name in NAMES:
        (journal,) = journals.release_journals(place.made.root / "packages" / name)
        ours = {one.filename: one.sha256 for one in journal.built()}
        assert files[name, "testpypi"] == files[name, "pypi"] == ours
        for index in ("testpypi", "pypi"):
            assert journal.accepted(index) == set(ours)
    assert set(Counter(place.accepted()).values()) == {1}, "nothing was sent twice"


@pytest.mark.parametrize("times", [20, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_killed_at_any_moment_and_run_again(runs: Runs, built: UserProject, tmp_path: Path, times: int) -> None:
    """Five kills of one release, four releases at least: after each number of files on each index, and in between."""
    seed = random.randrange(10**6)  # noqa: S311 - any moment will do
    chance = random.Random(seed)  # noqa: S311
    moments = [*range(2 * FILES + 1), *chance.choices(range(2 * FILES + 1), k=times)][:times]
    chance.shuffle(moments)

    def run(number: int) -> None:
        try:
            with copied(runs, built, tmp_path / str(number)) as place:
                _kill_and_resume(place, moments[number :: times // 5], random.Random(f"{seed} {number}"))  # noqa: S311
        except AssertionError as error:
            raise AssertionError(f"release {number} of seed {seed}: {error}") from error

    with ThreadPoolExecutor(2) as pool:
        assert sum(1 for _ in pool.map(run, range(times // 5))) == times // 5

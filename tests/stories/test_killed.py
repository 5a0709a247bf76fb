"""A run that is killed in the middle of the upload, and run again, ends with each file there exactly once."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from release.core.child_environment import without_credentials
from release.core.models.distribution import Distribution
from release.sandbox import server
from release.sandbox.faults import Fault, RequestFilter, Slow
from release.sandbox.seed import seed_for_project
from release.sandbox.server import Sandbox
from tests.stories.project import files_on, indexes, make, posts, release_table
from tests.uploads import release


def _journal(root: Path) -> list[dict[str, str]]:
    text = "".join(path.read_text() for path in root.glob(".release/1.0/*/journal.jsonl"))
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
@pytest.mark.parametrize("moment", ["before the first answer", "after the first answer", "at any time"])
def test_killed_and_run_again(tmp_path: Path, moment: str) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.write("acme_widget/data.bin", "".join(random.choices("abcdefgh", k=2_000_000)))  # noqa: S311 - bulk
        project.credentials(on)
        project.commit()
        assert project.run("build").status == 0
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "testpypi"], cwd=project.root, env=project.environment(),
            stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        with process:
            _wait(process, project.root, moment)
            os.killpg(process.pid, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]

        again = project.run("testpypi", "--json")
        assert again.status == 0, again.all
        built = {f["file"]: f["sha256"] for f in again.data["files"]}
        assert files_on(on.testpypi) == built
        accepted = [r for r in posts(on.testpypi) if r.status == 200]
        assert len(accepted) <= len(built) + 1  # the one whose answer was lost may have been sent twice
        events = _journal(project.root)
        assert {e["file"] for e in events if e["event"] == "accepted"} == set(built)
        assert events[-1]["event"] == "ended"


def _wait(process: subprocess.Popen[bytes], root: Path, moment: str) -> None:
    if moment == "at any time":
        time.sleep(random.uniform(0.3, 2.5))  # noqa: S311 - any time will do
        return
    wanted = {"before the first answer": "sending", "after the first answer": "accepted"}[moment]
    while process.poll() is None and not any(e["event"] == wanted for e in _journal(root)):
        time.sleep(0.002)


class Upload:
    """The upload alone, in a process group of its own."""

    def __init__(self, pid: int, end: Path) -> None:
        self._pid, self._end = pid, end

    def ended(self) -> bool:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        return False

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
        self._wait()

    def why_it_failed(self) -> str:
        """Empty where it succeeded."""
        self._wait()
        return self._end.read_text(encoding="utf-8") if self._end.exists() else "it was killed"

    def _wait(self) -> None:
        while not self.ended():
            time.sleep(0.002)


class Uploads:
    """Starts uploads: forks of one process that has imported everything."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._lock, self._numbers = process, threading.Lock(), itertools.count()

    def start(self, directory: Path, sandbox: Sandbox) -> Upload:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        end = directory / f"ended-{next(self._numbers)}"
        place = {"upload_url": sandbox.upload_url, "simple_url": sandbox.simple_url}
        place |= {"directory": str(directory), "ended": str(end), "token": sandbox.tokens["account"].reveal()}
        with self._lock:
            self._process.stdin.write(json.dumps(place) + "\n")
            self._process.stdin.flush()
            return Upload(int(self._process.stdout.readline()), end)


@pytest.fixture(scope="module")
def uploads() -> Iterator[Uploads]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.stories.half_done"], cwd=Path(__file__).parents[2],
        env=without_credentials(os.environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Uploads(process)
        assert process.stdin is not None
        process.stdin.close()


def _kill_and_resume(uploads: Uploads, directory: Path, files: list[Distribution], chance: random.Random) -> None:
    """One upload, killed at a moment from before its first request to after its last, and run again."""
    with server.start_sandbox(seed_for_project("acme-widget")) as sandbox:
        sandbox.inject(Fault(what=Slow(answer=0.03), when=RequestFilter(method="POST", nth=(1, None))))
        begun = uploads.start(directory, sandbox)
        try:
            while not begun.ended() and not _lines(directory, "sending"):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.45))
        finally:
            begun.kill()
        sandbox.clear_faults()
        assert not uploads.start(directory, sandbox).why_it_failed()
        expected = {file.filename: file.sha256 for file in files}
        assert files_on(sandbox) == expected
        assert len(posts(sandbox)) <= len(files) + 4, "no more than were under way"
        assert _lines(directory, "accepted") == set(expected)


def _lines(directory: Path, event: str) -> set[str]:
    path = directory / ".release" / "1.0" / "tree" / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    whole = [json.loads(line) for line in lines if line.endswith("}")]
    return {one["file"] for one in whole if one["event"] == event}


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
@pytest.mark.parametrize("times", [20, pytest.param(180, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_killed_at_any_moment_and_run_again(uploads: Uploads, tmp_path: Path, times: int) -> None:
    """Always complete, nothing twice, the journal readable."""
    seed = random.randrange(10**6)  # noqa: S311 - any moment will do

    def run(number: int) -> None:
        directory = tmp_path / str(number)
        directory.mkdir()
        files = release(directory / "wheelhouse", 12)
        try:
            _kill_and_resume(uploads, directory, files, random.Random(f"{seed} {number}"))  # noqa: S311 - the same
        except AssertionError as error:
            raise AssertionError(f"run {number} of seed {seed}: {error}") from error

    with ThreadPoolExecutor(2) as pool:
        assert sum(1 for _ in pool.map(run, range(times))) == times


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_two_runs_at_once_are_one(uploads: Uploads, tmp_path: Path) -> None:
    """The second is told to wait, and sends nothing."""
    release(tmp_path / "wheelhouse", 3)
    with server.start_sandbox(seed_for_project("acme-widget")) as sandbox:
        sandbox.inject(Fault(what=Slow(answer=1.5), when=RequestFilter(method="POST", filename="acme_*")))
        first = uploads.start(tmp_path, sandbox)
        while not first.ended() and not _lines(tmp_path, "sending"):
            time.sleep(0.002)
        assert "another run is in progress" in uploads.start(tmp_path, sandbox).why_it_failed()
        assert not first.why_it_failed()
        assert len(posts(sandbox)) == 3


def _running_in(directory: Path) -> list[str]:
    """The programs whose temporary directory is in there, by their environment; the guardian has none."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.fsencode(directory) in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text(encoding="utf-8").replace("\0", " "))
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", range(20))
def test_a_killed_rehearsal_leaves_no_program_and_no_directory(tmp_path: Path, number: int) -> None:
    project, temporary = make(tmp_path, tiny=True), tmp_path / "temporary"
    temporary.mkdir()
    project.env["TMPDIR"] = str(temporary)
    process = subprocess.Popen(
        [sys.executable, "-m", "release", "rehearse"], cwd=project.root, env=project.environment(),
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    with process:
        time.sleep(0.3 + 0.4 * number)
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while left := [*_running_in(temporary), *(path.name for path in temporary.iterdir())]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)

"""What is left of a process that was killed: nothing that it has started, and none of its temporary directories."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from release.adapters.system import guardian
from release.adapters.system.process import Pipe, run_program
from release.adapters.system.temporary_directory import temporary_directory_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills with signals; Windows has job objects")

#: a program with a child in its process group, both of which ignore SIGTERM where $STUBBORN is set
SLEEPER = """
import os, signal, sys, time
if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
with open(os.path.join(sys.argv[1], str(os.getpid())), "w"):
    print(flush=True)
    time.sleep(600)
"""
#: starts it in each way, and in threads, with a temporary directory
VICTIM = """
import sys, threading, time
from release.adapters.system.process import Pipe, run_program
from release.adapters.system.temporary_directory import temporary_directory
argv = [sys.executable, "-S", "-c", sys.argv[2], sys.argv[1]]
env = {"STUBBORN": sys.argv[3]}
with temporary_directory() as directory:
    directory.joinpath("content").mkdir()
    open(sys.argv[1] + "/directory", "w").write(str(directory))
    pipe = Pipe(argv, env)
    ready = lambda _: open(sys.argv[1] + "/ready", "w")
    threading.Thread(target=run_program, args=(argv,), kwargs={"env": env, "on_line": ready}, daemon=True).start()
    time.sleep(600)
"""


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Seconds are generous: the machine may be busy."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):  # a zombie waits for its parent
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return Path("/proc/self").exists() is False


@contextmanager
def victim(tmp_path: Path, *, stubborn: bool) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A process, and those that it has started: two programs, with a child each."""
    process = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path), SLEEPER, "1" if stubborn else ""], start_new_session=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    with process:
        try:
            wait_until(lambda: len(list(tmp_path.glob("[0-9]*"))) == 4 and (tmp_path / "ready").exists())
            yield process, [int(path.name) for path in tmp_path.glob("[0-9]*")]
        finally:
            process.kill()


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_killed_process_leaves_nothing(tmp_path: Path, stubborn: bool) -> None:
    with victim(tmp_path, stubborn=stubborn) as (process, started):
        directory = Path((tmp_path / "directory").read_text())
        assert (directory / "content").is_dir()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not any(map(alive, started)))
        wait_until(lambda: not directory.parent.exists())


def test_what_has_ended_is_not_guarded_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(guardian, "_tell", told.append)
    with temporary_directory_in(tmp_path, "it", prefix=".x-") as directory:
        run_program([sys.executable, "-S", "-c", ""], env={})
        pipe = Pipe([sys.executable, "-S", "-c", "input()"], {})
        pipe.close()
    assert [line[:2] for line in told] == ["+d", "+g", "-g", "+g", "-g", "-d"]
    assert told[0][2:] == told[-1][2:] == os.fsencode(directory).hex()
    assert told[1][2:] == told[2][2:] != told[3][2:] == told[4][2:]


def test_a_guardian_that_was_killed_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(guardian, "_pipe", writing)
    try:
        assert run_program([sys.executable, "-S", "-c", "print(1)"], env={}).output.strip() == "1"
    finally:
        os.close(writing)


def test_the_end_of_a_guard_may_come_while_another_is_told(tmp_path: Path) -> None:
    """The garbage collector ends one in any place of the same thread, also in the middle of the other."""
    with guardian._lock:
        assert guardian._lock.acquire(blocking=False)
        guardian._lock.release()
        with guardian.guard_directory(tmp_path):
            assert tmp_path.exists()


@pytest.mark.parametrize("executable", ["", "/nonexistent/python"])
def test_a_guardian_that_cannot_start_stops_nothing(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(guardian, "_pipe", None)
    python = sys.executable
    monkeypatch.setattr(sys, "executable", executable)
    assert run_program([python, "-S", "-c", "print(1)"], env={}).output.strip() == "1"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at the process in /proc")
def test_the_guardian_has_no_environment_and_no_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would keep the pipe of `pypi-preflight … | cat` open, and see every credential."""
    started: list[int] = []

    def spawn(*arguments: object, **options: object) -> int:
        started.append(posix_spawn(*arguments, **options))  # type: ignore[arg-type]
        return started[0]

    posix_spawn = os.posix_spawn
    monkeypatch.setattr(os, "posix_spawn", spawn)
    monkeypatch.setattr(guardian, "_pipe", None)
    monkeypatch.setenv("TWINE_PASSWORD", "canary")
    with guardian.guard_directory(tmp_path):
        place = Path("/proc", str(started[0]))
        wait_until(lambda: b"guardian_child" in (place / "cmdline").read_bytes())
        assert (place / "environ").read_bytes() == b""
        assert {str((place / "fd" / number).readlink()) for number in "12"} == {os.devnull}
        assert os.getpgid(started[0]) == started[0] != os.getpgrp()
    guardian._forget()
    assert os.waitstatus_to_exitcode(os.waitpid(started[0], 0)[1]) == 0
    assert tmp_path.exists()

"""Work in processes and in threads: it ends with what started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from release.adapters.system import parallel
from release.adapters.system.parallel import parallel_map, run_jobs
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError
from tests.adapters.system.test_guardian import alive, wait_until
from tests.patience import PATIENCE

Result = TypeVar("Result")

ROOT = str(Path(__file__).parents[3])
POOL = """
import os, pathlib, sys, time
from release.adapters.system import parallel
def work(number):
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(600)
if __name__ == "__main__":
    parallel.usable_processors = lambda: 2
    with parallel.parallel_map(work, [1, 2]) as results:
        list(results)
"""
#: Ctrl-C once a process has started, or while the first is being started
INTERRUPTED = """
import os, pathlib, signal, sys, threading, time
from release.adapters.system import parallel
sent = []
def interrupt():
    if not sent:
        sent.append(True)
        os.kill(os.getpid(), signal.SIGINT)
def work(number):
    pathlib.Path(sys.argv[1]).touch()
    time.sleep(600)
def wait_for_work():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    interrupt()
if __name__ == "__main__":
    parallel.usable_processors = lambda: 2
    if sys.argv[2:]:
        os.register_at_fork(after_in_parent=interrupt)
    else:
        # its pool is spawned, because of this thread
        threading.Thread(target=wait_for_work, daemon=True).start()
    try:
        with parallel.parallel_map(work, [1, 2, 3]) as results:
            list(results)
    except KeyboardInterrupt:
        print("interrupted")
"""


def _square(number: int) -> int:
    return number * number


def results_of(work: Callable[[int], Result], tasks: list[int]) -> list[Result]:
    with parallel_map(work, tasks) as results:
        return list(results)


@pytest.fixture(params=["forked", "spawned"])
def _processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "usable_processors", lambda: 3)
    if request.param == "spawned":
        monkeypatch.setattr(threading, "active_count", lambda: 2)


@pytest.mark.usefixtures("_processes")
@pytest.mark.parametrize("tasks", [[], [3], [3, 1, 2], list(range(20))])
def test_results_have_the_order_of_the_tasks(tasks: list[int]) -> None:
    assert results_of(_square, tasks) == [number * number for number in tasks]


def _exit(_: int) -> None:
    os._exit(1)


def test_a_process_that_is_killed_is_an_error_and_no_internal_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a pool; `test_forked_map` has the same for forks."""
    monkeypatch.setattr(parallel, "usable_processors", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    with pytest.raises(ToolError, match="a process of this program was killed"):
        results_of(_exit, [1, 2])


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("when", [[], ["while it starts"]])
def test_an_interrupt_ends_the_processes_at_once(tmp_path: Path, when: list[str]) -> None:
    script = tmp_path / "pool.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    argv, env = [sys.executable, str(script), str(tmp_path / "begun"), *when], {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted\n", "", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="kills with signals")
def test_the_processes_of_a_killed_parent_end(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(POOL, encoding="utf-8")
    (tmp_path / "pids").mkdir()
    env = {**os.environ, "PYTHONPATH": ROOT}
    with subprocess.Popen([sys.executable, str(script), str(tmp_path / "pids")], env=env) as process:
        try:
            wait_until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
        finally:
            process.kill()
    wait_until(lambda: not any(alive(int(path.name)) for path in (tmp_path / "pids").iterdir()))


def test_the_first_failure_ends_the_programs_of_the_other_jobs() -> None:
    started = threading.Event()

    def wait(system: System) -> str:
        def told(_: str) -> None:
            started.set()

        code = "import time; print(flush=True); time.sleep(600)"
        return system.run([sys.executable, "-S", "-c", code], on_line=told).output

    def fail(_: System) -> str:
        assert started.wait(60)
        raise ToolError("it failed", remedy="")

    jobs: list[Callable[[System], str]] = [wait, fail]
    with pytest.raises(ToolError, match="it failed"):
        run_jobs(real_system(), jobs)


def test_jobs_return_their_results_in_order() -> None:
    second = threading.Event()

    def slow(_: System) -> int:
        assert second.wait(60)
        return 1

    def fast(_: System) -> int:
        second.set()
        return 2

    assert run_jobs(real_system(), [slow, fast]) == [1, 2]


def test_a_failure_stops_the_jobs_that_run_no_program() -> None:
    """They are told before they are waited for."""
    stopped, waiting = threading.Event(), threading.Event()

    def wait(_: System) -> None:
        waiting.set()
        assert stopped.wait(60)

    def fail(_: System) -> None:
        assert waiting.wait(60)
        raise ToolError("it failed", remedy="")

    with pytest.raises(ToolError, match="it failed"):
        run_jobs(real_system(), [wait, fail], stop_jobs=stopped.set)

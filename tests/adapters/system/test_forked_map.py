"""Work that is shared with forks of this process: which works at what, and how both end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from release.adapters.system.forked_map import forked_map
from release.core.errors import ToolError
from tests.adapters.system.test_guardian import alive, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are safe on Linux only")


def test_forks_begin_before_the_first_result_is_requested(tmp_path: Path) -> None:
    def work(number: int) -> int:
        (tmp_path / str(number)).touch()
        return os.getpid()

    with forked_map(work, range(5), 1) as results:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 5)
        assert os.getpid() not in set(results)


def test_this_process_takes_part_and_each_task_is_done_once(tmp_path: Path) -> None:
    def work(number: int) -> int:
        (tmp_path / str(number)).touch(exist_ok=False)
        wait_until(lambda: len(list(tmp_path.iterdir())) >= 3)  # of three processes
        return os.getpid()

    with forked_map(work, range(40), 2) as results:
        done = list(results)
    assert (len(done), len(set(done))) == (40, 3)
    assert os.getpid() in done


def test_large_results_arrive() -> None:
    with forked_map(lambda number: bytes([number]) * 1_000_000, range(6), 1) as results:
        assert [(one[0], len(one)) for one in results] == [(number, 1_000_000) for number in range(6)]


def test_an_exception_in_a_fork_is_raised_here() -> None:
    here = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != here:
            raise LookupError(f"no {number}")
        time.sleep(0.01)
        return number

    with pytest.raises(LookupError, match="no "), forked_map(work, range(500), 1) as results:
        list(results)


def test_a_result_that_cannot_be_sent_is_an_exception_of_its_own(tmp_path: Path) -> None:
    def work(number: int) -> object:
        (tmp_path / str(number)).touch()
        return threading.Lock()

    with forked_map(work, range(3), 1) as results:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 3)
        with pytest.raises(TypeError, match="pickle"):
            list(results)


def test_the_forks_end_with_the_block(tmp_path: Path) -> None:
    def work(_: int) -> None:
        (tmp_path / str(os.getpid())).touch()
        time.sleep(600)

    with forked_map(work, range(2), 2):
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        assert all(alive(int(path.name)) for path in tmp_path.iterdir())
    assert not any(alive(int(path.name)) for path in tmp_path.iterdir())


def test_a_killed_fork_is_an_error(tmp_path: Path) -> None:
    def work(_: int) -> None:
        (tmp_path / str(os.getpid())).touch()
        time.sleep(600)

    with forked_map(work, range(1), 1) as results:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 1)
        os.kill(int(next(tmp_path.iterdir()).name), 9)
        with pytest.raises(ToolError, match="a process of this program was killed"):
            list(results)


def test_an_exception_leaves_no_further_task_to_the_others() -> None:
    here, done = os.getpid(), list[int]()

    def work(number: int) -> None:
        if os.getpid() != here:
            raise LookupError
        done.append(number)
        time.sleep(0.05)

    with forked_map(work, range(10_000), 1) as results, pytest.raises(LookupError):
        list(results)
    assert len(done) < 5_000


def test_a_fork_has_no_handler_of_its_parent(tmp_path: Path) -> None:
    def work(_: int) -> None:
        (tmp_path / "begun").touch()
        time.sleep(600)

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with forked_map(work, range(1), 1) as results:
            wait_until((tmp_path / "begun").exists)
            child = int(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()[-1])
            os.kill(child, signal.SIGINT)
            os.kill(child, signal.SIGTERM)
            with pytest.raises(ToolError, match="was killed"):
                list(results)
    finally:
        signal.signal(signal.SIGTERM, before)

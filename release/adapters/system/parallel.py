"""Run work in parallel: CPU-bound work in processes, jobs that wait for programs in threads."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from release.adapters.system.deferred_signals import deferred_signals
from release.adapters.system.processors import usable_processors
from release.adapters.system.system import System, stoppable

Task = TypeVar("Task")
Result = TypeVar("Result")

#: the most processes; more would wait for the disk, or for git
MOST = 4


@contextmanager
def parallel_map(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Iterator[Result]]:
    """Start to apply `work`, a function of a module, in several processes; yields its results in the order of `tasks`.

    Exceptions must be picklable; the first one ends all processes, as do Ctrl-C and the end of the block. Raises
    `ToolError` where a process is killed.
    """
    from release.adapters.system.forked_map import forked_map

    count = min(usable_processors(), MOST, len(tasks))
    if count < 2:  # noqa: PLR2004 - this process alone
        yield map(work, tasks)
    elif sys.platform == "linux" and threading.active_count() == 1:
        # Safe where no other thread holds a lock; macOS' libraries have such threads.
        with forked_map(work, tasks, count - 1) as results:
            yield results
    else:
        with _pooled_map(work, tasks, count) as results:
            yield results


@contextmanager
def _pooled_map(work: Callable[[Task], Result], tasks: Sequence[Task], count: int) -> Iterator[Iterator[Result]]:
    """The same with a pool of so many processes, each of which starts Python anew."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    from release.adapters.system.forked_map import killed_error

    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_follow_parent) as pool:
        try:
            with deferred_signals():  # a pool that is interrupted while it starts would wait for ever
                results = pool.map(work, tasks)
            yield results
        except BrokenProcessPool:
            raise killed_error() from None
        except BaseException:
            for process in active_children():
                process.kill()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """In a process of the pool: end with the parent, and only with it.

    Ctrl-C reaches every process of the terminal; the parent ends its children then. A parent that is killed does not,
    and they would wait for ever.
    """
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=[parent.sentinel], daemon=True).start()


def _exit_after(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)


def run_jobs(
    system: System, jobs: Sequence[Callable[[System], Result]], *, workers: int = 2,
    stop_jobs: Callable[[], object] = lambda: None,
) -> list[Result]:  # fmt: skip
    """The results of all jobs in their order, `workers` at a time; each job gets the system to use.

    The first failure, or Ctrl-C, ends the programs of the other jobs, and is raised. `stop_jobs` is called before it
    waits for the jobs themselves.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    stop = threading.Event()
    scoped = stoppable(system, stop.is_set)
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(job, scoped) for job in jobs]
        try:
            pending = set(futures)
            while pending:
                # In short waits, because on Windows, Ctrl-C does not interrupt a long one.
                done, pending = wait(pending, timeout=0.1, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
        finally:
            stop.set()
            stop_jobs()
            pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]

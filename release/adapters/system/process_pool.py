"""Spreads work over processes: what looks at every byte of a large tree is worth more than one core."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Literal, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

#: more would wait for the disk, or for git
MOST = 4


def map_in_processes(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """The results of `work`, a function of a module, in the order of the tasks.

    A process takes up to some tenths of a second to start. Exceptions must pass through pickle.
    """
    count = min(os.cpu_count() or 1, MOST, len(tasks))
    if count < 2:  # noqa: PLR2004 - one is this process
        yield from map(work, tasks)
        return
    with ProcessPoolExecutor(count, mp_context=get_context(_method()), initializer=_leave_signals) as pool:
        try:
            yield from pool.map(work, tasks)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _method() -> Literal["fork", "spawn"]:
    """Forking is by far the quickest, and sound where no other thread holds a lock; macOS' own libraries have some."""
    return "fork" if sys.platform == "linux" and threading.active_count() == 1 else "spawn"


def _leave_signals() -> None:
    """Ctrl-C reaches every process of the terminal; the first one tells the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

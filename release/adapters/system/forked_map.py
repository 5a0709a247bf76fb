"""Share work between this process and forks of it, which begin at once and have all that it has loaded. Linux only.

A pool of `concurrent.futures` takes several times as long to start and to end, and leaves this process idle.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, TypeVar

from release.adapters.system.deferred_signals import deferred_signals
from release.core.errors import ToolError

Task = TypeVar("Task")
Result = TypeVar("Result")

#: bytes of the number of a task
_WIDTH = array("I").itemsize


def killed_error() -> ToolError:
    """The error for a process that another program has ended."""
    remedy = "if memory has run out, free some; then run the same command again"
    return ToolError("a process of this program was killed", remedy=remedy)


@contextmanager
def forked_map(work: Callable[[Task], Result], tasks: Sequence[Task], forks: int) -> Iterator[Iterator[Result]]:
    """Let so many forks work at the tasks; yields the results in the order of the tasks.

    This process takes part from the first result on that is requested. Every process takes the next task that none has
    taken. An exception of `work` ends all of them, and must be picklable. Raises `ToolError` where a fork was killed.
    """
    with ExitStack() as stack:
        # Forks share the position in an open file. Source: fork(2), and read(2) on positions that are shared
        numbers = stack.enter_context(tempfile.TemporaryFile(buffering=0))
        numbers.write(array("I", range(len(tasks))).tobytes())
        numbers.seek(0)
        reading, writing = os.pipe()
        life, ours = (stack.enter_context(os.fdopen(*one)) for one in ((reading, "rb"), (writing, "wb")))

        def remaining() -> Iterator[int]:
            while number := numbers.read(_WIDTH):
                yield int.from_bytes(number, sys.byteorder)

        def serve(output: IO[bytes]) -> None:
            ours.close()
            _end_with(life)
            try:
                done = pickle.dumps({number: work(tasks[number]) for number in remaining()})
            except Exception as error:  # noqa: BLE001 - raised in the parent
                numbers.seek(0, os.SEEK_END)  # no fork takes another task
                done = pickle.dumps(error)
            output.write(done)

        with deferred_signals():  # until all of them are in the stack, which ends them
            children = [stack.enter_context(_forked(serve)) for _ in range(forks)]
        yield _results(work, tasks, remaining(), children)


def _results(
    work: Callable[[Task], Result], tasks: Sequence[Task], numbers: Iterator[int], children: Sequence[IO[bytes]]
) -> Iterator[Result]:
    done = {number: work(tasks[number]) for number in numbers}
    for child in children:
        try:
            theirs = pickle.load(child)  # noqa: S301 - from a fork of this process
        except (EOFError, pickle.UnpicklingError):
            raise killed_error() from None
        if isinstance(theirs, Exception):
            raise theirs
        done |= theirs
    yield from (done[number] for number in range(len(tasks)))


@contextmanager
def _forked(serve: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """A fork that calls `serve` with a file; yields what it writes there. Killed with the block if it still runs."""
    if sys.platform != "linux":
        raise OSError("forks are safe on Linux only")
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            _default_signals()
            with os.fdopen(writing, "wb") as output:
                serve(output)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        try:
            yield output
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _default_signals() -> None:
    """In a fork: have none of the parent's handlers, and ignore Ctrl-C, upon which the parent ends its forks."""
    if sys.platform == "win32":
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with(life: IO[bytes]) -> None:
    """End this fork when the last process that can write to this pipe has ended: its parent."""

    def wait() -> None:
        life.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()

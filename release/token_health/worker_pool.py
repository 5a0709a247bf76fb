"""A worker pool with a timeout per job and for the whole run."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

from release.token_health.fleet import FleetLimits

Result = TypeVar("Result")
Key = TypeVar("Key")


class WorkerPool(Generic[Result]):
    """Runs `jobs` with `concurrency` workers, each in a context of its own.

    A job may take `patience` seconds, and all of them together `deadline` seconds. Jobs that take longer are abandoned:
    the threads are daemons, and nothing waits for them.
    """

    def __init__(
        self,
        jobs: Sequence[Callable[[], Result]],
        limits: FleetLimits,
        context: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._jobs, self._limits, self._context = jobs, limits, context
        self._end = time.monotonic() + limits.deadline
        self._queue = deque(range(len(jobs)))
        #: the jobs under way → when each was started; changed by all workers
        self._started: dict[int, float] = {}
        self._lock = threading.Lock()
        self._done: queue.SimpleQueue[tuple[int, Result | Exception]] = queue.SimpleQueue()
        self._stop = threading.Event()

    def results(self) -> Iterator[tuple[int, Result | Exception | None]]:
        """Yield the number and the result of each job as soon as it ends.

        The result is an exception if the job raised one, and None if it timed out. Jobs that have not ended by the
        deadline are not yielded.
        """
        left = set(range(len(self._jobs)))
        try:
            for _ in range(min(self._limits.concurrency, len(left))):
                self._start_worker()
            while left and time.monotonic() < self._end:
                for number, result in self._finished():
                    if number in left:
                        left.discard(number)
                        yield number, result
                for number in self._overdue():
                    if number in left:
                        left.discard(number)
                        self._start_worker()  # replaces the one that hangs
                        yield number, None
        finally:
            self._stop.set()

    def sleep(self, seconds: float) -> None:
        """Sleep in a job, but not beyond the end of the run."""
        self._stop.wait(seconds)

    def _start_worker(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with self._context():
            while self._queue and not self._stop.is_set():
                try:
                    number = self._queue.popleft()
                except IndexError:
                    return
                with self._lock:
                    self._started[number] = time.monotonic()
                try:
                    result: Result | Exception = self._jobs[number]()
                except Exception as error:  # noqa: BLE001 - a job that fails must not stop the others
                    result = error
                self._done.put((number, result))
                with self._lock:
                    self._started.pop(number, None)
                del result  # it is held by the one who asked for it alone

    def _overdue(self) -> list[int]:
        """The jobs that have run for too long; each once."""
        limit = time.monotonic() - self._limits.patience
        with self._lock:
            found = [number for number, started in self._started.items() if started < limit]
            for number in found:
                del self._started[number]
        return found

    def _finished(self) -> Iterator[tuple[int, Result | Exception]]:
        try:
            # the timeouts are checked after that; on Windows, Ctrl-C does not interrupt a longer wait
            yield self._done.get(timeout=0.1)
            while True:
                yield self._done.get_nowait()
        except queue.Empty:
            return


class OnceCache(Generic[Key, Result]):
    """Computes the value of each key once; other threads that need it wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Key, threading.Lock] = {}
        self._values: dict[Key, Result] = {}

    def get(self, key: Key, compute: Callable[[], Result]) -> Result:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = compute()
            return self._values[key]

    def forget(self, key: Key) -> None:
        """Discard a value that is not needed again."""
        with self._lock:
            self._locks.pop(key, None)
            self._values.pop(key, None)

"""Many jobs at a time, of which none can hold up the others: what takes too long is left behind."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

Result = TypeVar("Result")
Key = TypeVar("Key")

#: seconds between two looks at the clock; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1


class WorkerPool(Generic[Result]):
    """Does `jobs`, `workers` at a time, each worker inside of `around`.

    A job gets `patience` seconds, all of them together `deadline`. The threads are daemons: whoever has
    heard enough goes away, and nobody waits for what hangs.
    """

    def __init__(
        self,
        jobs: Sequence[Callable[[], Result]],
        *,
        workers: int,
        patience: float,
        deadline: float,
        around: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._jobs, self._workers, self._patience = jobs, workers, patience
        self._around = around
        self._end = time.monotonic() + deadline
        self._todo = deque(range(len(jobs)))
        self._begun: dict[int, float] = {}
        self._done: queue.SimpleQueue[tuple[int, Result | Exception]] = queue.SimpleQueue()
        self._stop = threading.Event()

    def results(self) -> Iterator[tuple[int, Result | Exception | None]]:
        """The number of a job, and what came of it, as soon as it is known.

        An exception is what the job raised; None: it took too long. What the deadline cuts off does not
        come at all.
        """
        left = set(range(len(self._jobs)))
        try:
            for _ in range(min(self._workers, len(left))):
                self._hire()
            while left and time.monotonic() < self._end:
                for number, result in self._arrived():
                    if number in left:
                        left.discard(number)
                        yield number, result
                for number in self._late(left):
                    left.discard(number)
                    self._hire()  # in the place of the one that hangs
                    yield number, None
        finally:
            self._stop.set()

    def sleep(self, seconds: float) -> None:
        """For jobs that wait: not beyond the end."""
        self._stop.wait(seconds)

    def _hire(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        with self._around():
            while self._todo and not self._stop.is_set():
                try:
                    number = self._todo.popleft()
                except IndexError:
                    return
                self._begun[number] = time.monotonic()
                try:
                    result: Result | Exception = self._jobs[number]()
                except Exception as error:  # noqa: BLE001 - a job that breaks must not take the others with it
                    result = error
                self._done.put((number, result))

    def _arrived(self) -> Iterator[tuple[int, Result | Exception]]:
        try:
            yield self._done.get(timeout=_TICK)
            while True:
                yield self._done.get_nowait()
        except queue.Empty:
            return

    def _late(self, left: set[int]) -> list[int]:
        limit = time.monotonic() - self._patience
        return [number for number, begun in list(self._begun.items()) if number in left and begun < limit]


class OnceCache(Generic[Key, Result]):
    """Answers, each found out once; whoever asks for one that is being found out waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Key, threading.Lock] = {}
        self._answers: dict[Key, Result] = {}

    def get(self, key: Key, ask: Callable[[], Result]) -> Result:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._answers:
                self._answers[key] = ask()
            return self._answers[key]

    def forget(self, key: Key) -> None:
        """Nobody will ask for it any more."""
        with self._lock:
            self._locks.pop(key, None)
            self._answers.pop(key, None)

"""What SIGINT, SIGTERM and SIGHUP do for a while: wait for a short piece of work, call a function, or nothing.

In other threads than the main one, nothing changes: signals are delivered to the main thread.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

#: SIGBREAK: Ctrl-Break and a closed console, on Windows
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
#: seconds in which further signals say the same again
_SAME = 1.0
#: what delivers a signal as if nothing had replaced its handler: number of the signal, frame
_Deliver = Callable[[int, FrameType | None], None]


class Interrupts:
    """What signals do during a run."""

    def __init__(self) -> None:
        self._raised = float("-inf")
        self._over = False
        #: the status of the run, which is over; None before
        self.status: int | None = None

    def end(self) -> None:
        """From now on, signals do nothing: the run is being ended."""
        self._over = True

    def exit_with(self, status: int) -> None:
        """From now on, a signal ends the process at once, with the status of the run, which is over."""
        self.status = status
        atexit.register(_ignore_signals)

    def handle(self, _number: int, _frame: FrameType | None, _deliver: _Deliver) -> None:
        """Raise `KeyboardInterrupt`, unless one was raised within the last second."""
        if self.status is not None:
            os._exit(self.status)
        if self._over or time.monotonic() - self._raised < _SAME:
            return
        self._raised = time.monotonic()
        raise KeyboardInterrupt


@contextmanager
def signals_as_interrupt() -> Iterator[Interrupts]:
    """Let every signal end a run as Ctrl-C does, with `KeyboardInterrupt`: cleanly, and recorded in the journal.

    Signals within a second after one say the same again, and do not interrupt what ends the run. One that is ignored,
    as by `nohup`, stays so. After `Interrupts.exit_with`, the handlers stay.
    """
    interrupts = Interrupts()
    with _replaced(interrupts.handle, stay=lambda: interrupts.status is not None):
        yield interrupts


def _ignore_signals() -> None:
    """When no thread is left to wait for: Python would restore handlers that end the process with another status."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Deliver the first signal at the end of the block; a second one is delivered at once."""
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None, deliver: _Deliver) -> None:
        arrived.append(number)
        if len(arrived) > 1:
            deliver(number, frame)

    with ExitStack() as stack:
        deliver = stack.enter_context(_replaced(remember))
        try:
            yield
        finally:
            stack.close()  # first: the handlers are those of before
            if len(arrived) == 1:
                deliver(arrived[0], None)


@contextmanager
def handled_signals(handle: Callable[[], object]) -> Iterator[None]:
    """Call `handle` at each signal, instead of an exception at any place of the main thread."""
    with _replaced(lambda _number, _frame, _deliver: handle()):
        yield


@contextmanager
def ignored_signals(limit: int = 2) -> Iterator[None]:
    """Ignore the first signals, as many as `limit`; further ones are delivered at once."""
    arrived: list[int] = []

    def count(number: int, frame: FrameType | None, deliver: _Deliver) -> None:
        arrived.append(number)
        if len(arrived) > limit:
            deliver(number, frame)

    with _replaced(count):
        yield


@contextmanager
def _replaced(
    handle: Callable[[int, FrameType | None, _Deliver], object], *, stay: Callable[[], bool] = lambda: False
) -> Iterator[_Deliver]:
    """Replace the handlers; yields what calls the former ones. They are restored at the end, unless they `stay`."""
    before = {number: signal.getsignal(number) for number in _numbers()}

    def deliver(number: int, frame: FrameType | None) -> None:
        handler = before[number]
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    # a handler that is not Python's own cannot be restored, and an ignored signal stays ignored
    replaced = [number for number in before if before[number] not in {None, signal.SIG_IGN}]
    for number in replaced:
        signal.signal(number, lambda number, frame: handle(number, frame, deliver))
    try:
        yield deliver
    finally:
        for number in () if stay() else replaced:
            signal.signal(number, before[number])


def _numbers() -> list[int]:
    """The signals that this thread may handle."""
    is_main = threading.current_thread() is threading.main_thread()
    return [getattr(signal, name) for name in _NAMES if is_main and hasattr(signal, name)]

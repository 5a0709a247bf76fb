"""Let a short piece of work end before a signal ends the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Deliver the first SIGINT, SIGTERM or SIGHUP at the end of the block; a second one is delivered at once.

    In other threads than the main one, nothing changes: signals are delivered to the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        if len(arrived) > 1:
            _deliver(number, frame)

    def _deliver(number: int, frame: FrameType | None = None) -> None:
        handler = before[number]
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    # a handler that is not Python's own cannot be restored, and an ignored signal stays ignored
    replaced = [number for number in numbers if before[number] not in {None, signal.SIG_IGN}]
    for number in replaced:
        signal.signal(number, remember)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, before[number])
        if len(arrived) == 1:
            _deliver(arrived[0])

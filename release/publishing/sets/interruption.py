"""Ctrl-C in a run of several threads: it reaches the main thread only, which passes it on to the others."""

from __future__ import annotations

import threading

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.system.system import System, stoppable
from release.core.events import Event, Message, Observer, Progress, StepStarted


class Interruption(Struct, frozen=True, kw_only=True):
    """Whether the run is to stop; set by the main thread."""

    requested: threading.Event = field(default_factory=threading.Event)

    def stop_if_requested(self) -> None:
        """Raise `KeyboardInterrupt` if the run is to stop."""
        if self.requested.is_set():
            raise KeyboardInterrupt

    def interruptible(self, system: System) -> System:
        """The same system, whose programs end, and whose pauses are over, once the run is to stop."""

        def sleep(seconds: float) -> None:
            if self.requested.wait(seconds):
                raise KeyboardInterrupt

        return replace(stoppable(system, self.requested.is_set), sleep=sleep)

    def interrupting(self, forward: Observer) -> Observer:
        """The same observer; in the first event after the request, where its thread can stop, `KeyboardInterrupt`."""
        raised = threading.Event()

        def notify(event: Event) -> None:
            forward(event)
            may_stop = isinstance(event, StepStarted | Progress | Message)
            if may_stop and self.requested.is_set() and not raised.is_set():
                raised.set()
                raise KeyboardInterrupt

        return notify

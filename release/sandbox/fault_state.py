"""The faults that are on, and how often each has been met."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from release.sandbox.faults import Fault, RequestTarget


@dataclass(slots=True)
class _Counted:
    fault: Fault
    #: requests that fitted, whatever their number
    met: int = 0
    #: requests that it struck
    struck: int = 0


class ActiveFaults:
    """Faults in the order in which they were made; safe to use from many threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._counted = [_Counted(fault) for fault in faults]

    def inject(self, *faults: Fault) -> None:
        """More faults, behind those that are on; each counts from the next request."""
        with self._lock:
            self._counted += [_Counted(fault) for fault in faults]

    def clear(self) -> None:
        """No faults; requests that are under way keep theirs."""
        with self._lock:
            self._counted = []

    def now(self) -> tuple[tuple[Fault, int, int], ...]:
        """Each fault, with the number of requests that it fitted, and of those that it struck."""
        with self._lock:
            return tuple((one.fault, one.met, one.struck) for one in self._counted)

    @property
    def looks_inside(self) -> bool:
        """Whether one of them must know a form to tell."""
        return any(one.fault.when.looks_inside for one in self._counted)

    def strike(self, subject: RequestTarget) -> tuple[Fault, ...]:
        """Those that this request meets; it is counted."""
        with self._lock:
            return tuple(one.fault for one in self._counted if _strikes(one, subject))

    def __bool__(self) -> bool:
        return bool(self._counted)


def _strikes(one: _Counted, subject: RequestTarget) -> bool:
    if not one.fault.when.fits(subject):
        return False
    one.met += 1
    covered = one.fault.when.covers(one.met)
    one.struck += covered
    return covered

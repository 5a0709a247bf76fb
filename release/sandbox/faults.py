"""Faults: which requests they select, what happens to these, and the list of active faults.

All faults that match a request are applied together: delays add up; of several responses, and of several broken
connections, the first one counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from msgspec import Struct, field
from packaging.utils import canonicalize_name

#: where a connection breaks: how much of the request was read and processed, and of the response sent, by then
DropPoint = Literal["before-body", "in-body", "after-body", "after-work", "in-reply"]
#: how it breaks: RST; FIN; silence for as long as the client stays; bytes that are not HTTP
DropMode = Literal["reset", "close", "hang", "garbage"]


class RequestTarget(Struct, frozen=True, kw_only=True):
    """The properties of a request that a fault can select."""

    method: str
    #: without the query
    path: str
    #: as in the form or the URL; None if neither names one, or if no active fault needs it
    project: str | None = None
    filename: str | None = None


class RequestFilter(Struct, frozen=True, kw_only=True):
    """Selects the requests that match every given field."""

    method: str | None = None
    #: a shell pattern: "/simple/*"
    path: str | None = None
    #: in any spelling
    project: str | None = None
    #: a shell pattern: "*.whl"
    filename: str | None = None
    #: of the matching requests, counted from 1: only the n-th, or the first and the last (None: no last)
    nth: int | tuple[int, int | None] = (1, None)

    def matches(self, target: RequestTarget) -> bool:
        """Whether a request matches, apart from its number."""
        project = None if self.project is None else canonicalize_name(self.project)
        return (
            self.method in {None, target.method}
            and _matches(self.path, target.path)
            and _matches(self.filename, target.filename)
            and project in {None, target.project and canonicalize_name(target.project)}
        )

    def covers(self, number: int) -> bool:
        first, last = (self.nth, self.nth) if isinstance(self.nth, int) else self.nth
        return first <= number and (last is None or number <= last)


class CannedResponse(Struct, frozen=True, kw_only=True):
    """A response instead of the index's own."""

    #: HTTP status, 200 to 999
    status: int
    #: the reason phrase, Latin-1; None for the standard one
    reason: str | None = None
    #: names and values; without a Content-Type among them the body is plain text
    headers: tuple[tuple[str, str], ...] = ()
    #: None: the status line
    body: str | None = None
    #: `Retry-After`: seconds, or any text, sent unchanged
    retry_after: float | str | None = None
    #: `Retry-After` as an HTTP date: seconds from now by the sandbox's clock
    retry_date: float | None = None
    #: whether the index processes the request first, so that an uploaded file is stored
    stored: bool = False


class Drop(Struct, frozen=True, kw_only=True):
    """The connection breaks. Before "after-work" nothing is stored."""

    at: DropPoint
    how: DropMode = "reset"


class Slow(Struct, frozen=True, kw_only=True):
    """A slow network, or a slow index."""

    #: seconds before the first request of a connection is read
    connection: float = 0
    #: seconds between the work and the response
    answer: float = 0
    #: seconds that the work takes longer, after the request was received
    work: float = 0
    #: bytes a second from the client, per connection; None: unlimited
    up: float | None = None
    #: bytes a second to the client, per connection
    down: float | None = None


class Stale(Struct, frozen=True, kw_only=True):
    """The index's pages are some seconds old: a file appears that long after it was accepted."""

    seconds: float


class DiskFull(Struct, frozen=True, kw_only=True):
    """The server has no space for the file: nothing of it is stored."""

    #: HTTP status of the response
    status: int = 507


class Clash(Struct, frozen=True, kw_only=True):
    """Of several first files of a release that are uploaded at once, one is accepted and the others fail with a 500.

    Observed: warehouse 6b62157, 2026-11, in every run with more than one.
    """


Effect = CannedResponse | Drop | Slow | Stale | DiskFull | Clash
#: the word for each kind, in JSON and in the request log
KINDS: dict[str, type[Effect]] = {
    "answer": CannedResponse,
    "drop": Drop,
    "slow": Slow,
    "stale": Stale,
    "disk-full": DiskFull,
    "clash": Clash,
}


class Fault(Struct, frozen=True, kw_only=True):
    """One fault: its effect on some requests."""

    what: Effect
    when: RequestFilter = field(default_factory=RequestFilter)
    #: its name in the request log; empty for a description of it
    name: str = ""

    @property
    def label(self) -> str:
        if self.name or not isinstance(self.what, (CannedResponse, Drop)):
            return self.name or kind_of(self.what)
        if isinstance(self.what, Drop):
            return f"{self.what.how} {self.what.at}"
        return f"answer {self.what.status}, stored" if self.what.stored else f"answer {self.what.status}"


class FaultCount(NamedTuple):
    """An active fault, the number of requests that matched it, and of those to which it was applied."""

    fault: Fault
    matched: int
    applied: int


class ActiveFaults:
    """The active faults in the order in which they were added; thread-safe."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._counts = [FaultCount(fault, 0, 0) for fault in faults]

    def inject(self, *faults: Fault) -> None:
        """Add faults; each counts from the next request."""
        with self._lock:
            self._counts = [*self._counts, *(FaultCount(fault, 0, 0) for fault in faults)]

    def clear(self) -> None:
        """Remove all faults; requests in progress keep theirs."""
        with self._lock:
            self._counts = []

    def counts(self) -> tuple[FaultCount, ...]:
        with self._lock:
            return tuple(self._counts)

    @property
    def reads_form(self) -> bool:
        """Whether one of them requires the beginning of a form to be read."""
        filters = [one.fault.when for one in self._counts]
        return any(one.project is not None or one.filename is not None for one in filters)

    def match(self, target: RequestTarget) -> tuple[Fault, ...]:
        """Count a request and return the faults to apply to it."""
        found = []
        with self._lock:
            for number, (fault, matched, applied) in enumerate(self._counts):
                if fault.when.matches(target):
                    covered = fault.when.covers(matched + 1)
                    self._counts[number] = FaultCount(fault, matched + 1, applied + covered)
                    found += [fault] * covered
        return tuple(found)

    def __bool__(self) -> bool:
        return bool(self._counts)


def kind_of(effect: Effect) -> str:
    return next(word for word, kind in KINDS.items() if isinstance(effect, kind))


def _matches(pattern: str | None, text: str | None) -> bool:
    return pattern is None or (text is not None and fnmatchcase(text, pattern))

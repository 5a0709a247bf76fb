"""What can be made to go wrong, as data: which requests, and what becomes of them.

All faults that fit a request strike it together: slowness adds up; of several answers, and of several broken
connections, the first one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from packaging.utils import canonicalize_name

#: where a connection breaks: what has been read of the request, done, and sent of the answer by then
DropPoint = Literal["before-body", "in-body", "after-body", "after-work", "in-reply"]
#: how it breaks: RST; FIN; silence for as long as the client stays; bytes that are no HTTP
DropMode = Literal["reset", "close", "hang", "garbage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTarget:
    """What a request is about, as far as a fault can ask."""

    method: str
    #: without the query
    path: str
    #: as the form or the address spells it; None where neither names one, or where no fault asks for it
    project: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests: those that fit every field that is given."""

    method: str | None = None
    #: a shell pattern: "/simple/*"
    path: str | None = None
    #: however it is spelled
    project: str | None = None
    #: a shell pattern: "*.whl"
    filename: str | None = None
    #: of the requests that fit, counted from 1: the n-th alone, or the first and the last (None: no last)
    nth: int | tuple[int, int | None] = (1, None)

    @property
    def looks_inside(self) -> bool:
        """Whether the beginning of a form must be read to tell."""
        return self.project is not None or self.filename is not None

    def fits(self, subject: RequestTarget) -> bool:
        """Whether a request is one of those; its number is asked for apart."""
        return (
            self.method in {None, subject.method}
            and _matches(self.path, subject.path)
            and _matches(self.filename, subject.filename)
            and (self.project is None or _same(self.project, subject.project))
        )

    def covers(self, number: int) -> bool:
        first, last = (self.nth, self.nth) if isinstance(self.nth, int) else self.nth
        return first <= number and (last is None or number <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedResponse:
    """Another answer in the place of the index's own."""

    #: HTTP status, 200 to 999
    status: int
    #: the reason phrase, Latin-1; None for the usual one
    reason: str | None = None
    #: names and values; without a Content-Type among them the body is plain text
    headers: tuple[tuple[str, str], ...] = ()
    #: None: the status line once more
    body: str | None = None
    #: `Retry-After`: seconds, or any text as it stands
    retry_after: float | str | None = None
    #: `Retry-After` as an HTTP date: seconds from now by the sandbox's clock
    retry_date: float | None = None
    #: whether the index does its work first, so that what was uploaded is there
    stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The connection breaks. Until "after-work" nothing was stored."""

    at: DropPoint
    how: DropMode = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """A slow network, or a slow index."""

    #: seconds before the first request of a connection is read
    connection: float = 0
    #: seconds between the work and the answer
    answer: float = 0
    #: seconds that the work takes longer, once the request has arrived
    work: float = 0
    #: bytes a second from the client, a connection; None for as fast as it goes
    up: float | None = None
    #: bytes a second to the client, a connection
    down: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The index's pages show the state of some seconds ago: a file appears that long after it was accepted."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull:
    """The server has no room for the file: nothing of it is stored."""

    #: HTTP status that it answers with
    status: int = 507


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Of several first files of a release that are sent at once, one is accepted and the others end in a 500.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    what: Effect
    when: RequestFilter = field(default_factory=RequestFilter)
    #: what the request log calls it; empty for a description of it
    name: str = ""

    @property
    def label(self) -> str:
        return self.name or _described(self.what)


def kind_of(what: Effect) -> str:
    return next(word for word, kind in KINDS.items() if isinstance(what, kind))


def _described(what: Effect) -> str:
    if isinstance(what, CannedResponse):
        return f"answer {what.status}, stored" if what.stored else f"answer {what.status}"
    return f"{what.how} {what.at}" if isinstance(what, Drop) else kind_of(what)


def _matches(pattern: str | None, text: str | None) -> bool:
    return pattern is None or (text is not None and fnmatchcase(text, pattern))


def _same(wanted: str, name: str | None) -> bool:
    return name is not None and canonicalize_name(wanted) == canonicalize_name(name)

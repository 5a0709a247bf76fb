"""Faults: which requests, and what happens to them; the list of active faults; and faults as JSON.

All faults that match a request are applied together: delays add up; of several responses, and of several broken
connections, the first one counts. As JSON, each is a flat object whose key `do` names its kind:
`{"do": "answer", "status": 503, "retry_after": 2, "when": {"method": "POST", "nth": 3}}`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from functools import partial
from http import HTTPStatus
from math import inf
from typing import Any, Literal, NamedTuple, get_args

from packaging.utils import canonicalize_name

from release.core.tables import KeyPath, Reader, boolean, one_of, parse_json, read_list, read_table, string, table

#: where a connection breaks: how much of the request was read and processed, and of the response sent, by then
DropPoint = Literal["before-body", "in-body", "after-body", "after-work", "in-reply"]
#: how it breaks: RST; FIN; silence for as long as the client stays; bytes that are not HTTP
DropMode = Literal["reset", "close", "hang", "garbage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTarget:
    """The properties of a request that a fault can select."""

    method: str
    #: without the query
    path: str
    #: as in the form or the URL; None if neither names one, or if no active fault needs it
    project: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
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

    @property
    def reads_form(self) -> bool:
        """Whether matching requires the beginning of a form to be read."""
        return self.project is not None or self.filename is not None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedResponse:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """The connection breaks. Before "after-work" nothing is stored."""

    at: DropPoint
    how: DropMode = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The index's pages are some seconds old: a file appears that long after it was accepted."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull:
    """The server has no space for the file: nothing of it is stored."""

    #: HTTP status of the response
    status: int = 507


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
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
        return any(one.fault.when.reads_form for one in self._counts)

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


_MIN_STATUS, _MAX_STATUS = 200, 999


def parse_faults(json_text: str | bytes) -> tuple[Fault, ...]:
    """Parse one fault or a list of them. Raises `ConfigError`, which names the key."""
    data = parse_json(json_text, "the request")
    at = KeyPath(file="the request", path="faults" if isinstance(data, list) else "fault", noun="an object")
    return read_faults(data, at) if isinstance(data, list) else (_fault(data, at),)


def read_faults(value: Any, at: KeyPath) -> tuple[Fault, ...]:
    """Read a list of faults. Raises `ConfigError`."""
    return read_list(value, at, _fault)


def _fault(value: Any, at: KeyPath) -> Fault:
    if "do" not in table(value, at):
        raise at.missing("do")
    readers, required = _KINDS[one_of(*KINDS)(value["do"], at / "do")]
    read = read_table(value, at, {**_COMMON, **readers}, required)
    common = {key: read.pop(key) for key in _COMMON if key in read}
    return Fault(what=KINDS[common.pop("do")](**read), **common)


def fault_to_json(fault: Fault) -> dict[str, Any]:
    """Convert a fault to the object that `parse_faults` parses; defaults are omitted."""
    common = {"when": _non_defaults(fault.when), "name": fault.name}
    return {"do": kind_of(fault.what), **_non_defaults(fault.what), **{key: one for key, one in common.items() if one}}


def _non_defaults(model: Any) -> dict[str, Any]:
    data = {one.name: value for one in fields(model) if (value := getattr(model, one.name)) != one.default}
    return data | ({"headers": dict(data["headers"])} if "headers" in data else {})


def _number(value: Any, at: KeyPath, expected: str, *, least: float = -inf, above: float = -inf) -> float:
    if type(value) in {int, float} and least <= value < inf and value > above:
        return float(value) if isinstance(value, float) else int(value)
    raise at.wrong(expected, value)


def _status(value: Any, at: KeyPath) -> int:
    if isinstance(value, int) and _MIN_STATUS <= value <= _MAX_STATUS and not isinstance(value, bool):
        return value
    raise at.wrong(f"a status from {_MIN_STATUS} to {_MAX_STATUS}", value)


def _known_status(value: Any, at: KeyPath) -> int:
    if (status := _status(value, at)) in HTTPStatus._value2member_map_:
        return status
    raise at.wrong("a standard HTTP status", value)


def _nth(value: Any, at: KeyPath) -> int | tuple[int, int | None]:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) == 2 and _is_count(ends[0]) and (ends[1] is None or (_is_count(ends[1]) and ends[0] <= ends[1])):  # noqa: PLR2004 - the first and the last
        return (ends[0], ends[1]) if isinstance(value, list) else ends[0]
    raise at.wrong("a number from 1, or a list of the first and the last (null: no last)", value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _line(value: Any, at: KeyPath) -> str:
    """Read text that can be sent in the head of a response."""
    if isinstance(value, str) and all(" " <= one <= "\xff" and one != "\x7f" for one in value):
        return value
    raise at.wrong("one line of Latin-1 text", value)


def _headers(value: Any, at: KeyPath) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise at.wrong("an object of header names and values", value)
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise at.wrong("a header name", name)
        _line(text, at / name)
    return tuple(value.items())


def _body(value: Any, at: KeyPath) -> str:
    if isinstance(value, str):
        return value
    raise at.wrong("a string", value)


_WHEN: Mapping[str, Reader] = {
    "method": lambda value, at: string(value, at).upper(),
    **dict.fromkeys(("path", "project", "filename"), string),
    "nth": _nth,
}
_COMMON: Mapping[str, Reader] = {
    "do": string,
    "when": lambda value, at: RequestFilter(**read_table(value, at, _WHEN)),
    "name": _line,
}
_seconds: Reader = partial(_number, expected="a number of seconds, 0 or more", least=0)
_rate: Reader = partial(_number, expected="bytes a second, more than 0", above=0)
#: by kind: its keys, and those that are required
_KINDS: Mapping[str, tuple[Mapping[str, Reader], tuple[str, ...]]] = {
    "answer": (
        {
            "status": _status,
            "reason": _line,
            "headers": _headers,
            "body": _body,
            "retry_after": lambda value, at: (
                _line(value, at) if isinstance(value, str) else _number(value, at, "seconds, or a string")
            ),
            "retry_date": partial(_number, expected="a number of seconds"),
            "stored": boolean,
        },
        ("status",),
    ),
    "drop": ({"at": one_of(*get_args(DropPoint)), "how": one_of(*get_args(DropMode))}, ("at",)),
    "slow": ({"connection": _seconds, "answer": _seconds, "work": _seconds, "up": _rate, "down": _rate}, ()),
    "stale": ({"seconds": _seconds}, ("seconds",)),
    "disk-full": ({"status": _known_status}, ()),
    "clash": ({}, ()),
}

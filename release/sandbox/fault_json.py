"""Faults as JSON, in the seed data and at the control URL: a flat object each, whose key `do` names its kind.

Example: `{"do": "answer", "status": 503, "retry_after": 2, "when": {"method": "POST", "nth": 3}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from http import HTTPStatus
from math import inf
from typing import Any, get_args

from release.core.tables import KeyPath, Reader, boolean, one_of, parse_json, read_list, read_table, string, table
from release.sandbox.faults import KINDS, DropMode, DropPoint, Fault, RequestFilter, kind_of

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
    kind = one_of(*KINDS)(value["do"], at / "do")
    readers, required = _KINDS[kind]
    read = read_table(value, at, {**_COMMON, **readers}, required)
    common = {key: read.pop(key) for key in ("when", "name") if key in read}
    read.pop("do")
    return Fault(what=KINDS[kind](**read), **common)


def fault_to_json(fault: Fault) -> dict[str, Any]:
    """Convert a fault to the object that `parse_faults` parses; defaults are omitted."""
    data = {"do": kind_of(fault.what), **_non_defaults(fault.what)}
    if when := _non_defaults(fault.when):
        data["when"] = when
    return data | ({"name": fault.name} if fault.name else {})


def _non_defaults(model: Any) -> dict[str, Any]:
    values = {one.name: getattr(model, one.name) for one in fields(model)}
    data = {one.name: values[one.name] for one in fields(model) if values[one.name] != one.default}
    return data | ({"headers": dict(data["headers"])} if "headers" in data else {})


def _seconds(value: Any, at: KeyPath) -> float:
    return _number(value, at, "a number of seconds, 0 or more", least=0)


def _rate(value: Any, at: KeyPath) -> float:
    return _number(value, at, "bytes a second, more than 0", above=0)


def _number(value: Any, at: KeyPath, expected: str, *, least: float = -inf, above: float = -inf) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and least <= value < inf and value > above:
        return float(value) if isinstance(value, float) else value
    raise at.wrong(expected, value)


def _status(value: Any, at: KeyPath) -> int:
    if isinstance(value, int) and _MIN_STATUS <= value <= _MAX_STATUS and not isinstance(value, bool):
        return value
    raise at.wrong(f"a status from {_MIN_STATUS} to {_MAX_STATUS}", value)


def _known_status(value: Any, at: KeyPath) -> int:
    status = _status(value, at)
    if status in HTTPStatus._value2member_map_:
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
    return tuple((_header_name(name, at), _line(one, at / name)) for name, one in value.items())


def _header_name(value: str, at: KeyPath) -> str:
    if value and all(one.isascii() and (one.isalnum() or one in "!#$%&'*+-.^_`|~") for one in value):
        return value
    raise at.wrong("a header name", value)


def _body(value: Any, at: KeyPath) -> str:
    if isinstance(value, str):
        return value
    raise at.wrong("a string", value)


def _retry_after(value: Any, at: KeyPath) -> float | str:
    return _line(value, at) if isinstance(value, str) else _number(value, at, "seconds, or a string")


def _when(value: Any, at: KeyPath) -> RequestFilter:
    return RequestFilter(**read_table(value, at, _WHEN))


def _method(value: Any, at: KeyPath) -> str:
    return string(value, at).upper()


_WHEN: Mapping[str, Reader] = {"method": _method, "path": string, "project": string, "filename": string, "nth": _nth}
_COMMON: Mapping[str, Reader] = {"do": string, "when": _when, "name": _line}
#: by kind: its keys, and those that are required
_KINDS: Mapping[str, tuple[Mapping[str, Reader], tuple[str, ...]]] = {
    "answer": (
        {
            "status": _status,
            "reason": _line,
            "headers": _headers,
            "body": _body,
            "retry_after": _retry_after,
            "retry_date": lambda value, at: _number(value, at, "a number of seconds"),
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

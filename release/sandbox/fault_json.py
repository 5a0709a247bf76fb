"""Faults as JSON: in seed data, and over HTTP.

Each is a flat object whose key `do` names its kind:
`{"do": "answer", "status": 503, "retry_after": 2, "when": {"method": "POST", "nth": 3}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from math import inf
from typing import Any, get_args

from msgspec.structs import fields

from release.core.tables import KeyPath, Reader, boolean, one_of, parse_json, read_list, read_table, string, table
from release.sandbox.faults import KINDS, DropMode, DropPoint, Fault, RequestFilter, kind_of


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
    word = one_of(*KINDS)(value["do"], at / "do")
    required = [one.name for one in fields(KINDS[word]) if one.required]
    read = read_table(value, at, {**_COMMON, **_EFFECTS[word]}, required)
    common = {key: read.pop(key) for key in _COMMON if key in read}
    del common["do"]
    return Fault(what=KINDS[word](**read), **common)


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
    if type(value) is int and value in range(200, 1000):
        return value
    raise at.wrong("a status from 200 to 999", value)


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
    return type(value) is int and value >= 1


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
#: by kind, the keys of its fields
_EFFECTS: Mapping[str, Mapping[str, Reader]] = {
    "answer": {
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
    "drop": {"at": one_of(*get_args(DropPoint)), "how": one_of(*get_args(DropMode))},
    "slow": {"connection": _seconds, "answer": _seconds, "work": _seconds, "up": _rate, "down": _rate},
    "stale": {"seconds": _seconds},
    "disk-full": {"status": _known_status},
    "clash": {},
}

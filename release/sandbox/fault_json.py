"""Faults as JSON, in the world file and over the control address: one object each, flat, with a word for its kind.

Such as `{"do": "answer", "status": 503, "retry_after": 2, "when": {"method": "POST", "nth": 3}}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from http import HTTPStatus
from typing import Any, get_args

from release.core.errors import UsageError
from release.sandbox.faults import KINDS, DropMode, DropPoint, Fault, RequestFilter, kind_of
from release.sandbox.json_reader import Reader, among, one_of, record, switch, text, wrong

_LEAST_STATUS, _LAST_STATUS = 200, 999


def parse_faults(json_text: str | bytes) -> tuple[Fault, ...]:
    """One fault, or a list of them. Raises UsageError, which names the place."""
    try:
        data = json.loads(json_text)
    except ValueError as error:
        raise UsageError(f"the faults are no JSON: {error}", remedy="mend it at that place") from None
    return faults(data, "the faults") if isinstance(data, list) else (fault(data, "the fault"),)


def faults(value: Any, where: str) -> tuple[Fault, ...]:
    """A list of faults; `where` is how a complaint names the list. Raises UsageError."""
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    return tuple(fault(one, f"{where}[{number}]") for number, one in enumerate(value))


def fault(value: Any, where: str) -> Fault:
    """One fault. Raises UsageError."""
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    if "do" not in value:
        raise UsageError(f"{where}: key 'do' is missing", remedy=f"say what happens: {', '.join(KINDS)}")
    word = among(text(value["do"], f"{where}.do"), f"{where}.do", KINDS)
    readers, required = _KINDS[word]
    read = record(value, where, {**_COMMON, **readers}, required)
    common = {key: read.pop(key) for key in ("when", "name") if key in read}
    read.pop("do")
    return Fault(what=KINDS[word](**read), **common)


def fault_to_json(fault: Fault) -> dict[str, Any]:
    """What `fault` reads; defaults are left out."""
    data = {"do": kind_of(fault.what), **_given(fault.what)}
    if when := _given(fault.when):
        data["when"] = when
    return data | ({"name": fault.name} if fault.name else {})


def _given(noun: Any) -> dict[str, Any]:
    found = {one.name: getattr(noun, one.name) for one in fields(noun)}
    given = {one.name: found[one.name] for one in fields(noun) if found[one.name] != one.default}
    return given | ({"headers": dict(given["headers"])} if "headers" in given else {})


def _seconds(value: Any, where: str) -> float:
    return _number(value, where, "a number of seconds, 0 or more", least=0)


def _rate(value: Any, where: str) -> float:
    return _number(value, where, "bytes a second, more than 0", above=0)


def _number(value: Any, where: str, wanted: str, *, least: float | None = None, above: float | None = None) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value < float("inf")
    if good and (least is None or value >= least) and (above is None or value > above):
        return float(value) if isinstance(value, float) else value
    raise wrong(where, wanted, value)


def _status(value: Any, where: str) -> int:
    if isinstance(value, int) and _LEAST_STATUS <= value <= _LAST_STATUS and not isinstance(value, bool):
        return value
    raise wrong(where, f"a status from {_LEAST_STATUS} to {_LAST_STATUS}", value)


def _known_status(value: Any, where: str) -> int:
    status = _status(value, where)
    if status in HTTPStatus._value2member_map_:
        return status
    raise wrong(where, "a status that HTTP knows", value)


def _nth(value: Any, where: str) -> int | tuple[int, int | None]:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) == 2 and _counts(ends[0]) and (ends[1] is None or (_counts(ends[1]) and ends[0] <= ends[1])):  # noqa: PLR2004 - the first and the last
        return (ends[0], ends[1]) if isinstance(value, list) else ends[0]
    raise wrong(where, "a number from 1, or a list of the first and the last (null: no last)", value)


def _counts(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _line(value: Any, where: str) -> str:
    """What fits a line of an HTTP head."""
    if isinstance(value, str) and all(" " <= one <= "\xff" and one != "\x7f" for one in value):
        return value
    raise wrong(where, "one line of Latin-1", value)


def _headers(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise wrong(where, "an object of header names and values", value)
    return tuple((_name(name, where), _line(one, f"{where}.{name}")) for name, one in value.items())


def _name(value: str, where: str) -> str:
    if value and all(one.isascii() and (one.isalnum() or one in "!#$%&'*+-.^_`|~") for one in value):
        return value
    raise wrong(where, "a header's name", value)


def _body(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    raise wrong(where, "a text", value)


def _retry_after(value: Any, where: str) -> float | str:
    return _line(value, where) if isinstance(value, str) else _number(value, where, "seconds, or a text")


def _when(value: Any, where: str) -> RequestFilter:
    return RequestFilter(**record(value, where, _WHEN))


def _method(value: Any, where: str) -> str:
    return text(value, where).upper()


_WHEN: Mapping[str, Reader] = {"method": _method, "path": text, "project": text, "filename": text, "nth": _nth}
_COMMON: Mapping[str, Reader] = {"do": text, "when": _when, "name": _line}
#: by kind: the keys, and those that must be there
_KINDS: Mapping[str, tuple[Mapping[str, Reader], tuple[str, ...]]] = {
    "answer": (
        {
            "status": _status,
            "reason": _line,
            "headers": _headers,
            "body": _body,
            "retry_after": _retry_after,
            "retry_date": lambda value, where: _number(value, where, "a number of seconds"),
            "stored": switch,
        },
        ("status",),
    ),
    "drop": ({"at": one_of(*get_args(DropPoint)), "how": one_of(*get_args(DropMode))}, ("at",)),
    "slow": ({"connection": _seconds, "answer": _seconds, "work": _seconds, "up": _rate, "down": _rate}, ()),
    "stale": ({"seconds": _seconds}, ("seconds",)),
    "disk-full": ({"status": _known_status}, ()),
    "clash": ({}, ()),
}

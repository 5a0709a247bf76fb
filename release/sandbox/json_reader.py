"""JSON values, read with care: every complaint names the place, what it wants, and the nearest good word."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from release.core.errors import UsageError

#: (value, where) → what it means; raises UsageError
Reader = Callable[[Any, str], Any]


def record(value: Any, where: str, readers: Mapping[str, Reader], required: Iterable[str] = ()) -> dict[str, Any]:
    """An object whose keys are known; only those that are given are in the answer."""
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    for key in value:
        if key not in readers:
            raise UsageError(
                f"{where}: unknown key {key!r}{did_you_mean(key, readers)}", remedy=f"use {words(readers)}"
            )
    for key in required:
        if key not in value:
            raise UsageError(f"{where}: key {key!r} is missing", remedy=f"add {key!r} to {where}")
    return {key: readers[key](one, f"{where}.{key}") for key, one in value.items()}


def records(value: Any, where: str, readers: Mapping[str, Reader], required: Iterable[str]) -> list[dict[str, Any]]:
    """A list of such objects, no two of the same name."""
    if not isinstance(value, list):
        raise wrong(where, "a list", value)
    read = [record(one, f"{where}[{number}]", readers, required) for number, one in enumerate(value)]
    seen: set[str] = set()
    for number, one in enumerate(read):
        if one["name"] in seen:
            raise UsageError(f"{where}[{number}]: a second {one['name']!r}", remedy="give each a name of its own")
        seen.add(one["name"])
    return read


def text(value: Any, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise wrong(where, "a text", value)


def switch(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong(where, "true or false", value)


def texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise wrong(where, "a list of texts", value)
    return tuple(text(one, f"{where}[{number}]") for number, one in enumerate(value))


def moment(value: Any, where: str) -> int:
    """Unix seconds, given as such or as an ISO date with its offset."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise wrong(where, "a time: unix seconds, or a text like '2027-01-31T00:00:00Z'", value) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def one_of(*known: str) -> Reader:
    def read(value: Any, where: str) -> str:
        return among(text(value, where), where, known)

    return read


def among(word: str, where: str, known: Iterable[str]) -> str:
    """The word, which is one of those known."""
    known = tuple(known)
    if word in known:
        return word
    remedy = f"use {words(known)}" if known else f"declare {word!r} in the world file first"
    raise UsageError(f"{where}: unknown {word!r}{did_you_mean(word, known)}", remedy=remedy)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def words(known: Iterable[str]) -> str:
    return ", ".join(known)


def wrong(where: str, wanted: str, got: object) -> UsageError:
    shown = repr(got)
    if len(shown) > 60:  # noqa: PLR2004 - what still fits a line
        shown = shown[:57] + "..."
    return UsageError(f"{where}: {shown} is not {wanted}", remedy=f"write {wanted} there")

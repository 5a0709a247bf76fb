"""Findings that warn, and phrases that the messages of several checks share."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from release.core.models.finding import Finding

#: names listed in one message
_LISTED = 3


def warn(
    message: str, remedy: str, where: str | None = None, *, source: str | None = None, cause: str | None = None
) -> Finding:
    """A finding that does not block."""
    return Finding(message=message, remedy=remedy, severity="warn", where=where, source=source, cause=cause)


def quote(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas."""
    return ", ".join(map(repr, names))


def quote_some(names: Collection[str], listed: int = _LISTED) -> str:
    """The first names in quotes, and how many more there are."""
    more = f" and {len(names) - listed} more" if len(names) > listed else ""
    return quote(islice(names, listed)) + more


def count(number: int, noun: str) -> str:
    """A number with its noun in singular or plural: "1 file", "2 files"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

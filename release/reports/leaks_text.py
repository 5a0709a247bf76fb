"""Tells what a search for secrets has found: the fingerprint and the place, never the secret. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from release.core.facts import LeakScan
from release.core.models.finding import Finding
from release.core.models.leak import Leak

#: how many of those that are passed over, or can't be read, a terminal is shown
_SHOWN = 3
_NOUNS = {"files": "file", "tree": "file", "staged": "staged file", "history": "object of the history"}


def leaks_block(found: Sequence[LeakScan]) -> bool:
    """Whether there is anything that must not go out, or a file that was given and can't be searched."""
    return any(one.searched.real or (one.scope == "files" and one.searched.unread) for one in found)


def leaks_to_json(found: Sequence[LeakScan]) -> dict[str, Any]:
    """The whole search as a JSON document of schema 1.

    `{"schema": 1, "searched": [{"scope", "count"}], "findings": [{"message", "remedy", "where", "kind", "identity",
    "path", "line", "commit", "cause", "source"}], "passed_over": [{"what", "where"}], "unread": [{"path", "reason"}]}`
    """
    return {
        "schema": 1,
        "searched": [{"scope": one.scope, "count": one.searched.count} for one in found],
        "findings": [_finding(leak, one) for one in found for leak in one.searched.real],
        "passed_over": [{"what": leak.what, "where": leak.where} for leak in _passed_over(found)],
        "unread": [{"path": part.path, "reason": part.reason} for one in found for part in one.searched.unread],
    }


def _finding(leak: Leak, leaks: LeakScan) -> dict[str, Any]:
    said = _said(leak, leaks)
    return {
        "message": said.message,
        "remedy": said.remedy,
        "where": leak.where,
        "kind": leak.kind,
        "identity": leak.identity,
        "path": leak.path,
        "line": leak.line,
        "commit": leak.commit or (leak.object if leak.object_type == "commit" else None),
        "cause": said.cause,
        "source": said.source,
    }


def _said(leak: Leak, leaks: LeakScan) -> Finding:
    from release.checks.leak_checks import leak_finding  # a clean scan, before each commit, needs no checks

    return leak_finding(leak, leaks)


def _passed_over(found: Sequence[LeakScan]) -> list[Leak]:
    return [leak for one in found for leak in one.searched.leaks if leak.passed_over]


def leaks_to_text(found: Sequence[LeakScan], *, quiet: bool = False) -> Iterator[str]:
    """The same for a terminal."""
    for one in found:
        for leak in one.searched.real:
            said = _said(leak, one)
            yield f"FAIL  {said.message}"
            yield f"      → {said.remedy}"
    if quiet:
        return
    unread = [part for one in found for part in one.searched.unread]
    yield from _some("warn", "not searched", [f"{part.path}: {part.reason}".removeprefix(": ") for part in unread])
    passed = [f"{leak.what} in {leak.where}" for leak in _passed_over(found)]
    yield from _some("note", "passed over, as it lies among tests, examples or machine code", passed)
    count = sum(len(one.searched.real) for one in found)
    looked = ", ".join(_counted(one.searched.count, _NOUNS[one.scope]) for one in found)
    yield f"{_counted(count, 'secret') if count else 'no secret'} in {looked}"


def _some(mark: str, what: str, texts: Sequence[str]) -> Iterator[str]:
    for text in texts[:_SHOWN]:
        yield f"{mark}  {what}: {text}"
    if len(texts) > _SHOWN:
        yield f"{mark}  … and {len(texts) - _SHOWN} more: --json lists them"


def _counted(number: int, noun: str) -> str:
    first, _, rest = noun.partition(" of ")
    return f"{number} {first}{'' if number == 1 else 's'}{' of ' + rest if rest else ''}"

"""The result of a search for secrets as text and JSON: fingerprints and locations, never the secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from release.core.facts import LeakScan
from release.core.models.check_result import Finding
from release.core.models.leak import Leak, UnscannedFile
from release.core.quoting import escape_unprintable
from release.core.time_text import format_count

#: ignored secrets, and unreadable files, that are shown
_SHOWN = 3
#: scope → what was searched; files, if the scope is not listed
_NOUNS = {"staged": ("staged file", ""), "history": ("object", " of the history")}


def leaks_block(found: Sequence[LeakScan]) -> bool:
    """Whether there are secrets, a search was given up, or a file on the command line could not be searched."""
    return any(one.real for one in found) or bool(_unread(found, blocks=True))


def _unread(found: Sequence[LeakScan], *, blocks: bool) -> list[UnscannedFile]:
    """What was not searched completely, and blocks or does not."""
    return [part for one in found for part in one.searched.unread if (one.scope == "files" or part.given_up) is blocks]


def leaks_to_json(found: Sequence[LeakScan]) -> dict[str, Any]:
    """The document, schema 1.

    `{"schema": 1, "searched": [{"scope", "count"}], "findings": [{"message", "remedy", "where", "kind", "identity",
    "path", "line", "commit", "cause", "source"}], "passed_over": [{"what", "where"}], "unread": [{"path", "reason"}]}`
    """
    return {
        "schema": 1,
        "searched": [{"scope": one.scope, "count": one.searched.count} for one in found],
        "findings": [_finding_to_json(leak, one) for one in found for leak in one.real],
        "passed_over": [{"what": leak.what, "where": leak.where} for leak in _ignored(found)],
        "unread": [{"path": part.path, "reason": part.reason} for one in found for part in one.searched.unread],
    }


def _finding_to_json(leak: Leak, scan: LeakScan) -> dict[str, Any]:
    finding = _finding(leak, scan)
    return {
        "message": finding.message, "remedy": finding.remedy, "where": leak.where, "kind": leak.kind,
        "identity": leak.identity, "path": leak.path, "line": leak.line,
        "commit": leak.commit or (leak.object if leak.object_type == "commit" else None),
        "cause": finding.cause, "source": finding.source,
    }  # fmt: skip


def _finding(leak: Leak, scan: LeakScan) -> Finding:
    from release.checks.leak_checks import leak_finding  # a clean scan, before each commit, needs no checks

    return leak_finding(leak, scan)


def _ignored(found: Sequence[LeakScan]) -> list[Leak]:
    """Each secret once, at its first place."""
    leaks = [leak for one in found for leak in one.searched.leaks if leak.is_example]
    return list({(leak.kind, leak.identity): leak for leak in reversed(leaks)}.values())[::-1]


def leaks_to_text(found: Sequence[LeakScan], *, quiet: bool = False) -> Iterator[str]:
    """What was not searched or ignored, and the counts, unless `quiet`; then the secrets with their remedies.

    What could not be searched is shown with `quiet` as well where it blocks.
    """
    for blocks in (False, True):
        unread = _unread(found, blocks=blocks)
        texts = [f"{escape_unprintable(part.path)}: {part.reason}".removeprefix(": ") for part in unread]
        if blocks or not quiet:
            yield from _first("FAIL" if blocks else "warn", "not searched", texts)
    if not quiet:
        yield from _counts_to_text(found)
    for one in found:
        for leak in one.real:
            finding = _finding(leak, one)
            yield f"FAIL  {finding.message}"
            yield f"      → {finding.remedy}"


def _counts_to_text(found: Sequence[LeakScan]) -> Iterator[str]:
    ignored = [f"{leak.what} in {leak.where}" for leak in _ignored(found)]
    yield from _first("note", "ignored in tests, examples or machine code, or expired", ignored)
    count = sum(len(one.real) for one in found)
    nouns = ((one.searched.count, *_NOUNS.get(one.scope, ("file", ""))) for one in found)
    searched = ", ".join(f"{format_count(number, noun)}{rest}" for number, noun, rest in nouns)
    unread = len(_unread(found, blocks=True))
    rest = f", and {format_count(unread, 'file')} not searched to the end" if unread else ""
    yield f"{format_count(count, 'secret') if count else 'no secret'} in {searched}{rest}"


def _first(mark: str, label: str, texts: Sequence[str]) -> Iterator[str]:
    yield from (f"{mark}  {label}: {text}" for text in texts[:_SHOWN])
    if len(texts) > _SHOWN:
        yield f"{mark}  … and {len(texts) - _SHOWN} more: --json lists them"

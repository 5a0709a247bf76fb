"""The releases of a project, read off their records: for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from release.reports import record_text
from release.reports.formatting import format_size, printable
from release.reports.record_text import progress_by_index


def history_entry(record: Mapping[str, Any], *, where: str, rehearsal: bool) -> dict[str, Any]:
    """One release as data; `where` is the path of its record."""
    run = record["runs"][-1]
    found = progress_by_index(record)
    return {
        **{key: record[key] for key in ("project", "version", "commit", "tag")},
        "rehearsal": rehearsal,
        "date": run["ended"],
        "verb": run["verb"],
        "exit": run["exit"]["status"],
        "message": run["exit"]["message"],
        "indexes": {one.index: {"standing": one.summary, "verified": one.verified} for one in found},
        "files": record["files"],
        "runs": len(record["runs"]),
        "record": where,
    }


def newest_first(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda one: str(one["date"]), reverse=True)


def history_lines(entries: list[dict[str, Any]], unreadable: Iterable[str]) -> Iterator[str]:
    """The same for a terminal; `unreadable` are messages about records that are none."""
    for one in entries:
        yield from map(printable, _lines(one))
    yield from unreadable
    if not entries:
        yield "no run has left a record here"
        yield "→ run: python -m release rehearse"


def _lines(one: dict[str, Any]) -> Iterator[str]:
    what = "rehearsal of " if one["rehearsal"] else ""
    commit = f" at {one['commit'][:12]}" if one["commit"] else ""
    end = record_text.run_outcome({"exit": {"status": one["exit"]}})[1]
    when = record_text.format_time(one["date"])
    yield f"{what}{record_text.release_title(one)}{commit}, {when}: {one['verb']} {end} ({one['exit']})"
    if one["exit"]:
        yield f"  {one['message']}"
    for name, index in one["indexes"].items():
        yield f"  {name}: {index['standing']}"
    total = format_size(sum(file["size"] for file in one["files"]))
    if one["files"]:
        yield f"  {len(one['files'])} file{'s' if len(one['files']) > 1 else ''}, {total}"

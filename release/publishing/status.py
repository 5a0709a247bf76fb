"""The releases of a project, from their journals (`status`) and from their records (`history`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.adapters import members, project_config
from release.adapters.system.state_directory import releases_directory
from release.checks.all_checks import check_names
from release.core.errors import ReleaseError
from release.core.time_text import format_count
from release.publishing import journal as journals
from release.reports import record_text
from release.reports.lines import format_size, printable
from release.reports.record_text import progress_by_index

if TYPE_CHECKING:
    from release.publishing.journal import Journal


def load_status(project: Path) -> list[dict[str, Any]]:
    """Every release and rehearsal in this directory, the newest last: its files, and their state on each index."""
    found = [_release(journal) for journal in journals.release_journals(project)]
    rehearsal = (
        journals.for_rehearsal(project, version=None, commit=None) if releases_directory(project).is_dir() else None
    )
    if rehearsal and any(rehearsal.events()):
        found.insert(0, _release(rehearsal) | {"rehearsal": True})
    return found


def _release(journal: Journal) -> dict[str, Any]:
    events = list(journal.events())
    indexes: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["event"] in {"sending", "accepted", "refused", "unclear"}:
            files = indexes.setdefault(event["index"], {"files": {}, "verified": False})["files"]
            files[event["file"]] = event["event"]
        elif event["event"] == "verified":
            indexes.setdefault(event["index"], {"files": {}, "verified": False})["verified"] = True
    last: dict[str, Any] = events[-1] if events else {}
    return {
        "version": next((e["version"] for e in reversed(events) if e.get("version")), None),
        "commit": next((e["commit"] for e in reversed(events) if e.get("commit")), None),
        "rehearsal": False,
        "files": [{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in journal.built()],
        "indexes": indexes,
        "tag": next((e["tag"] for e in reversed(events) if e["event"] == "tagged"), None),
        "ended": last.get("exit") if last.get("event") == "ended" else None,
        "last": last.get("time"),
        "journal": str(journal.directory / "journal.jsonl"),
    }


def is_set_root(directory: Path) -> bool:
    """Whether the directory declares a release set; False where its configuration cannot be read."""
    with suppress(ReleaseError):
        config = project_config.load_config(directory, check_names=check_names, needs_project=False)
        return members.find_settings(directory, config) is not None
    return False


def status_to_lines(releases: list[dict[str, Any]], *, of_set: bool = False) -> Iterator[str]:
    """The status for a terminal; `of_set`: the directory is the root of a set, whose members have their own."""
    if of_set:
        yield "a release set is declared here; its members have their own status"
        yield "→ run: pypi-preflight set status"
    elif not releases:
        yield "nothing has been released or rehearsed here"
        yield "→ run: pypi-preflight rehearse"
    for release in releases:
        what = "rehearsal of " if release["rehearsal"] else ""
        commit = f" at {release['commit'][:12]}" if release["commit"] else ""
        yield f"{what}{release['version'] or 'an unknown version'}{commit}, last written {release['last']}"
        for file in release["files"]:
            yield f"  {file['file']}  {format_count(file['size'], 'byte')}  sha256 {file['sha256'][:16]}…"
        for name, index in release["indexes"].items():
            count = list(index["files"].values()).count("accepted")
            total = f" of {len(release['files'])}" if release["files"] else ""  # prebuilt files are not in the journal
            accepted = f"{count}{total} files" if total else format_count(count, "file")
            yield f"  {name}: {accepted} accepted, {'confirmed' if index['verified'] else 'not confirmed'}"
        if release["ended"] is None:
            yield "  the last run has not ended: it was interrupted, or is still running"
        yield f"  journal: {printable(release['journal'])}"


def history_entry_to_json(record: Mapping[str, Any], *, path: str, rehearsal: bool) -> dict[str, Any]:
    """One release for JSON; `path`: of its record."""
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
        "record": path,
    }


def history_to_lines(entries: list[dict[str, Any]], unreadable: Iterable[str]) -> Iterator[str]:
    """The history for a terminal; `unreadable`: messages about invalid records."""
    for one in entries:
        yield from map(printable, _entry_lines(one))
    yield from unreadable
    if not entries:
        yield "there are no records here"
        yield "→ run: pypi-preflight rehearse"


def _entry_lines(one: dict[str, Any]) -> Iterator[str]:
    what = "rehearsal of " if one["rehearsal"] else ""
    commit = f" at {one['commit'][:12]}" if one["commit"] else ""
    end = record_text.run_outcome({"exit": {"status": one["exit"]}})[1]
    when = record_text.timestamp_to_text(one["date"])
    yield f"{what}{record_text.release_title(one)}{commit}, {when}: {one['verb']} {end} ({one['exit']})"
    if one["exit"]:
        reason, _, _ = one["message"].partition("\n")
        yield f"  {reason}"
    for name, index in one["indexes"].items():
        yield f"  {name}: {index['standing']}"
    total = format_size(sum(file["size"] for file in one["files"]))
    if one["files"]:
        yield f"  {len(one['files'])} file{'s' if len(one['files']) > 1 else ''}, {total}"

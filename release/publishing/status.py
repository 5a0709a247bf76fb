"""What the journal knows of a project's releases, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release.publishing import journal as journals
from release.publishing.journal import Journal


def load_status(project: Path) -> list[dict[str, Any]]:
    """Every release and rehearsal begun here, the last one last: what was built, and what became of it where."""
    found = [_release(journal) for journal in journals.release_journals(project)]
    rehearsal = journals.for_rehearsal(project, version=None, commit=None) if (project / ".release").is_dir() else None
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


def status_lines(releases: list[dict[str, Any]]) -> Iterator[str]:
    """The same for a terminal."""
    if not releases:
        yield "nothing has been released or rehearsed here"
        yield "→ run: python -m release rehearse"
    for release in releases:
        what = "rehearsal of " if release["rehearsal"] else ""
        commit = f" at {release['commit'][:12]}" if release["commit"] else ""
        yield f"{what}{release['version'] or 'an unknown version'}{commit}, last written {release['last']}"
        for file in release["files"]:
            yield f"  {file['file']}  {file['size']} bytes  sha256 {file['sha256'][:16]}…"
        for name, index in release["indexes"].items():
            states = list(index["files"].values())
            accepted = f"{states.count('accepted')} of {len(release['files'])} files accepted"
            yield f"  {name}: {accepted}, {'verified' if index['verified'] else 'not verified'}"
        if release["ended"] is None:
            yield "  the last run did not end: it was stopped, or is under way"
        yield f"  journal: {release['journal']}"

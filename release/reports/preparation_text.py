"""The plan of a preparation as text and JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from release.core.models.preparation import CommitSummary, FileEdit, Preparation
from release.core.time_text import format_count
from release.reports.lines import Line, printable, remedy_to_lines

#: commits, and lines of one diff, that a plan shows
_COMMITS, _DIFF = 12, 24


def preparation_to_lines(made: Preparation, steps: Sequence[str] = (), *, verbose: bool = False) -> Iterator[Line]:
    """The commits, the version and why, each edit as a short diff, the tools, and what follows (`steps`)."""
    since = f"since {made.last_tag}" if made.last_tag else "so far"
    yield Line(text=f"{made.project}: {format_count(len(made.commits), 'commit')} {since}", style="bold")
    yield from _commit_lines(made.commits, len(made.commits) if verbose else _COMMITS)
    current = f"{made.current} → " if made.current and made.current != made.proposal.version else ""
    yield Line(text=f"version: {current}{made.proposal.text}  ({printable(made.proposal.reason)})", style="bold")
    for edit in made.edits:
        yield Line(text=f"  {edit.path}: {printable(edit.what)}")
        yield from diff_to_lines(edit, 10_000 if verbose else _DIFF)
    for finding in made.findings:
        where = f"{finding.where}: " if finding.where and finding.where not in finding.message else ""
        mark, style = ("warn", "yellow") if finding.severity == "warn" else ("FAIL", "bold red")
        yield Line(text=f"  {mark:<7}{where}{printable(finding.message)}", style=style)
        yield from remedy_to_lines(finding.remedy, margin="         ")
    for number, title in enumerate([*(one.what for one in made.runs), *steps], 1):
        yield Line(text=f"  {number}. {title}")


def _commit_lines(commits: Sequence[CommitSummary], limit: int) -> Iterator[Line]:
    for one in commits[:limit]:
        yield Line(text=f"  {one.commit[:7]} {printable(one.subject)}", style="dim")
    if len(commits) > limit:
        yield Line(text=f"  and {len(commits) - limit} more", style="dim")


def diff_to_lines(edit: FileEdit, limit: int) -> Iterator[Line]:
    """The changed lines of an edit, without their surroundings."""
    changed = list(changed_lines(edit))
    for line in changed[:limit]:
        style = "green" if line.startswith("+") else "red"
        yield Line(text=f"    {printable(line)}", style=style)
    if len(changed) > limit:
        yield Line(text=f"    and {format_count(len(changed) - limit, 'more line')}", style="dim")


def changed_lines(edit: FileEdit) -> Iterator[str]:
    """The lines that an edit removes ("-") and adds ("+")."""
    before, after = ((data or b"").decode("utf-8", "replace").splitlines() for data in (edit.before, edit.after))
    for line in islice(difflib.unified_diff(before, after, lineterm="", n=0), 2, None):  # after the names of files
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"


def preparation_to_json(made: Preparation) -> dict[str, Any]:
    """The plan for JSON; the keys of `prepare --json`."""
    return {
        "project": made.project,
        "current": str(made.current) if made.current else None,
        "version": made.proposal.text, "bump": made.proposal.bump, "reason": made.proposal.reason,
        "last_tag": made.last_tag,
        "commits": [{"commit": one.commit, "subject": one.subject} for one in made.commits],
        "edits": [{"path": one.path, "what": one.what, "diff": list(changed_lines(one))} for one in made.edits],
        "runs": [{"argv": list(one.argv), "what": one.what} for one in made.runs],
        "findings": [
            {"message": one.message, "remedy": one.remedy, "severity": one.severity, "where": one.where}
            for one in made.findings
        ],
        "commit_message": made.message, "tag": made.tag,
    }  # fmt: skip

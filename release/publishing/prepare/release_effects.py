"""Whether a release has left anything behind that its commit must stay for."""

from __future__ import annotations

from pathlib import Path

from release.core.plan import SANDBOX
from release.publishing import journal as journals

#: events that no undone preparation may leave behind
_LASTING = frozenset({"tagged", "pushed", "released"})


def has_lasting_effects(directory: Path, commit: str) -> bool:
    """Whether the runs for a commit have sent anything to a lasting index, or tagged it, by their journals."""
    for journal in journals.release_journals(directory):
        if journal.commit != commit:
            continue
        for event in journal.events():
            sent = event["event"] in {"sending", "accepted"} and event.get("index") != SANDBOX
            if sent or event["event"] in _LASTING:
                return True
    return False

"""The list of releases."""

from __future__ import annotations

from typing import Any

from release.publishing.status import history_to_lines


def test_a_failed_run_has_one_line_for_its_reason() -> None:
    entry: dict[str, Any] = {
        "project": "acme", "version": "1.0", "commit": None, "tag": None, "rehearsal": True,
        "date": "2026-11-27T12:00:00+00:00", "verb": "rehearse", "exit": 1,
        "message": "the project does not build: 'no such file'\n    error: …\n    hint: …", "indexes": {}, "files": [],
    }  # fmt: skip
    lines = list(history_to_lines([entry], ()))
    assert "  the project does not build: 'no such file'" in lines
    assert not any("hint" in line for line in lines)

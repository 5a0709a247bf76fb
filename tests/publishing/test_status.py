"""The list of releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.publishing.status import history_to_lines, is_set_root, status_to_lines


def test_a_failed_run_has_one_line_for_its_reason() -> None:
    entry: dict[str, Any] = {
        "project": "acme", "version": "1.0", "commit": None, "tag": None, "rehearsal": True,
        "date": "2026-11-27T12:00:00+00:00", "verb": "rehearse", "exit": 1,
        "message": "the project does not build: 'no such file'\n    error: …\n    hint: …", "indexes": {}, "files": [],
    }  # fmt: skip
    lines = list(history_to_lines([entry], ()))
    assert "  the project does not build: 'no such file'" in lines
    assert not any("hint" in line for line in lines)


@pytest.mark.parametrize(
    ("table", "declares"),
    [
        ('[tool.release.set]\nmembers = ["packages/*"]\n', True),
        ('[tool.uv.workspace]\nmembers = ["packages/*"]\n', True),
        ('[project]\nname = "acme"\n', False),
        ("[tool.release.set\n", False),
    ],
)
def test_the_root_of_a_set_names_the_status_of_the_set(tmp_path: Path, table: str, *, declares: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    assert is_set_root(tmp_path) == declares
    lines = list(status_to_lines([], of_set=declares))
    assert ("→ run: pypi-preflight set status" in lines) == declares
    assert ("→ run: pypi-preflight rehearse" in lines) != declares

"""The versions that decide, and that every text names the same server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from release.acceptance.server_reference import SERVER
from release.reports import version_report

ROOT = Path(__file__).parents[2]
COMMIT = re.compile(r"warehouse,? (?:commit )?([0-9a-f]{7,40})\b")


def test_the_plain_version_is_one_line() -> None:
    assert list(version_report.versions_to_lines("1.0", {}, verbose=False)) == ["pypi-preflight 1.0"]


def test_the_verbose_version_has_the_server_beside_what_is_installed() -> None:
    lines = list(version_report.versions_to_lines("1.0", {"python": "3.12.1", "packaging": "25.0"}, verbose=True))
    assert f"{SERVER.name} ({SERVER.commit})" in lines[1]
    assert "packaging           26.2          25.0" in lines
    assert "trove-classifiers   2026.6.1.19   not installed" in lines


def test_the_document_has_both() -> None:
    document = version_report.versions_to_json("1.0", {"packaging": "25.0"})
    assert document["server"]["commit"] == SERVER.commit
    assert document["server"]["pins"]["packaging"] == "26.2"
    assert document["installed"] == {"packaging": "25.0"}


@pytest.mark.parametrize("directory", ["docs", "release", "README.md"])
def test_every_text_names_this_server(directory: str) -> None:
    """The commit stands in one place; what quotes it must follow."""
    path = ROOT / directory
    files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.md")]
    named = {(file.name, found) for file in files for found in COMMIT.findall(file.read_text(encoding="utf-8"))}
    assert [one for one in named if not SERVER.commit.startswith(one[1])] == []

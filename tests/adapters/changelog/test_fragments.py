"""Changelogs that tools make of fragments: how towncrier and scriv are called, and when they are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.changelog import plan_changelog
from release.adapters.changelog.changelog_request import ChangelogRequest
from release.adapters.system.system import real_system
from tests.adapters.changelog.test_keep_a_changelog import request

SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def program(directory: Path, name: str) -> Path:
    path = directory / (f"{name}.exe" if os.name == "nt" else name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def project(tmp_path: Path, files: dict[str, str], **env: str) -> ChangelogRequest:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    system = replace(real_system(), env={"PATH": str(tmp_path / "none")} | env)
    return request(tmp_path, system=system)


TOWNCRIER = {"pyproject.toml": '[tool.towncrier]\npackage = "acme"\n', "acme/newsfragments/1.feature.rst": "A lid."}


def test_towncrier_of_the_projects_environment(tmp_path: Path) -> None:
    own = program(tmp_path / ".venv" / SCRIPTS, "towncrier")
    change = plan_changelog(project(tmp_path, TOWNCRIER | {"CHANGELOG.md": "## Unreleased\n"}))
    (run,) = change.runs
    assert run.argv == (str(own), "build", "--yes", "--version", "1.2.0", "--date", "2026-11-28")
    assert run.paths == ("NEWS.rst", "acme/newsfragments")
    assert not change.findings
    assert not change.edits  # a file of another kind is not changed too


def test_towncrier_on_path_with_a_file_of_its_own_and_no_fragment(tmp_path: Path) -> None:
    found = program(tmp_path / "bin", "towncrier")
    files = {
        "towncrier.toml": '[tool.towncrier]\ndirectory = "changes/"\nfilename = "docs/news.md"\n',
        "changes/README.md": "How to write one.\n",
    }
    change = plan_changelog(project(tmp_path, files, PATH=str(tmp_path / "bin")))
    (run,), (finding,) = change.runs, change.findings
    assert (run.argv[0], run.paths) == (str(found), ("docs/news.md", "changes"))
    assert finding.severity == "warn"
    assert "'changes' has no news fragment" in finding.message


def test_towncrier_by_uv_where_the_lock_has_it(tmp_path: Path) -> None:
    uv = program(tmp_path / "bin", "uv")
    files = TOWNCRIER | {"uv.lock": 'version = 1\n[[package]]\nname = "towncrier"\nversion = "26.9.0"\n'}
    (run,) = plan_changelog(project(tmp_path, files, PATH=str(tmp_path / "bin"))).runs
    assert run.argv[:4] == (str(uv), "run", "--frozen", "towncrier")


@pytest.mark.parametrize(
    ("files", "name"),
    [(TOWNCRIER, "towncrier"), ({"changelog.d/scriv.ini": "[scriv]\nformat = md\n"}, "scriv")],
)
def test_a_tool_that_is_not_installed_blocks_with_its_remedy(
    tmp_path: Path, files: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    change = plan_changelog(project(tmp_path, files))
    (finding,) = change.findings
    assert (change.runs, finding.severity) == ((), "block")
    assert finding.remedy.startswith(f"install it: python -m pip install {name};")


def test_scriv_by_its_ini_file_and_by_pyproject(tmp_path: Path) -> None:
    program(tmp_path / "bin", "scriv")
    files = {"changelog.d/scriv.ini": "[scriv]\nformat = md\n", "changelog.d/1.md": "- A lid.\n"}
    made = project(tmp_path, files, PATH=str(tmp_path / "bin"))
    (run,) = plan_changelog(made).runs
    assert run.argv[1:] == ("collect", "--version", "1.2.0")
    assert run.paths == ("CHANGELOG.md", "changelog.d")
    (tmp_path / "pyproject.toml").write_text('[tool.scriv]\nfragment_directory = "notes"\nchangelog = "N.rst"\n')
    change = plan_changelog(made)
    assert not change.runs  # scriv ends with status 2 where there is nothing to collect
    assert [one.message for one in change.findings] == ["'notes' has no fragment, so that 'N.rst' gets no section"]


def test_configuration_of_other_tools_is_none(tmp_path: Path) -> None:
    files = {"pyproject.toml": '[tool.towncriers]\n[project]\nname = "towncrier"\n', "newsfragments/1.rst": "x"}
    assert not plan_changelog(project(tmp_path, files)).runs

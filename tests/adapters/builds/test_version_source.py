"""What gives a project its version, and the release that a derived version leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds.version_source import find_version_source
from release.adapters.system.system import real_system
from release.core.tag_form import release_after

HATCHLING = '[build-system]\nrequires = []\nbuild-backend = "hatchling.build"\n'
DYNAMIC = '[project]\nname = "acme"\ndynamic = ["version"]\n'


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        (f"{DYNAMIC}[tool.setuptools_scm]", "setuptools-scm"),
        (f'{HATCHLING}{DYNAMIC}[tool.hatch.version]\nsource = "vcs"', "hatch-vcs"),
        (f'{DYNAMIC}[tool.pdm.version]\nsource = "scm"', "pdm-backend"),
        (f"{DYNAMIC}[tool.poetry-dynamic-versioning]\nenable = true", "poetry-dynamic-versioning"),
        (f"{DYNAMIC}[tool.versioningit]", "versioningit"),
        (f'{HATCHLING}{DYNAMIC}[tool.hatch.version]\nsource = "versioningit"', "versioningit"),
        (f"{DYNAMIC}[tool.setuptools-git-versioning]\nenabled = true", "setuptools-git-versioning"),
        (f'[build-system]\nrequires = ["setuptools-git-versioning"]\n{DYNAMIC}', "setuptools-git-versioning"),
        (f"{DYNAMIC}[tool.setuptools-git-versioning]\nenabled = false", None),
        (f'{DYNAMIC}[tool.setuptools.dynamic]\nversion = {{attr = "acme.v"}}', None),
        (f'{DYNAMIC}[tool.hatch.version]\npath = "acme.py"', None),
    ],
)  # fmt: skip
def test_the_tool_that_derives_the_version(tmp_path: Path, text: str, tool: str | None) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    found = find_version_source(real_system(), tmp_path)
    assert found is not None
    assert found.tool == tool


def test_a_declared_version_comes_from_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "0.1.dev1"\n[tool.setuptools_scm]')
    assert find_version_source(real_system(), tmp_path) is None


@pytest.mark.parametrize(
    ("derived", "release"),
    [
        ("1.1.dev1+g1234567", "1.1"), ("1.0.post1.dev0+1234567", "1.0.post1"), ("1.0.post1+g1234567", "1.0.post1"),
        ("1.0+1.g1234567", "1.0.post1"), ("1.0rc2.dev3", "1.0rc2"), ("1.0", None), ("?", None),
    ],
)  # fmt: skip
def test_the_release_that_a_derived_version_leads_to(derived: str, release: str | None) -> None:
    assert release_after(derived) == release

"""The other Python projects of a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.git.projects import has_other_projects, modules_of_others
from tests.adapters.git.test_repository import repository, system

PROJECT = '[project]\nname = "one"\n'


@pytest.mark.parametrize(
    ("files", "here", "others"),
    [
        ({"a/pyproject.toml": PROJECT, "b/pyproject.toml": PROJECT}, "a", True),
        ({"a/pyproject.toml": PROJECT, "b/setup.py": ""}, "a", True),
        ({"a/pyproject.toml": PROJECT, "b/pyproject.toml": "[tool.poetry]\n"}, "a", True),
        ({"pyproject.toml": PROJECT, "plugins/b/pyproject.toml": PROJECT}, ".", True),
        ({"pyproject.toml": PROJECT, "python/pyproject.toml": PROJECT}, "python", True),
        ({"pyproject.toml": PROJECT, "setup.py": ""}, ".", False),
        ({"pyproject.toml": "[tool.ruff]\n", "python/pyproject.toml": PROJECT}, "python", False),
        ({"pyproject.toml": PROJECT, "tests/data/a/pyproject.toml": PROJECT, "docs/setup.py": ""}, ".", False),
        ({"pyproject.toml": PROJECT, "vendor/b/setup.py": "", "examples/c/pyproject.toml": PROJECT}, ".", False),
    ],
)  # fmt: skip
def test_other_projects_are_those_that_could_be_released(
    tmp_path: Path, files: dict[str, str], here: str, *, others: bool
) -> None:
    top = repository(tmp_path / "r", **files)
    assert has_other_projects(system(), top, top / here) is others


def test_modules_belong_to_the_closest_project(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "root"\n', "root_package/__init__.py": "", "conftest.py": "",
        "packages/a/pyproject.toml": '[project]\nname = "space-a"\n', "packages/a/src/space/a/__init__.py": "",
        "packages/a/tests/__init__.py": "",
        "packages/b/pyproject.toml": '[project]\nname = "b"\n', "packages/b/b/__init__.py": "",
        "packages/c/pyproject.toml": '[project]\nname = "c"\n', "packages/c/c/__init__.py": "",
        "scripts/tool.py": "", "packages/b/data.json": "",
    }  # fmt: skip
    top = repository(tmp_path / "r", **files)
    expected = {"root_package": "root", "space.a": "space-a", "b": "b"}
    found = modules_of_others(system(), top, top / "packages/c")
    assert found == expected

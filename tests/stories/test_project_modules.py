"""A project's own modules never run in this program's process, whatever their names are."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.project import UserProject, make

ROOT = Path(__file__).parents[2]
#: names of projects' modules that are also names of modules which this program imports
NAMES = (
    "release.py", "packaging.py", "requests.py", "invoke.py", "nox.py", "keyring.py", "idna/__init__.py",
    "rich/__init__.py", "twine/__init__.py", "urllib3/__init__.py", "build/__init__.py",
)  # fmt: skip
PROGRAM = Path(sys.executable).with_name("pypi-preflight")
FACADE = (sys.executable, "-m", "pypi_preflight")
MODULE = (sys.executable, "-m", "release")


def with_own_modules(tmp_path: Path, *names: str) -> UserProject:
    """A project whose modules write their name into a file when they are imported."""
    tmp_path.mkdir(exist_ok=True)
    project = make(tmp_path)
    canary = f"open({str(tmp_path / 'canary')!r}, 'a').write(__name__ + chr(10))\nVALUE = 'theirs'\n"
    for name in names:
        project.write(name, canary)
    project.env["TWINE_PASSWORD"] = "x"
    return project


def imported(tmp_path: Path) -> str:
    """The project's modules that ran."""
    canary = tmp_path / "canary"
    return canary.read_text() if canary.exists() else ""


def test_nothing_of_the_project_is_imported(tmp_path: Path) -> None:
    """`python -m release` is the exception where the project has a `release` itself: Python runs that in our place."""
    project = with_own_modules(tmp_path, *NAMES[1:])
    assert "cred." in project.command(*MODULE, "verify", "--offline").out
    with_own_release = with_own_modules(tmp_path / "other", *NAMES)
    for program in ((str(PROGRAM),), FACADE):
        told = with_own_release.command(*program, "verify", "--offline")
        assert "cred." in told.out, told.all
    assert not imported(tmp_path)
    assert not imported(tmp_path / "other")


@pytest.mark.parametrize("words", [MODULE, FACADE])
def test_the_package_is_found_where_it_is_the_current_directory(words: tuple[str, ...]) -> None:
    """A clone is used without an installation."""
    done = subprocess.run([*words, "explain", "cred.missing"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "no credential was found" in done.stdout, done.stderr


def test_tasks_and_sessions_are_ours_and_release_is_theirs(tmp_path: Path) -> None:
    """Invoke itself reads `invoke.py`, as a file of settings."""
    project = with_own_modules(tmp_path, *(name for name in NAMES if name != "invoke.py"))
    project.write(
        "tasks.py",
        "from pypi_preflight import tasks\nimport release\nassert release.VALUE == 'theirs'\n"
        "namespace = tasks.collection()\n",
    )
    project.write(
        "noxfile.py",
        "import sys\nsys.path.insert(0, '.')\nimport release\nfrom pypi_preflight import sessions\n"
        "import release as again\nassert again is release and again.VALUE == 'theirs'\nsessions.register()\n",
    )
    explained = project.command(str(PROGRAM.with_name("invoke")), "explain", "cred.missing")
    assert "no credential was found" in explained.out, explained.all
    sessions = project.command(str(PROGRAM.with_name("nox")), "-l")
    assert "- rehearse -> Rehearse" in sessions.out, sessions.all
    assert set(imported(tmp_path).split()) == {"release"}, "which their own files import"


@pytest.mark.parametrize("name", ["tasks", "sessions"])
def test_both_names_are_one_module(name: str) -> None:
    code = (
        f"import release.{name} as ours; from pypi_preflight import {name} as one; import pypi_preflight.{name} as two;"
        "assert ours is one is two, (ours, one, two)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", ["tasks", "sessions"])
def test_what_the_facade_imports_imports_nothing_of_release_later(name: str) -> None:
    """By then `release` may be the project's module."""
    tree = ast.parse((ROOT / "release" / f"{name}.py").read_text(encoding="utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            assert not (isinstance(node, ast.ImportFrom) and str(node.module).startswith("release")), node.lineno


def test_the_distribution_contains_both_packages() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'packages = ["release", "pypi_preflight"]' in text
    assert '"/pypi_preflight"' in text


def test_every_child_ignores_the_current_directory() -> None:
    """`python -m` looks there first, and `-P` prevents it; `-I` does, too."""
    for path in sorted((ROOT / "release").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "[sys.executable" in text else ():
            if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
                option = ast.unparse(node.elts[1]) if len(node.elts) > 1 else ""
                assert option in {"'-P'", "'-I'"}, f"{path.name}, line {node.lineno}"

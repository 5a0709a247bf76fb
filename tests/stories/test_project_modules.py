"""A project's own modules never run in this program's process, whatever their names are."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import release
from pypi_preflight import import_path
from release.adapters.system.own_child import own_child_environment
from tests.stories.project import UserProject, make

ROOT = Path(__file__).parents[2]
#: names of projects' modules that are also names of modules which this program imports
NAMES = (
    "release.py", "packaging.py", "requests.py", "invoke.py", "nox.py", "keyring.py", "idna/__init__.py",
    "rich/__init__.py", "twine/__init__.py", "urllib3/__init__.py", "build/__init__.py", "tomllib.py", "logging.py",
    "email/__init__.py", "id.py", "pip.py", "ssl.py", "json/__init__.py",
)  # fmt: skip
FACADE = (sys.executable, "-m", "pypi_preflight")
MODULE = (sys.executable, "-m", "release")


def script(tmp_path: Path) -> Path:
    """The console script, as installers write it."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = declared["pypi-preflight"].partition(":")
    path = tmp_path / "bin" / "pypi-preflight"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    path.chmod(0o755)
    return path


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
    project = with_own_modules(tmp_path, *NAMES)
    program = str(script(tmp_path))

    def verify(*command: str, **variables: str) -> None:
        project.env |= {"PYTHONPATH": "", **variables}
        told = project.command(*command, "verify", "--offline", "--index", "pypi")
        assert "cred." in told.out, told.all
        assert not imported(tmp_path)

    verify(*FACADE, PYTHONPATH=".")
    verify(*MODULE, PYTHONSAFEPATH="1")
    del project.env["PYTHONSAFEPATH"]
    # with the child for the keyring
    verify(program, PYTHONPATH=f"{os.pathsep}nowhere", PYTHON_KEYRING_BACKEND="keyring.backends.chainer.ChainerBackend")
    (project.root / "release.py").unlink()
    verify(*MODULE, PYTHON_KEYRING_BACKEND="keyring.backends.chainer.ChainerBackend")


def test_a_module_that_was_imported_before_stops_the_program(tmp_path: Path) -> None:
    """Python itself imports `types` for `-m`, from the current directory; this program then does nothing."""
    project = with_own_modules(tmp_path, "site_tools.py")
    project.write("sitecustomize.py", "import site_tools\n")
    project.env["PYTHONPATH"] = "."
    told = project.command(*MODULE, "verify", "--project", "a b")
    assert told.status == 2
    name = "sitecustomize" if "'sitecustomize'" in told.err else "site_tools"
    assert f"the project's own module '{name}' (" in told.err
    assert told.err.endswith("run: env -u PYTHONPATH pypi-preflight verify --project 'a b'\n")
    assert imported(tmp_path) == "site_tools\n", "before"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not remove a current directory")
def test_a_current_directory_that_was_removed_is_reported(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = ["sh", "-c", f'rmdir {gone} && exec "$@"', "sh", str(script(tmp_path)), "inspect", "a.whl"]
    done = subprocess.run(words, cwd=gone, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the current directory was removed" in done.stderr
    assert "Traceback" not in done.stderr


def ignored(monkeypatch: pytest.MonkeyPatch, here: Path, pythonpath: str, *arguments: str) -> list[str]:
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", pythonpath)
    entries = [str((here / entry).resolve()) for entry in pythonpath.split(os.pathsep)]
    monkeypatch.setattr(sys, "path", [*entries, *sys.path])
    found = import_path.ignore_project(arguments)
    assert not {*found} & {*sys.path}
    return [Path(entry).name for entry in found]


def test_what_is_ignored_is_the_project_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other directories of PYTHONPATH are how some systems install this program and its libraries."""
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / ".git").mkdir()
    (project / "packages" / "acme").mkdir(parents=True)
    (project / "packages" / "acme" / "pyproject.toml").touch()
    lib = project / ".venv" / "lib" / "python3.13" / "site-packages"
    for directory in (lib, elsewhere):
        directory.mkdir(parents=True)
    member = project / "packages" / "acme"
    assert ignored(monkeypatch, project, os.pathsep.join(["src", str(elsewhere), str(lib)])) == ["src"]
    assert ignored(monkeypatch, member, f"{project}{os.pathsep}../../src") == ["project", "src"]
    assert ignored(monkeypatch, elsewhere, str(project)) == []
    for words in (("check", "--directory", "../project"), ("-C../project",), ("--directory=../project", "check")):
        assert ignored(monkeypatch, elsewhere, str(project / "src"), *words) == ["src"]
    assert ignored(monkeypatch, ROOT, str(ROOT)) == [], "a clone of this program"


def test_a_child_imports_from_where_its_parent_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "ignored_directories", (str(tmp_path.resolve()),))
    both = f"{tmp_path}{os.pathsep}/lib"
    utf8 = {"PYTHONIOENCODING": "utf-8"}  # what it prints is read as such, whatever the encoding of the machine
    assert own_child_environment({"PYTHONPATH": both, "A": "1"}) == {"PYTHONPATH": "/lib", "A": "1"} | utf8
    assert own_child_environment({"PYTHONPATH": str(tmp_path), "A": "1"}) == {"A": "1"} | utf8
    assert own_child_environment({"A": "1"}) == {"A": "1"} | utf8


@pytest.mark.parametrize("words", [MODULE, FACADE])
def test_the_package_is_found_where_it_is_the_current_directory(words: tuple[str, ...]) -> None:
    """A clone is used without an installation."""
    done = subprocess.run([*words, "explain", "cred.missing"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "no credential was found" in done.stdout, done.stderr


def test_tasks_and_sessions_are_ours_and_release_is_theirs(tmp_path: Path) -> None:
    """Invoke itself reads `invoke.py`, as a file of settings."""
    project = with_own_modules(tmp_path, *(name for name in NAMES if name not in {"invoke.py", "ssl.py"}))
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
    explained = project.command(str(Path(sys.executable).with_name("invoke")), "explain", "cred.missing")
    assert "no credential was found" in explained.out, explained.all
    sessions = project.command(str(Path(sys.executable).with_name("nox")), "-l")
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


def test_generated_workflows_ignore_the_checkout() -> None:
    """The jobs that publish have an identity, and `python -m pip` would import a `logging.py` of the project."""
    files = [
        *(ROOT / "release" / "publishing" / "ci").rglob("*.j2"),
        *(ROOT / "release" / "publishing" / "ci").glob("*.py"),
    ]
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r"(python|py -3\.\d+) -m (?!venv)", line), f"{path.name}: {line.strip()}"

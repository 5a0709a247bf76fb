"""Environments of sessions are installed into when something has changed, and only then."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from release.adapters.install import session_environment
from release.adapters.install.session_environment import prepare_environment

PINNED = ("pypi-preflight==1.0",)


class Runs:
    """Records commands, and makes what they would make."""

    def __init__(self) -> None:
        self.argv: list[tuple[str, ...]] = []
        self.env: Mapping[str, str | None] = {}

    def __call__(self, *argv: str, env: Mapping[str, str | None]) -> None:
        self.argv.append(argv)
        self.env = env
        if "virtualenv" in argv or argv[1:2] == ("venv",):
            scripts = Path(argv[-1]) / ("Scripts" if sys.platform == "win32" else "bin")
            scripts.mkdir(parents=True)
            (scripts / ("python.exe" if sys.platform == "win32" else "python")).touch()
        else:
            python = Path(argv[argv.index("--python") + 1] if "--python" in argv else argv[0])
            for library in session_environment._libraries(python.parents[1]):
                library.mkdir(parents=True, exist_ok=True)
                (library / f"{len(self.argv)}.py").touch()

    def done(self) -> list[str]:
        """What the commands since the last call did."""
        words = ("venv", "virtualenv", "install")
        found: list[str] = [next(word for word in words if word in one) for one in self.argv]
        self.argv.clear()
        return found


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setenv("RELEASE_INSTALLER", "pip")
    return Runs()


def test_a_warm_environment_is_not_installed_into(tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / ".nox" / "one"
    made = prepare_environment(here, PINNED, runs)
    assert runs.done() == ["virtualenv", "install"]
    assert made.python.exists()
    assert made.variables["PATH"].startswith(str(made.python.parent))
    assert (here.parent / ".gitignore").read_text() == "*\n", "the project's tree stays clean"
    prepare_environment(here, PINNED, runs)
    assert runs.done() == []
    prepare_environment(here, ("pypi-preflight==1.1",), runs)
    assert runs.done() == ["install"], "another version"
    monkeypatch.setattr(sys, "version", "3.99.0")
    prepare_environment(here, ("pypi-preflight==1.1",), runs)
    assert runs.done() == ["virtualenv", "install"], "another Python"
    made.python.unlink()
    prepare_environment(here, ("pypi-preflight==1.1",), runs)
    assert runs.done() == ["virtualenv", "install"], "its interpreter is gone"


@pytest.mark.parametrize(
    "packages", [("pypi-preflight",), ("pypi-preflight>=1",), ("a @ git+https://h/a@main",), (".",)]
)
def test_what_may_have_changed_is_installed_each_time(tmp_path: Path, runs: Runs, packages: tuple[str, ...]) -> None:
    prepare_environment(tmp_path / "one", packages, runs)
    runs.done()
    prepare_environment(tmp_path / "one", packages, runs)
    assert runs.done() == ["install"]


def test_a_file_and_an_editable_installation_are_compared_by_content(tmp_path: Path, runs: Runs) -> None:
    wheel, project = tmp_path / "a.whl", tmp_path / "project" / "pyproject.toml"
    project.parent.mkdir()
    for packages, file in (((str(wheel),), wheel), (("-e", str(project.parent)), project)):
        file.write_text("1")
        prepare_environment(tmp_path / "one", packages, runs)
        assert runs.done()[-1] == "install"
        prepare_environment(tmp_path / "one", packages, runs)
        assert runs.done() == []
        file.write_text("2")
        prepare_environment(tmp_path / "one", packages, runs)
        assert runs.done() == ["install"]


def test_the_second_environment_is_a_copy_of_the_first(tmp_path: Path, runs: Runs) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    prepare_environment(second, PINNED, runs, like=first)
    assert runs.done() == ["virtualenv", "install"], "there is nothing to copy"
    for version in ("1.1", "1.2"):
        prepare_environment(first, (f"pypi-preflight=={version}",), runs)
        runs.done()
        prepare_environment(second, (f"pypi-preflight=={version}",), runs, like=first)
        assert runs.done() == []
        names = [
            sorted(path.name for path in session_environment._libraries(one)[0].iterdir()) for one in (first, second)
        ]
        assert names[0] == names[1]
    (session_environment._libraries(second)[0] / "changed.py").touch()
    assert not (session_environment._libraries(first)[0] / "changed.py").exists()


def test_an_installation_sees_no_credential_and_no_module_of_the_project(
    tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m pip` would import a `logging.py` from the current directory; a private index keeps its password."""
    for name in ("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "PYTHONPATH", "UV_INDEX_CORP_PASSWORD"):
        monkeypatch.setenv(name, "x")
    prepare_environment(tmp_path / "one", PINNED, runs)
    assert all(argv[1] == "-P" for argv in runs.argv)
    assert {name for name in ("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "PYTHONPATH") if name not in runs.env} == set()
    assert "UV_INDEX_CORP_PASSWORD" not in runs.env
    assert not any(runs.env[name] for name in ("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "PYTHONPATH"))


def test_uv_is_found_as_a_module(tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra, not on PATH; the program in the environment finds it there."""
    pytest.importorskip("uv")
    monkeypatch.setenv("RELEASE_INSTALLER", "uv")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = prepare_environment(tmp_path / "one", PINNED, runs)
    uv = Path(runs.argv[0][0])
    assert uv.is_file()
    assert [argv[0] for argv in runs.argv] == [str(uv), str(uv)]
    assert made.variables["PATH"].split(os.pathsep) == [str(made.python.parent), str(tmp_path), str(uv.parent)]
    monkeypatch.setenv("RELEASE_INSTALLER", "pip")
    runs.done()
    prepare_environment(tmp_path / "one", PINNED, runs)
    assert runs.done() == ["virtualenv", "install"], "uv leaves no pip in it"
    assert json.loads((tmp_path / "one" / "pypi-preflight.json").read_text())["packages"] == list(PINNED)

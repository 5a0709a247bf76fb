"""Another interpreter is found, whoever installed it, and only one that runs is used."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.install import interpreters, venv
from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError
from release.core.models.interpreter import Interpreter

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the paths are those of POSIX")
ABOVE = (3, sys.version_info[1] + 1)
LATER = f">={ABOVE[0]}.{ABOVE[1]}"


class Machine:
    """A machine on which each program prints what the test says."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.listed: list[dict[str, Any]] = []
        self.broken: set[str] = set()
        self.probes: dict[str, list[object]] = {}
        self.asked: list[str] = []

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        assert "TWINE_PASSWORD" not in options["env"]
        if list(argv[1:3]) == ["python", "list"]:
            return Completed(status=0, output=json.dumps(self.listed), errors="warning: Failed to inspect")
        self.asked.append(argv[0])
        if argv[0] in self.broken:
            raise ToolError("cannot run it", remedy="none")
        known = self.probes.get(argv[0])
        return Completed(status=0 if known else 127, output=json.dumps(known) if known else "", errors="")

    def pyenv(self, *versions: str) -> None:
        for version in versions:
            path = self.home / ".pyenv" / "versions" / version / "bin" / "python"
            path.parent.mkdir(parents=True)
            path.touch()
            if version[0].isdigit():
                self.probes[str(path)] = ["cpython", [int(part) for part in version.split(".")], True, 8]

    def system(self, **env: str) -> System:
        return replace(real_system(), env={"PATH": "", "TWINE_PASSWORD": "x", **env}, home=self.home, run=self.run)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_running_interpreter_is_used_where_it_fits(machine: Machine) -> None:
    found = interpreters.find_required_python(machine.system(), ">=3.8", "here")
    assert found.chosen == interpreters.running_interpreter()
    assert machine.asked == []
    assert interpreters.with_interpreter(machine.system(), found).python is None


def test_the_closest_minor_version_is_used_and_of_it_the_last_micro_version(machine: Machine) -> None:
    minor = ABOVE[1]
    machine.pyenv("2.7.18", f"3.{minor + 2}.1", f"3.{minor}.1", f"3.{minor}.10", f"3.{minor}.9", "3.8.1", "mambaforge")
    found = interpreters.find_required_python(machine.system(), LATER, "here")
    assert found.chosen is not None
    assert found.chosen.version == (3, minor, 10)
    assert found.chosen.origin == "pyenv"
    assert len(machine.asked) == 1
    assert interpreters.with_interpreter(machine.system(), found).python == found
    assert f"using Python 3.{minor}.10 from pyenv" in interpreters.chosen_to_text(found, "the clean install")


def test_one_that_does_not_run_is_passed_over(machine: Machine) -> None:
    minor = ABOVE[1]
    machine.pyenv(f"3.{minor}.1", f"3.{minor}.2", f"3.{minor}.3", f"3.{minor + 1}.0")
    paths = sorted(machine.probes)
    machine.broken = {paths[0]}
    machine.probes[paths[1]] = ["cpython", [3, minor, 2], False, 8]  # free-threaded
    machine.probes[paths[2]] = ["pypy", [3, minor, 3], True, 8]
    found = interpreters.find_required_python(machine.system(), LATER, "here")
    assert found.chosen is not None
    assert found.chosen.version == (3, minor + 1, 0)


def test_those_of_uv_are_used_but_not_other_implementations(machine: Machine) -> None:
    parts = {"major": 3, "minor": ABOVE[1], "patch": 4}
    managed = {"path": "/uv/python", "version_parts": parts, "implementation": "cpython", "variant": "default"}
    others: list[dict[str, Any]] = [
        managed | {"implementation": "pypy"},
        managed | {"variant": "freethreaded"},
        managed | {"path": None},  # could be downloaded
        {"path": "/uv/python"},
    ]
    machine.listed = others
    machine.probes["/uv/python"] = ["cpython", [3, ABOVE[1], 4], True, 8]
    system = machine.system(PATH=real_system().env["PATH"])
    system = replace(system, env={**system.env, "PATH": ""})
    assert interpreters.find_required_python(system, LATER, "here").chosen is None
    machine.listed = [*others, managed]
    found = interpreters.find_required_python(system, LATER, "here").chosen
    assert found == Interpreter(path=Path("/uv/python"), version=(3, ABOVE[1], 4), origin="uv")


def test_one_on_path_is_used_but_no_shim(machine: Machine, tmp_path: Path) -> None:
    minor = ABOVE[1]
    for place in ("shims", "bin"):
        path = tmp_path / place / f"python3.{minor}"
        path.parent.mkdir()
        path.touch(0o755)
        machine.probes[str(path)] = ["cpython", [3, minor, 7], True, 8]
    shims = interpreters.find_required_python(machine.system(PATH=str(tmp_path / "shims")), LATER, "here")
    assert shims.chosen is None
    found = interpreters.find_required_python(machine.system(PATH=str(tmp_path / "bin")), LATER, "here")
    assert found.chosen == Interpreter(path=tmp_path / "bin" / f"python3.{minor}", version=(3, minor, 7), origin="PATH")


def test_without_one_the_versions_that_were_found_are_named(machine: Machine) -> None:
    machine.pyenv("3.8.1", "3.9.2")
    found = interpreters.find_required_python(machine.system(), ">=3.99", "here")
    assert found.chosen is None
    assert found.others == ((3, 8, 1), (3, 9, 2), sys.version_info[:3])


def test_the_best_wheel_is_that_of_the_chosen_interpreter() -> None:
    other = Interpreter(path=Path("python"), version=(3, ABOVE[1], 0), origin="uv")
    own, its = f"cp3{sys.version_info[1]}", f"cp3{ABOVE[1]}"
    platform = next(iter(interpreters.supported_tags())).platform
    files = [f"acme-1-{one}-{one}-{platform}.whl" for one in (own, its)]
    assert venv.best_file(files) == files[0]
    assert venv.best_file(files, other) == files[1]
    assert venv.best_file([files[0], "acme-1.tar.gz"], other) == "acme-1.tar.gz"
    assert venv.best_file([f"acme-1-cp39-abi3-{platform}.whl", "acme-1.tar.gz"], other).endswith(".whl")  # type: ignore[union-attr]
    assert venv.best_file(["acme-1-py3-none-any.whl"], other) == "acme-1-py3-none-any.whl"

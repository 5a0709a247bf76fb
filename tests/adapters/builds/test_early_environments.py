"""The environments of a build are made before it asks for them: real builds, with a backend from a directory."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builds import builder
from release.adapters.builds.build_child.early_environments import EarlyEnvironment
from release.core.errors import ToolError
from tests.adapters.builds.recorded_hooks import LIMIT, PYPROJECT, Project, wait_for


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return Project(tmp_path, request.param)


def test_the_environment_of_the_wheel_is_made_while_the_sdist_is_built(project: Project) -> None:
    wait = f"""
import time
limit = time.monotonic() + {LIMIT}
while name == "sdist" and not list((here.parent / "wheel").glob("**/acme_backend.py")):
    assert time.monotonic() < limit, "it is not made yet"
    time.sleep(0.02)
"""
    lines: list[str] = []
    seen = project.build(HOOK=wait, on_line=lines.append)
    assert [(one["hook"], one["environment"]) for one in seen] == [
        ("requires sdist", "sdist"), ("sdist", "sdist"), ("requires wheel", "wheel"), ("wheel", "wheel"),
    ]  # fmt: skip
    steps = [line for line in lines if line.startswith("* ")]
    assert [step for step in steps if "nvironment" in step and "Creating" in step] == steps[:1] * 2
    one = ["* Installing packages in isolated environment:", "* Getting build dependencies for {}..."]
    one += ["* Installed build dependency versions:", "* Building {}..."]
    told = [
        *steps[:1], *(step.format("sdist") for step in one), "* Building wheel from sdist", *steps[:1],
        *(step.format("wheel") for step in one),
    ]  # fmt: skip
    assert steps == told, "the messages of build itself, in its order"


def test_modules_that_both_environments_have_are_compiled_once(project: Project) -> None:
    seen = project.build()
    assert [one["compiled"] for one in seen] == [False, True, True, True]


def test_an_sdist_that_requires_something_else_gets_it_in_a_new_environment(project: Project) -> None:
    found: list[Any] = []
    seen = project.build(REQUIRES='"acme-backend", "acme-extra"', installed=found.append)
    assert [one["extra"] for one in seen] == [False, False, True, True]
    assert [one.name for one in found[0].requirements] == ["acme-backend", "acme-extra", "acme-library"]


def test_the_first_environment_is_made_while_the_source_is_copied(tmp_path: Path) -> None:
    project, copy = Project(tmp_path, "uv"), tmp_path / "copy"  # pip has no cache here that could be watched

    def ready() -> builder.ReadySource:
        wait_for(lambda: any((tmp_path / "uv-cache").rglob("acme_backend.py")))
        copy.mkdir()
        (copy / "pyproject.toml").write_text(PYPROJECT)
        return builder.ReadySource(directory=copy, epoch=5, variables={"OF_THE_COPY": "yes"})

    seen = project.build(ready=ready)
    variables = [one["variables"] for one in seen]
    assert [(one["SOURCE_DATE_EPOCH"], one["OF_THE_COPY"]) for one in variables] == [("5", "yes")] * 4


def test_a_copy_that_fails_ends_the_build_with_its_own_error(project: Project) -> None:
    def ready() -> builder.ReadySource:
        raise ToolError("no copy", remedy="copy it")

    with pytest.raises(ToolError, match="no copy"):
        project.build(ready=ready)
    assert list(project.out.iterdir()) == []


def test_only_bytecode_of_the_same_files_is_taken(tmp_path: Path) -> None:
    texts = {"same.py": ("A = 1\n", "A = 1\n"), "other.py": ("A = 1\n", "A = 2\n"), "missing.py": ("A = 1\n", None)}
    first, second = (EarlyEnvironment(lambda **_: None, tmp_path / name, "uv", None) for name in "ab")  # type: ignore[arg-type]
    for number, one in enumerate((first, second)):
        (one.directory / "package").mkdir(parents=True)
        for name, text in texts.items():
            if (content := text[number]) is not None:
                path = one.directory / "package" / name
                path.write_text(content)
                os.utime(path, (1_600_000_000, 1_600_000_000))  # as a build that can be repeated leaves them
    for name in texts:
        py_compile.compile(str(first.directory / "package" / name), doraise=True)
    second.take_bytecode(first)
    taken = [path.name for path in second.directory.rglob("*.pyc")]
    assert taken == [Path(importlib.util.cache_from_source("same.py")).name]


SECOND_INSTALL_HANGS = """
import subprocess, sys, threading
from pathlib import Path
from build import env
from release.adapters.builds.build_child.early_environments import EarlyEnvironments
from release.adapters.builds.build_child.installs import Installs

class Environment:
    installer, python_executable = "uv", sys.executable
    def __init__(self, path, installer): self.path = path
    def __enter__(self): return self
    def install(self, requirements, *_, **__):
        code = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}\\\\n'); time.sleep(600)"
        if self.path.endswith("wheel"):
            subprocess.run([sys.executable, "-c", code, sys.argv[1]], check=True)

env.DefaultIsolatedEnv = Environment
installs = Installs({"required": False, "only_wheels": False}, Path("installed.json"))
early = EarlyEnvironments(Path("environments"), "uv", installs)
early.start()
try:
    early.source_complete.set()
    with env.DefaultIsolatedEnv(installer="uv", path=None) as first:
        first.install(["acme-backend"])
        sys.stdin.read()
        sys.exit(3)
finally:
    early.end()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there, it waits for the install")
def test_a_failed_sdist_ends_the_install_for_the_wheel(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    process = subprocess.Popen(
        [sys.executable, "-c", SECOND_INSTALL_HANGS, str(pid_file)], cwd=tmp_path, stdin=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    wait_for(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
    process.communicate(timeout=LIMIT)
    assert process.returncode == 3
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)

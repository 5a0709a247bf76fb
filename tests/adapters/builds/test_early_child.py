"""The program that runs `build` is started before it is known what is built, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.builds import early_child
from release.core.tokens import macaroon
from tests.adapters.builds.recorded_hooks import LIMIT, Project, wait_for


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(early_child, "usable_processors", lambda: 2)
    yield
    early_child._end()


def waiting() -> subprocess.Popen[str]:
    (process,) = early_child._waiting
    return process


def test_it_builds_in_the_directory_and_with_the_environment_that_come_later(tmp_path: Path) -> None:
    project, used = Project(tmp_path), list[Any]()
    early_child.start_build_early({**os.environ, "OF_THE_START": "yes"})
    process, run = waiting(), project.system.run

    def recording(*arguments: Any, **options: Any) -> Any:
        used.append(options.get("started"))
        return run(*arguments, **options)

    project.system = replace(project.system, run=recording, env={**project.system.env, "OF_THE_BUILD": "yes"})
    early, later = project.build(), project.build()
    assert used == [process, None], "it is used once"
    for seen in (*early, *later):
        assert "OF_THE_BUILD" in seen["variables"]
        assert "OF_THE_START" not in seen["variables"]
    assert [one["hook"] for one in early] == [one["hook"] for one in later[4:]]


def test_a_build_of_a_wheel_alone_leaves_it_for_another(tmp_path: Path) -> None:
    project = Project(tmp_path)
    early_child.start_build_early(os.environ)
    process = waiting()
    with pytest.raises(AssertionError):  # there is no sdist
        project.build(only_wheel=True)
    assert waiting() is process


def test_one_that_has_ended_is_not_used(tmp_path: Path) -> None:
    early_child.start_build_early(os.environ)
    waiting().kill()
    waiting().wait()
    assert early_child.take_early_build() is None
    assert Project(tmp_path).build()


def test_none_is_started_on_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_child, "usable_processors", lambda: 1)
    early_child.start_build_early(os.environ)
    assert early_child.take_early_build() is None


@pytest.mark.skipif(sys.platform != "linux", reason="there, the environment of a process cannot be read")
def test_it_gets_no_credentials() -> None:
    token = macaroon.to_text(macaroon.create_macaroon("localhost", b"identifier", b"k" * 32))
    early_child.start_build_early({**os.environ, "TWINE_PASSWORD": token, "UV_INDEX_MINE_PASSWORD": token})
    environ = Path(f"/proc/{waiting().pid}/environ")
    wait_for(lambda: b"PYTHONNOUSERSITE" in environ.read_bytes())
    assert token.encode() not in environ.read_bytes()


@pytest.mark.parametrize("ending", ["", f"os.kill(os.getpid(), {int(signal.SIGTERM)}); time.sleep(600)"])
def test_it_ends_with_the_program_that_started_it(ending: str) -> None:
    code = f"""import os, time
from release.adapters.builds import early_child
early_child.usable_processors = lambda: 2
early_child.start_build_early(os.environ)
print(early_child._waiting[0].pid, flush=True)
{ending}"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=LIMIT, check=False)
    wait_for(lambda: not lives(int(done.stdout)))


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return not Path(f"/proc/{pid}/stat").exists() or ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False

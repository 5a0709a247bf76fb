"""A run of tests goes on, and ends with its summary, whatever becomes of a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CONFTEST = """\
import time

import pytest
from tests.surviving_workers import pytest_configure, pytest_internalerror, pytest_runtest_logstart


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    if item.name == "test_late" and call.when == "call":
        time.sleep(600)
    return (yield)
"""
TESTS = """\
import os, signal, time

import pytest


@pytest.fixture
def slow():
    time.sleep(600)


@pytest.mark.parametrize("n", range(20))
def test_before(n):
    pass


@pytest.mark.timeout(1)
def test_hangs():
    time.sleep(600)


@pytest.mark.timeout(1)
def test_hangs_in_a_fixture(slow):
    pass


@pytest.mark.timeout(1)
def test_late():
    pass


def test_exits():
    os._exit(0)


def test_killed():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("n", range(20))
def test_after(n):
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that interrupts a test")
def test_each_test_that_ends_a_worker_fails_by_name_and_the_rest_runs(tmp_path: Path) -> None:
    for name, text in {"conftest.py": CONFTEST, "test_workers.py": TESTS, "pytest.ini": "[pytest]\n"}.items():
        (tmp_path / name).write_text(text)
    own = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    own |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    words = ["-m", "pytest", "-p", "xdist", "-p", "pytest_timeout", "-n", "2", "--dist", "worksteal", "-rfE"]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    lines = done.stdout.splitlines()
    reported = sorted(line.split(" - ")[0] for line in lines if line.startswith(("FAILED ", "ERROR ")))
    assert reported == [
        "ERROR test_workers.py::test_hangs_in_a_fixture",
        *(f"FAILED test_workers.py::{name}" for name in ("test_exits", "test_hangs", "test_killed", "test_late")),
    ]
    assert "4 failed, 40 passed, 1 error in" in lines[-1]
    assert "time.sleep(600)" in done.stdout, "the stack of what hung"
    assert "internal error in test_workers.py::test_late" in done.stderr


def test_a_command_to_a_worker_that_is_gone_ends_nothing() -> None:
    class Gone:
        def send(self, _item: object) -> None:
            raise OSError("cannot send (already closed?)")

    controller: Any = pytest.importorskip("xdist.workermanage", reason="no pytest-xdist").WorkerController
    node = object.__new__(controller)
    node.channel, node.log = Gone(), lambda *_: None
    node.send_steal([1])

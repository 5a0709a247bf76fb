"""A forked run shows what a started one shows, and there is none where the start itself could matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forked_program import run_forked
from tests.stories.project import UserProject, make

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="every run is started")


def forked(project: UserProject, *words: str, **env: str) -> subprocess.CompletedProcess[str] | None:
    return run_forked(words, cwd=project.root, env=project.environment() | env, stdin=None, timeout=240)


def test_it_shows_what_a_started_one_shows(tmp_path: Path) -> None:
    project = make(tmp_path)
    found, started = (
        forked(project, "status", "--json"),
        project.command(sys.executable, "-m", "release", "status", "--json"),
    )
    assert found is not None
    assert (found.returncode, found.stdout, found.stderr) == (started.status, started.out, started.err)
    usage = forked(project, "status", "--no-such-option")
    assert usage is not None
    assert (usage.returncode, usage.stdout) == (2, "")
    assert "--no-such-option" in usage.stderr


def test_what_the_start_could_change_is_started(tmp_path: Path) -> None:
    project = make(tmp_path)
    assert forked(project, "--version", PYTHONIOENCODING="cp1252") is None
    assert forked(project, "--version", LC_ALL="C") is None
    project.write("lib/requests/__init__.py", "")
    assert forked(project, "--version", PYTHONPATH="lib") is None
    assert forked(project, "--version", PYTHONPATH="README.md") is not None
    project.write("release.py", "")
    assert forked(project, "--version") is None


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    project = make(tmp_path)
    words = ("sandbox", "--port", "0")
    with pytest.raises(subprocess.TimeoutExpired):
        run_forked(words, cwd=project.root, env=project.environment(), stdin=None, timeout=0.5)

"""A release of files that were built elsewhere, one that was left half done, and one that is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from release.sandbox import server
from release.sandbox.faults import Answer, Drop, Fault, Slow, When
from release.sandbox.world import for_project
from tests.builders import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import Indexes, UserProject, files_on, indexes, posts, release_table
from tests.uploads import Clock, release

POSTS = When(method="POST", path="/legacy/", filename="acme_*")


@contextmanager
def elsewhere(tmp_path: Path, count: int = 2, *, real: object = None) -> Iterator[tuple[Indexes, UserProject]]:
    """A directory with nothing but files and a configuration that names the indexes."""
    with indexes() as on:
        machine = UserProject(root=tmp_path / "elsewhere", home=tmp_path / "home")
        machine.root.mkdir()
        machine.home.mkdir()
        machine.write("preflight.toml", release_table(on))
        machine.credentials(on)
        release(machine.root / "wheelhouse", count)
        yield on, machine


PUBLISH = ("publish", "--yes", "--config", "preflight.toml", "--files", "wheelhouse")


def hashes(machine: UserProject) -> dict[str, str]:
    import hashlib

    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (machine.root / "wheelhouse").iterdir()
    }


def test_files_from_elsewhere_are_all_that_is_needed(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 5) as (on, machine):
        first = machine.run(*PUBLISH)
        assert first.status == 0, first.all
        assert files_on(on.pypi) == hashes(machine)
        sent = len(posts(on.pypi))
        second = machine.run(*PUBLISH)
        assert second.status == 0, second.all
        assert "nothing remains to be done" in second.out
        assert len(posts(on.pypi)) == sent == 5


def test_what_another_machine_began_is_finished_here(tmp_path: Path) -> None:
    """No journal has to come along: the index tells what it has."""
    with elsewhere(tmp_path, 5) as (on, machine):
        on.pypi.inject(Fault(what=Answer(status=403, reason="Not today"), when=When(method="POST", filename="*.tar.gz")))
        stopped = machine.run(*PUBLISH)
        assert stopped.status == 4, stopped.all
        assert "403 Not today" in stopped.out
        assert "not known to be on pypi: acme_widget-1.0.tar.gz" in stopped.out
        until = datetime.now(UTC) + timedelta(days=14)
        assert f"pypi takes files of this release until {until:%Y-%m-%d}" in stopped.out
        on.pypi.clear_faults()

        other = UserProject(root=tmp_path / "other", home=machine.home)
        (machine.root / ".release").rename(tmp_path / "lost")
        machine.root.rename(other.root)
        told = other.run(*PUBLISH)
        assert told.status == 0, told.all
        assert "pypi has 4 of 5 files; 1 remain" in told.out
        assert files_on(on.pypi) == hashes(other)


def test_a_release_that_is_closed_gets_no_request(tmp_path: Path) -> None:
    """Fourteen days after its first file."""
    with elsewhere(tmp_path, 3) as (on, machine):
        assert machine.run(*PUBLISH).status == 0
        late = Clock()
        late.passed = timedelta(days=15).total_seconds()
        sent = len(posts(on.pypi))
        release(machine.root / "wheelhouse", 5)
        for index in (on.pypi, on.testpypi):
            _age(index, days=15)
        told = machine.run(*PUBLISH)
        assert told.status in {1, 4}, told.all
        assert "takes no more files" in told.out
        assert len(posts(on.pypi)) == sent

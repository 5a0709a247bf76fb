"""A release of files that were built elsewhere, one that was left half done, and one that is stopped."""

from __future__ import annotations

import hashlib
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

from release.sandbox.faults import Answer, Drop, Fault, When
from tests.builders import sdist
from tests.stories.project import Indexes, UserProject, files_on, indexes, posts, release_table
from tests.uploads import release

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
        on.pypi.inject(
            Fault(what=Answer(status=403, reason="Not today"), when=When(method="POST", filename="*.tar.gz"))
        )
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


def test_bytes_that_differ_from_the_journal_stop_the_run_before_any_request(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 3) as (on, machine):
        assert machine.run(*PUBLISH).status == 0
        sent = len(on.pypi.log)
        path = machine.root / "wheelhouse" / "acme_widget-1.0.tar.gz"
        path.write_bytes(sdist(files={"more.py": "x = 1\n"}))
        told = machine.run(*PUBLISH)
        assert told.status == 1, told.all
        assert "is not the file that pypi has" in told.out
        assert {one.method for one in on.pypi.log[sent:]} <= {"GET", "HEAD", "POST"}
        assert [one for one in on.pypi.log[sent:] if one.method == "POST" and one.filename == path.name] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "'nowhere' is not there"),
        (["preflight.toml"], "'preflight.toml' is no wheel and no sdist"),
        (["."], "no wheel and no sdist in '.'"),
        (["wheelhouse", "other"], "the files are of 2 releases"),
    ],
)
def test_files_that_are_no_release_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with elsewhere(tmp_path, 2) as (on, machine):
        release(machine.root / "other", 1, version="2.0")
        told = machine.run("publish", "--yes", "--config", "preflight.toml", "--files", *words)
        assert told.status == 2, told.all
        assert message in told.err
        assert on.pypi.log == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a group of processes")
def test_ctrl_c_leaves_a_true_account_and_the_next_run_ends_it(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 5) as (on, machine):
        on.pypi.inject(Fault(what=Drop(at="after-body", how="hang"), when=When(method="POST", filename="*.tar.gz")))
        process = subprocess.Popen(
            [sys.executable, "-m", "release", *PUBLISH, "--json"], cwd=machine.root, env=machine.environment(),
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        with process:
            while len([one for one in posts(on.pypi) if one.status == 200]) < 4 and process.poll() is None:
                time.sleep(0.05)
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGINT)
            assert process.stdout is not None
            told = json.load(process.stdout)
        assert process.returncode == 4, told
        assert told["message"].startswith("interrupted; on pypi: ")
        assert "not known to be on pypi: acme_widget-1.0.tar.gz" in told["message"]
        on.pypi.clear_faults()
        again = machine.run(*PUBLISH)
        assert again.status == 0, again.all
        assert files_on(on.pypi) == hashes(machine)


def test_hundreds_of_files_stay_readable(tmp_path: Path) -> None:
    """No line is wider than a screen but the record's, and there are not as many of them as files."""
    with elsewhere(tmp_path, 150) as (on, machine):
        told = machine.run("publish", "--yes", "--config", "preflight.toml", "--files", "wheelhouse")
        assert told.status == 0, told.all
        assert len(files_on(on.pypi)) == 150
        lines = told.out.splitlines()
        assert "150 of 150 files sent" in told.out
        assert len(lines) < 100

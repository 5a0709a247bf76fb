"""A release of files that were built elsewhere, one that was left half done, and one that is stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from release.adapters.twine.twine_process import UploadLimits
from release.publishing import prebuilt
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter, Slow
from tests.sample_distributions import sdist, wheel, wheel_name
from tests.stories.project import Indexes, UserProject, files_on, indexes, posts, release_table
from tests.uploads import Clock, Engine, Pool, closing, release

POSTS = RequestFilter(method="POST", path="/legacy/", filename="acme_*")


@contextmanager
def elsewhere(
    tmp_path: Path, count: int = 2, *, clock: Callable[[], datetime] = server.utc_now
) -> Iterator[tuple[Indexes, UserProject]]:
    """A directory with nothing but files and a configuration that names the indexes. `clock`: the indexes'."""
    with indexes(clock=clock) as on:
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
        assert "nothing to do" in second.out
        assert len(posts(on.pypi)) == sent == 5


def test_what_another_machine_began_is_finished_here(tmp_path: Path) -> None:
    """No journal has to come along: the index tells what it has."""
    with elsewhere(tmp_path, 5) as (on, machine):
        on.pypi.inject(
            Fault(
                what=CannedResponse(status=403, reason="Not today"),
                when=RequestFilter(method="POST", filename="*.tar.gz"),
            )
        )
        stopped = machine.run(*PUBLISH)
        assert stopped.status == 4, stopped.all
        assert "403 Not today" in stopped.out
        assert "not known to be on pypi: acme_widget-1.0.tar.gz" in stopped.out
        until = datetime.now(UTC) + timedelta(days=14)
        assert f"pypi accepts files for this release until {until:%Y-%m-%d}" in stopped.out
        on.pypi.clear_faults()

        other = UserProject(root=tmp_path / "other", home=machine.home)
        (machine.root / ".release").rename(tmp_path / "lost")
        machine.root.rename(other.root)
        told = other.run(*PUBLISH)
        assert told.status == 0, told.all
        assert "pypi has 4 of 5 files, 1 left to upload" in told.out
        assert files_on(on.pypi) == hashes(other)


class Ago:
    """An index's clock, so many days behind."""

    days = 0

    def __call__(self) -> datetime:
        return server.utc_now() - timedelta(days=self.days)


@contextmanager
def begun(tmp_path: Path, days: int) -> Iterator[tuple[Indexes, UserProject]]:
    """A release of three files of which PyPI has had the first one for so many days."""
    clock = Ago()
    with elsewhere(tmp_path, 3, clock=clock) as (on, machine):
        clock.days = days
        with closing(Pool(UploadLimits())) as pool:
            first = prebuilt.find_distributions([machine.root / "wheelhouse"])[:1]
            there = Engine(sandbox=on.pypi, directory=tmp_path / "then", pool=pool, clock=Clock()).run(first)
        assert there.error is None
        clock.days = 0
        yield on, machine


def test_a_release_that_takes_no_more_files_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with begun(tmp_path, days=15) as (on, machine):
        sent = len(posts(on.pypi))
        told = machine.run(*PUBLISH)
        assert told.status == 1, told.all
        assert f"version 1.0 has been on pypi since {datetime.now(UTC) - timedelta(days=15):%Y-%m-%d}" in told.out
        assert "accepts no further files" in told.out
        assert "→ release a new version, or a post-release such as 1.0.post1" in told.out
        assert len(posts(on.pypi)) == sent == 1


def test_while_a_release_takes_files_it_is_said_until_when(tmp_path: Path) -> None:
    with begun(tmp_path, days=10) as (on, machine):
        told = machine.run(*PUBLISH)
        assert told.status == 0, told.all
        until = datetime.now(UTC) + timedelta(days=4)
        assert "pypi has 1 of 3 files, 2 left to upload; it accepts files for this release until" in told.out
        assert f"until {until:%Y-%m-%d} " in told.out
        assert files_on(on.pypi) == hashes(machine)


def test_bytes_that_differ_from_the_journal_stop_the_run_before_any_request(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 3) as (on, machine):
        assert machine.run(*PUBLISH).status == 0
        sent = len(on.pypi.log)
        path = machine.root / "wheelhouse" / "acme_widget-1.0.tar.gz"
        path.write_bytes(sdist(files={"more.py": "x = 1\n"}))
        told = machine.run(*PUBLISH)
        assert told.status == 1, told.all
        assert "is not the file on pypi" in told.out
        assert {one.method for one in on.pypi.log[sent:]} <= {"GET", "HEAD", "POST"}
        assert [one for one in on.pypi.log[sent:] if one.method == "POST" and one.filename == path.name] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "'nowhere' does not exist"),
        (["preflight.toml"], "'preflight.toml' is not a wheel or sdist"),
        (["empty"], "'empty' has no wheel or sdist"),
        (["wheelhouse", "foreign"], "the files belong to 2 projects: acme-gadget, acme-widget"),
        (["wheelhouse", "--require-complete", "missing.txt"], "cannot read 'missing.txt'"),
    ],
)
def test_files_that_are_no_release_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with elsewhere(tmp_path, 2) as (on, machine):
        (machine.root / "empty" / ".hidden").mkdir(parents=True)
        shutil.copy(next((machine.root / "wheelhouse").glob("*.whl")), machine.root / "empty" / ".hidden")
        (machine.root / "foreign").mkdir()
        (machine.root / "foreign" / wheel_name("acme-gadget")).write_bytes(wheel("acme-gadget"))
        told = machine.run("publish", "--yes", "--config", "preflight.toml", "--files", *words)
        assert told.status == 2, told.all
        assert message in told.err
        assert on.pypi.log == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a group of processes")
def test_ctrl_c_leaves_a_true_account_and_the_next_run_ends_it(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 5) as (on, machine):
        on.pypi.inject(
            Fault(what=Drop(at="after-body", how="hang"), when=RequestFilter(method="POST", filename="*.tar.gz"))
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "release", *PUBLISH, "--json"], cwd=machine.root, env=machine.environment(),
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        with process:
            while len([one for one in posts(on.pypi) if one.status == 200]) < 4 and process.poll() is None:
                time.sleep(0.05)
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGINT)  # type: ignore[attr-defined,unused-ignore]
            assert process.stdout is not None
            told = json.load(process.stdout)
        assert process.returncode == 4, told
        assert told["message"].startswith("interrupted; on pypi: ")
        assert "not known to be on pypi: acme_widget-1.0.tar.gz" in told["message"]
        on.pypi.clear_faults()
        again = machine.run(*PUBLISH)
        assert again.status == 0, again.all
        assert files_on(on.pypi) == hashes(machine)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a group of processes")
@pytest.mark.parametrize("number", range(1, 13))
def test_several_ctrl_c_end_with_the_status_of_what_is_on_the_index(tmp_path: Path, number: int) -> None:
    """Within 0.3 seconds, or half a second apart: whatever they interrupt, the status is true, and the record is."""
    with elsewhere(tmp_path, 12) as (on, machine):
        on.pypi.inject(Fault(what=Slow(answer=0.2), when=RequestFilter(method="POST", nth=(1, None))))
        process = subprocess.Popen(
            [sys.executable, "-m", "release", *PUBLISH, "--json"], cwd=machine.root, env=machine.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        with process:
            while len(posts(on.pypi)) < number and process.poll() is None:
                time.sleep(0.01)
            for _ in range(3):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)  # type: ignore[attr-defined,unused-ignore]
                    time.sleep(0.1 if number % 2 else 0.6)
            out, errors = process.communicate(timeout=240)
        assert "Traceback" not in errors, errors
        there = set(files_on(on.pypi))
        if len(there) < 12 or process.returncode:
            assert process.returncode == (4 if there else 1), [there, out, errors]
            assert json.loads(out)["message"].startswith("interrupted"), out
        on.pypi.clear_faults()
        assert machine.run(*PUBLISH).status == 0
        assert files_on(on.pypi) == hashes(machine)


def _is_root_on_linux() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A disk of so many bytes at `directory`, and what gives it another size. Skips where none can be had."""
    directory.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(directory)]
    if not _is_root_on_linux() or subprocess.run(mounting, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, on Linux")

    def resize(now: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={now}", str(directory)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


def test_a_disk_that_is_full_at_the_journal_stops_the_upload_and_the_next_run_ends_it(tmp_path: Path) -> None:
    """What can't be written down is not sent; what was sent is not sent again."""
    with elsewhere(tmp_path, 40) as (on, machine), small_disk(machine.root / ".release", "20k") as resize:
        stopped = machine.run(*PUBLISH)
        there = files_on(on.pypi)
        assert stopped.status == 4, stopped.all
        assert "no space left on the disk" in stopped.out
        assert "Traceback" not in stopped.all
        assert 12 < len(there) < 40
        assert f"on pypi: {len(there)} files" in stopped.out
        resize("4m")
        again = machine.run(*PUBLISH)
        assert again.status == 0, again.all
        assert f"pypi has {len(there)} of 40 files, {40 - len(there)} left to upload" in again.out
        assert files_on(on.pypi) == hashes(machine)
        assert sorted(one.filename for one in posts(on.pypi)) == sorted(hashes(machine))
        (journal,) = (machine.root / ".release").glob("1.0/*/journal.jsonl")
        whole = [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}")]
        assert {one["file"] for one in whole if one["event"] == "accepted"} == set(hashes(machine))


def test_a_second_run_in_the_same_place_is_told_to_wait(tmp_path: Path) -> None:
    with elsewhere(tmp_path, 3) as (on, machine):
        on.pypi.inject(Fault(what=Slow(answer=2), when=POSTS))
        process = subprocess.Popen(
            [sys.executable, "-m", "release", *PUBLISH], cwd=machine.root, env=machine.environment(),
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        with process:
            while not list(machine.root.glob(".release/1.0/*/journal.jsonl")) and process.poll() is None:
                time.sleep(0.02)
            second = machine.run(*PUBLISH)
            assert second.status == 1, second.all
            assert "another run is in progress" in second.err
            assert process.wait() == 0
        assert files_on(on.pypi) == hashes(machine)
        assert len(posts(on.pypi)) == 3


def test_two_machines_at_once_release_it_once(tmp_path: Path) -> None:
    """No lock is between them but the index: both end well, and each file is there once, with its bytes."""
    with elsewhere(tmp_path, 12) as (on, machine):
        other = UserProject(root=tmp_path / "other", home=machine.home)
        shutil.copytree(machine.root, other.root)
        on.pypi.inject(Fault(what=Slow(work=0.1), when=POSTS))
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda one: one.run(*PUBLISH), (machine, other)))
        assert [told.status for told in both] == [0, 0], both[0].all + both[1].all
        assert files_on(on.pypi) == hashes(machine)
        assert {one.status for one in posts(on.pypi)} == {200}


def test_hundreds_of_files_stay_readable(tmp_path: Path) -> None:
    """No line is wider than a screen but the record's, and there are not as many of them as files."""
    with elsewhere(tmp_path, 150) as (on, machine):
        told = machine.run("publish", "--yes", "--config", "preflight.toml", "--files", "wheelhouse")
        assert told.status == 0, told.all
        assert len(files_on(on.pypi)) == 150
        lines = told.out.splitlines()
        assert "150 of 150 files uploaded" in told.out
        assert len(lines) < 100

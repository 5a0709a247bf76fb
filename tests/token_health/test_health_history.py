"""What was seen is kept: as intervals, once, by several runs at a time, and whatever befalls the file or the disk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.cli.main import main
from release.core.models.token_health import TokenStatus
from release.token_health.database import MIGRATIONS
from release.token_health.health_history import DATABASE_NAME, History, recent_changes
from tests.sandbox.sandbox_client import Clock

HEALTHY = TokenStatus(
    index="pypi", upload_url="https://a.test/legacy/", project="acme-widget", place="$TOKEN", fingerprint="0a1b2c3d",
    identifier="an-identifier", scope="acme-widget", expires=None, word="healthy", state="healthy", cause="",
    message="", remedy="", checks={"the-token-lasts": "passed"},
)  # fmt: skip
REVOKED = replace(
    HEALTHY, word="broken", state="revoked", cause="cred.revoked", message="pypi does not know it", remedy="make one"
)


def run(path: Path, now: Callable[[], datetime], *seen: TokenStatus) -> History:
    """One run that saw this."""
    history = History(path, now=now)
    history.begin(len(seen))
    history.add(seen)
    history.end(0)
    history.close()
    return history


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """As the plain tool reads it."""
    with closing(sqlite3.connect(path)) as db:
        return list(db.execute(query))


def test_what_stays_the_same_is_one_row_that_grows(tmp_path: Path) -> None:
    clock, path = Clock(now=datetime(2026, 11, 1, tzinfo=UTC)), tmp_path / DATABASE_NAME
    for seen in (HEALTHY, HEALTHY, HEALTHY, REVOKED, HEALTHY):
        run(path, clock, seen)
        clock.advance(days=1)
    query = "SELECT state, date(first_seen, 'unixepoch'), date(last_seen, 'unixepoch'), count FROM observations"
    assert rows(path, query) == [
        ("healthy", "2026-11-01", "2026-11-03", 3),
        ("revoked", "2026-11-04", "2026-11-04", 1),
        ("healthy", "2026-11-05", "2026-11-05", 1),
    ]  # fmt: skip
    assert rows(path, "SELECT before, after FROM changes") == [
        ("revoked", "healthy"), ("healthy", "revoked"), (None, "healthy"),
    ]  # fmt: skip
    assert rows(path, "SELECT count(*), min(exit) FROM runs WHERE ended IS NOT NULL") == [(5, 0)]


def test_a_clock_that_was_set_back_ends_no_interval_before_its_beginning(tmp_path: Path) -> None:
    clock, path = Clock(now=datetime(2036, 1, 1, tzinfo=UTC)), tmp_path / DATABASE_NAME
    run(path, clock, HEALTHY)
    clock.now = datetime(2026, 11, 1, tzinfo=UTC)
    run(path, clock, HEALTHY)
    assert rows(path, "SELECT first_seen <= last_seen, date(first_seen, 'unixepoch') FROM observations") == [
        (1, "2026-11-01")
    ]
    assert rows(path, "SELECT date(first_seen, 'unixepoch') FROM tokens") == [("2026-11-01",)]


def test_two_runs_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    clock, path, many = Clock(), tmp_path / "deep" / DATABASE_NAME, 40
    histories: list[History] = []

    def one() -> None:
        history = History(path, now=clock)
        history.begin(many)
        for number in range(many):
            history.add([replace(HEALTHY, place=f"$TOKEN_{number}")])
        history.end(0)
        history.close()
        histories.append(history)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [history.error for history in histories] == [None] * 4
    assert rows(path, "SELECT count(*), min(count), max(count) FROM observations") == [(many, 4, 4)]


_KILLED = """
import os, signal, sys
from msgspec.structs import replace
from datetime import UTC, datetime
from pathlib import Path
from release.token_health.health_history import History
from tests.token_health.test_health_history import HEALTHY
history = History(Path(sys.argv[1]), now=lambda: datetime.now(UTC))
history.begin(100)
for number in range(100):
    if number == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    history.add([replace(HEALTHY, place=f"$TOKEN_{number}")])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_run_has_kept_what_it_saw_and_the_next_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    died = subprocess.run([sys.executable, "-c", _KILLED, str(path), "7"], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -signal.SIGKILL  # type: ignore[attr-defined,unused-ignore]
    assert rows(path, "SELECT count(*), sum(count) FROM observations") == [(7, 7)]
    run(path, Clock(), *(replace(HEALTHY, place=f"$TOKEN_{number}") for number in range(100)))
    assert rows(path, "SELECT count(*), sum(count) FROM observations") == [(100, 107)]
    assert rows(path, "SELECT ended IS NULL FROM runs ORDER BY id") == [(1,), (0,)]


@pytest.mark.parametrize("how", ["garbage", "torn", "zeros"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path: Path, how: str) -> None:
    path = tmp_path / DATABASE_NAME
    run(path, Clock(), HEALTHY)
    data = path.read_bytes()
    size = len(data)
    damaged = {
        "garbage": b"no database at all, but for its length" * 100,
        "torn": data[: size // 2 + 100],
        "zeros": data[:4096] + bytes(size - 4096),
    }[how]
    path.write_bytes(damaged)
    history = run(path, Clock(now=datetime(2026, 11, 2, 3, 4, 5, tzinfo=UTC)), REVOKED)
    assert history.error is None
    aside = tmp_path / f"{DATABASE_NAME}.damaged-20261102T030405Z"
    assert history.notes == [f"the history was damaged: moved it to {str(aside)!r} and started a new one"]
    assert aside.read_bytes()[:100] == damaged[:100]
    assert rows(path, "SELECT state, count FROM observations JOIN watches ON watches.current = observations.id") == [
        ("revoked", 1)
    ]


def test_damage_that_is_met_in_the_middle_of_a_run_loses_nothing_of_the_run(tmp_path: Path) -> None:
    path, clock = tmp_path / DATABASE_NAME, Clock()
    history = History(path, now=clock)
    history.begin(2)
    history.add([HEALTHY])
    history.close()  # the next look at the file is a new one
    path.write_bytes(b"no database" * 1000)
    history.add([replace(REVOKED, place="$OTHER")])
    history.end(1)
    history.close()
    assert history.error is None
    assert len(history.notes) == 1
    assert sorted(rows(path, "SELECT place, state FROM now")) == [("$OTHER", "revoked"), ("$TOKEN", "healthy")]


def test_a_place_that_can_not_be_written_to_is_said_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    history = run(tmp_path / "file" / DATABASE_NAME, Clock(), HEALTHY)
    assert history.error is not None
    assert history.error.remedy
    assert len(history._unwritten) == 1
    assert history.previous_tokens() == {}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_is_read_only_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert run(tmp_path / DATABASE_NAME, Clock(), HEALTHY).error is not None


_FULL = """
import resource, sys
from pathlib import Path
from release.token_health import database
from release.token_health.health_history import History
from tests.token_health.test_health_history import HEALTHY, run
from tests.sandbox.sandbox_client import Clock
from msgspec.structs import replace
path = Path(sys.argv[1])
run(path, Clock(), HEALTHY)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20_000, resource.RLIM_INFINITY))
history = run(path, Clock(), *(replace(HEALTHY, place=f"$TOKEN_{n}", message="x" * 500) for n in range(500)))
print(history.error.message, "|", history.error.remedy, "|", len(history._unwritten))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the limit that plays the full disk is POSIX")
def test_a_full_disk_is_said_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)], cwd=Path(__file__).parents[2],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("| 500")
    assert rows(path, "SELECT place, count FROM now, observations") == [("$TOKEN", 1)]


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    run(path, Clock(), HEALTHY)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    history = run(path, Clock(), REVOKED)
    assert history.error is not None
    assert "newer version" in history.error.message
    assert path.read_bytes() == before


def test_the_checks_of_a_row_are_json_for_whoever_reads_it(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    run(path, Clock(), HEALTHY)
    ((checks,),) = rows(path, "SELECT checks FROM outcomes")
    assert json.loads(checks) == {"the-token-lasts": "passed"}


def test_what_is_known_comes_back(tmp_path: Path) -> None:
    clock, path = Clock(now=datetime(2026, 11, 1, tzinfo=UTC)), tmp_path / DATABASE_NAME
    run(path, clock, HEALTHY)
    clock.advance(days=3)
    run(path, clock, replace(REVOKED, fingerprint="ffffffff", identifier="another"))
    run(path, clock, replace(REVOKED, fingerprint="", identifier="", word="unknown", state="unknown"))
    history = History(path, now=clock)
    (before,) = history.previous_tokens().values()
    assert (before.identifier, before.state, before.last_seen) == ("another", "revoked", clock())
    assert history.first_seen()["0a1b2c3d", "an-identifier"] == clock() - timedelta(days=3)
    history.close()


def many_changes(path: Path, count: int) -> None:
    clock = Clock(now=datetime(2026, 11, 1, tzinfo=UTC))
    history = History(path, now=clock)
    history.begin(1)
    for number in range(count):
        history.add([REVOKED if number % 2 else HEALTHY])
    history.end(0)
    history.close()


def test_the_same_texts_are_in_memory_once(tmp_path: Path) -> None:
    many_changes(tmp_path / DATABASE_NAME, 100)
    history = History(tmp_path / DATABASE_NAME, now=Clock())
    found = recent_changes(history, limit=100)
    history.close()
    assert len(found) == 100
    for name in ("place", "project", "message", "remedy", "cause", "identifier", "upload_url"):
        values = [getattr(one.seen, name) for one in found]
        assert len({id(value) for value in values}) == len(set(values))


def test_the_changes_are_written_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_changes(tmp_path / DATABASE_NAME, 600)
    written: list[str] = []
    monkeypatch.setattr("release.cli.main.write_output", lambda text, *_: written.append(text))
    words = ["tokens", "history", "--limit", "600", "--json", "--state-dir", str(tmp_path)]
    assert main(words) == 0
    text = "".join(written)
    document = json.loads(text)
    assert (len(document["tokens"]), len(document["changes"]), document["notes"]) == (1, 600, [])
    assert text == json.dumps(document, indent=2) + "\n"
    assert len(text) > 250_000
    assert max(map(len, written)) < 70_000

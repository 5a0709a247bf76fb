"""The file of the history: created privately, intact or reported, and one row for what stays the same."""

from __future__ import annotations

import json
import sqlite3
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import ReleaseError
from release.core.models.token_health import TokenStatus
from release.token_health import database

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)


def status(**more: Any) -> TokenStatus:
    given: dict[str, Any] = {
        "index": "pypi", "upload_url": "http://127.0.0.1:9/", "project": "acme", "place": "keyring",
        "fingerprint": "0" * 8, "identifier": "id", "scope": "account", "expires": NOW, "word": "healthy",
        "state": "ok", "cause": "", "message": "", "remedy": "", "checks": {"a": "passed"},
    }  # fmt: skip
    return TokenStatus(**given | more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.sqlite"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    found = database.open_database(path)
    yield found
    found.close()


def rows(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute("SELECT word, first_seen, last_seen, count FROM observations ORDER BY id")]


def test_a_new_database_is_in_a_directory_of_its_user_and_opens_again(path: Path, db: sqlite3.Connection) -> None:
    if sys.platform != "win32":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = database.open_database(path)
    assert again.execute("PRAGMA user_version").fetchone()[0] == len(database.MIGRATIONS)
    again.close()
    assert database.is_database(path)


def test_one_of_a_newer_version_is_not_touched(path: Path, db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA user_version = {len(database.MIGRATIONS) + 1}")
    with pytest.raises(ReleaseError, match="was written by a newer version of this program"):
        database.open_database(path)


def test_damage_is_told_from_other_failures(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"no database" * 500)
    assert not database.is_database(broken)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        database.open_database(broken)
    assert database.is_damage(raised.value)
    assert not database.is_damage(sqlite3.OperationalError("locked"))


def test_damage_in_the_middle_of_a_file_is_found_when_it_is_opened(path: Path, db: sqlite3.Connection) -> None:
    for number in range(200):
        database.record_status(db, status(place=f"{number}" * 20), run=1, now=100)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = path.read_bytes()
    path.write_bytes(data[:-4096] + b"\xff" * 4096)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        database.open_database(path)
    assert database.is_damage(raised.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (sqlite3.SQLITE_FULL, "no space left"),
        (sqlite3.SQLITE_READONLY, "cannot write to"),
        (sqlite3.SQLITE_BUSY, "another run is using"),
        (sqlite3.SQLITE_IOERR, "cannot use"),
    ],
)
def test_each_failure_has_a_remedy(code: int, message: str) -> None:
    error = sqlite3.OperationalError("the text of SQLite")
    error.sqlite_errorcode = code | 0x100  # an extended code of the same kind
    found = database.explain_error(error, Path("/state/history.sqlite"))
    assert message in found.message
    assert "history.sqlite" in found.message
    assert found.remedy


def test_what_stays_the_same_is_one_row_and_a_change_another(db: sqlite3.Connection) -> None:
    for run, (one, now) in enumerate(
        [
            (status(), 100),
            (status(checks={"a": "passed", "b": "not applicable"}), 200),
            (status(word="broken", state="revoked", checks={"a": "failed"}), 300),
            (status(word="broken", state="revoked", checks={"a": "failed"}, message="other words"), 400),
            (status(), 500),
        ]
    ):
        database.record_status(db, one, run=run, now=now)
    assert rows(db) == [("healthy", 100, 200, 2), ("broken", 300, 400, 2), ("healthy", 500, 500, 1)]


def test_a_clock_that_was_set_back_ends_nothing_before_it_began(db: sqlite3.Connection) -> None:
    for now in (500, 100):
        database.record_status(db, status(), run=1, now=now)
    assert rows(db) == [("healthy", 100, 100, 2)]
    assert db.execute("SELECT first_seen FROM tokens").fetchone()[0] == 100


def test_an_unknown_status_says_nothing_about_the_token(db: sqlite3.Connection) -> None:
    database.record_status(db, status(), run=1, now=100)
    database.record_status(db, status(word="unknown", state="unreachable"), run=2, now=200)
    row = db.execute("SELECT token, token_state, token_seen, last_run FROM watches").fetchone()
    assert (row["token_state"], row["token_seen"], row["last_run"]) == ("ok", 100, 2)
    assert row["token"] is not None


def test_credentials_in_different_places_are_watched_apart(db: sqlite3.Connection) -> None:
    for one in (status(), replace(status(), place=".pypirc"), replace(status(), project=None)):
        database.record_status(db, one, run=1, now=100)
    assert db.execute("SELECT count(*) FROM watches").fetchone()[0] == 3
    assert db.execute("SELECT count(*) FROM tokens").fetchone()[0] == 1


def test_equal_checks_are_stored_once_in_one_order(db: sqlite3.Connection) -> None:
    for checks in ({"b": "passed", "a": "failed"}, {"a": "failed", "b": "passed"}):
        database.record_status(db, status(checks=checks), run=1, now=100)
    (row,) = db.execute("SELECT checks FROM outcomes").fetchall()
    assert list(json.loads(row[0])) == ["a", "b"]


def test_a_time_comes_back_as_it_was() -> None:
    assert database.from_timestamp(database.to_timestamp(NOW)) == NOW


@pytest.mark.parametrize("text", ["[" * 100_000, "{'", "[]", "9" * 5_000, ""])
def test_damaged_checks_are_none(text: str) -> None:
    assert database.parse_checks(text) == {}
    assert database.parse_checks('{"a": "passed"}') == {"a": "passed"}
    assert database.parse_checks('{"a": "passed"}') is database.parse_checks('{"a": "passed"}')  # shared by many rows

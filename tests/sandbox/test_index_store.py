"""The connections of the state directory: kept, each in one transaction, and closed at the end."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from release.core.errors import UsageError
from release.sandbox.index_store import IndexProject, Store, admin_flags, create_project, find_project

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ANOTHER_PROCESS = (
    "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('SELECT * FROM flags'); db.close()"
)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


def set_flag(store: Store, name: str) -> None:
    with store.writing() as db:
        db.execute("INSERT INTO flags VALUES (?)", (name,))


def flags(store: Store) -> set[str]:
    with store.reading() as db:
        return admin_flags(db)


def test_the_connection_to_what_is_no_database_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 warns where it is not."""
    closed: list[sqlite3.Connection] = []

    class Watched(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Watched))
    (tmp_path / "sandbox.sqlite3").write_bytes(b"no database " * 100)
    with pytest.raises(UsageError, match="cannot use the state directory"):
        Store(tmp_path)
    assert len(closed) == 1


def test_transactions_in_turn_share_a_connection(store: Store) -> None:
    with store.reading() as first:
        pass
    with store.writing() as second:
        pass
    assert first is second


def test_transactions_at_once_have_connections_of_their_own(store: Store) -> None:
    with store.reading() as first, store.writing() as second:
        assert first is not second
        second.execute("INSERT INTO flags VALUES ('read-only')")
        assert admin_flags(first) == set()


def test_a_transaction_sees_what_was_written_before_it(store: Store) -> None:
    assert flags(store) == set()
    set_flag(store, "read-only")
    assert flags(store) == {"read-only"}


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.writing() as db:
        db.executemany("INSERT INTO flags VALUES (?)", [("read-only",), ("read-only",)])
    assert flags(store) == set()
    set_flag(store, "disallow-new-upload")
    assert flags(store) == {"disallow-new-upload"}


def test_an_earlier_state_is_that_of_one_transaction_only(store: Store) -> None:
    with store.writing() as db:
        create_project(db, IndexProject(id="1", name="acme"), NOW)
    for _ in range(2):
        with store.reading(NOW - timedelta(seconds=1)) as db:
            assert find_project(db, "acme") is None
        with store.reading() as db:
            assert find_project(db, "acme") is not None


def test_only_some_connections_are_kept(store: Store) -> None:
    with ExitStack() as stack:
        used = [stack.enter_context(store.reading()) for _ in range(20)]
    kept = sum(is_open(db) for db in used)
    assert 0 < kept < len(used)


def test_a_closed_store_has_no_open_connection(store: Store) -> None:
    stage = store.open_stage("first")
    with stage.reading() as of_stage, store.reading() as used:
        store.close()
        assert is_open(used)
    set_flag(store, "read-only")
    assert not is_open(used)
    assert not is_open(of_stage)
    assert [path.name for path in store.directory.rglob("*sqlite3*") if path.name != "sandbox.sqlite3"] == []


def is_open(db: sqlite3.Connection) -> bool:
    try:
        db.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_second_store_leaves_the_locks_of_the_first_one(store: Store) -> None:
    """Without its lock, another process takes itself for the last one, and deletes the log that is still in use."""
    set_flag(store, "read-only")
    with closing(Store(store.directory)):
        subprocess.run([sys.executable, "-c", ANOTHER_PROCESS, str(store.database)], check=True)
        assert store.database.with_name(f"{store.database.name}-wal").exists()
        set_flag(store, "disallow-new-upload")
    with closing(Store(store.directory)) as another:
        assert flags(another) == flags(store) == {"read-only", "disallow-new-upload"}

"""The database file of the history: open it, migrate it, detect damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from release.core.errors import ReleaseError

#: seconds to wait for another run that writes
LOCK_TIMEOUT = 10.0
#: bytes; a larger file is not searched for damage when it is opened, only when damage is met
_MAX_CHECKED_SIZE = 16 * 1024 * 1024
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: file n has the statements that lead from version n to version n + 1, which is stored in `user_version`
MIGRATIONS = ("schema.sql",)


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database, or create it. Raises `sqlite3.Error`, `OSError`, `ReleaseError`."""
    from filelock import FileLock

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT):  # two runs may create it at the same time
        db = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if path.stat().st_size <= _MAX_CHECKED_SIZE:
                _require_intact(db)
            _migrate(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise ReleaseError(
            f"the history {str(path)!r} was written by a newer version of this program", remedy="update this program"
        )
    for number, name in enumerate(MIGRATIONS[version:], version + 1):
        statements = resources.files("release.token_health").joinpath(name).read_text(encoding="utf-8")
        db.executescript(f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {number}; COMMIT;")


def _require_intact(db: sqlite3.Connection) -> None:
    if [str(row[0]) for row in db.execute("PRAGMA quick_check(1)")] != ["ok"]:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def is_database(path: Path) -> bool:
    """Whether a file is an intact database; reads all of it."""
    try:
        with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT)) as db:
            _require_intact(db)
    except sqlite3.Error:
        return False
    return True


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an operation failed because the file is damaged."""
    return _code(error) in _DAMAGED


def explain_error(error: sqlite3.Error, path: Path) -> ReleaseError:
    """Return an error of SQLite with a remedy."""
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return ReleaseError(f"no space left for {str(path)!r}", remedy="free space on that disk")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            remedy = f"make {str(path.parent)!r} writable, or use another directory: --state DIR"
            return ReleaseError(f"cannot write to {str(path)!r}", remedy=remedy)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ReleaseError(f"another run is using {str(path)!r}", remedy="wait for it to end, or end it")
        case _:
            return ReleaseError(f"cannot use {str(path)!r}: {error}", remedy=f"inspect it, or move it away: {path}")


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF

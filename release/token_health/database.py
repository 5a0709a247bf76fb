"""The file of the history: opened, brought into its newest form, looked at for damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from release.core.errors import ReleaseError
from release.token_health.schema import MIGRATIONS

#: seconds that another run may take to write
BUSY = 10.0
#: bytes; a larger file is not read as a whole in search of damage, which then shows when it is met
_QUICK = 16 * 1024 * 1024
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def open_database(path: Path) -> sqlite3.Connection:
    """The database, made where there is none. Raises `sqlite3.Error`, `OSError`, `ReleaseError`."""
    from filelock import FileLock

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=BUSY):  # two runs may begin the first history
        db = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if path.stat().st_size <= _QUICK:
                _look_for_damage(db)
            _migrate(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (form,) = db.execute("PRAGMA user_version").fetchone()
    if form > len(MIGRATIONS):
        raise ReleaseError(
            f"the history {str(path)!r} is of a newer version of this program", remedy="update this program"
        )
    for number, statements in enumerate(MIGRATIONS[form:], form + 1):
        db.executescript(f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {number}; COMMIT;")


def _look_for_damage(db: sqlite3.Connection) -> None:
    found = [str(row[0]) for row in db.execute("PRAGMA quick_check(1)")]
    if found != ["ok"]:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def is_sound(path: Path) -> bool:
    """Whether a file is a database, read as a whole."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY)) as db:
            return [str(row[0]) for row in db.execute("PRAGMA quick_check(1)")] == ["ok"]
    except sqlite3.Error:
        return False


def is_damage(error: sqlite3.Error) -> bool:
    """Whether this failed because the file is damaged."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in _BROKEN


def explain_error(error: sqlite3.Error, path: Path) -> ReleaseError:
    """What SQLite says, so that somebody can mend it."""
    match (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return ReleaseError(f"no space left for {str(path)!r}", remedy="make room on that disk")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            remedy = f"make {str(path.parent)!r} writable for you, or name another directory: --state DIR"
            return ReleaseError(f"{str(path)!r} can't be written to", remedy=remedy)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ReleaseError(f"another run keeps {str(path)!r} busy", remedy="end it, or wait for it")
        case _:
            return ReleaseError(f"{str(path)!r} can't be used: {error}", remedy=f"look at it, or move it away: {path}")

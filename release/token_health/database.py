"""The database of the history: open and migrate the file, detect damage, and record the status of a credential."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from sys import intern  # the same texts are in thousands of rows
from typing import Any

from release.core.errors import ReleaseError
from release.core.foreign_json import ForeignJsonError, parse_foreign_json
from release.core.models.check_result import CheckState
from release.core.models.token_health import TokenStatus
from release.core.quoting import quote_path

#: seconds to wait for another run that writes
LOCK_TIMEOUT = 10.0
#: bytes; a larger file is not searched for damage when it is opened, only when damage is met
_MAX_CHECKED_SIZE = 16 * 1024 * 1024
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
            f"the history {quote_path(path)} was written by a newer version of this program",
            remedy="update this program",
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
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def explain_error(error: sqlite3.Error, path: Path) -> ReleaseError:
    """Return an error of SQLite with a remedy."""
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return ReleaseError(f"no space left for {quote_path(path)}", remedy="free space on that disk")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            remedy = f"make {quote_path(path.parent)} writable, or use another directory: --state-dir DIR"
            return ReleaseError(f"cannot write to {quote_path(path)}", remedy=remedy)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ReleaseError(f"another run is using {quote_path(path)}", remedy="wait for it to end, or end it")
        case _:
            return ReleaseError(
                f"cannot use {quote_path(path)}: {error}", remedy=f"inspect it, or move it away: {path}"
            )


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def to_timestamp(time: datetime) -> int:
    """Return a time as the history stores it."""
    return int(time.timestamp())


def from_timestamp(seconds: int) -> datetime:
    """Return a time of the history; aware, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=1024)  # many observations have one text
def parse_checks(text: str) -> Mapping[str, str]:
    """Return check → state; empty where the text is damaged, since the verdict has a column of its own."""
    try:
        found = parse_foreign_json(text)
    except ForeignJsonError:
        return {}
    return found if isinstance(found, dict) else {}


def status_from_row(row: sqlite3.Row) -> TokenStatus:
    """Return the status in a row that has the columns of a watch, its observation, outcome and token."""

    def text(column: str) -> Any:
        return intern(row[column] or "")

    return TokenStatus(
        index=text("index_name"), upload_url=text("upload_url"), project=text("project") or None, place=text("place"),
        fingerprint=text("fingerprint"), identifier=text("identifier"), scope=text("scope"),
        expires=from_timestamp(row["expires"]) if row["expires"] is not None else None,
        word=text("word"), state=text("state"), cause=text("cause"), message=text("message"), remedy=text("remedy"),
        checks=parse_checks(row["checks"]),
    )  # fmt: skip


def record_status(db: sqlite3.Connection, status: TokenStatus, *, run: int, now: int) -> None:
    """Extend the credential's present interval, or begin a new one, within a transaction of the caller.

    `now` is in seconds. If the clock was set back, no interval ends before it began.
    """
    watch = _watch(db, status)
    token = _token(db, status, now) if status.fingerprint else None
    outcome = _outcome(db, status)
    query = "SELECT o.*, c.checks FROM observations o JOIN outcomes c ON c.id = o.outcome WHERE o.id = ?"
    current = db.execute(query, (watch["current"],)).fetchone()
    if current is not None and _is_unchanged(current, status, token):
        number = current["id"]
        db.execute(
            "UPDATE observations SET first_seen = min(first_seen, ?), last_seen = ?, count = count + 1, outcome = ?,"
            " message = ?, remedy = ? WHERE id = ?",
            (now, now, outcome, status.message, status.remedy, number),
        )
    else:
        number = db.execute(
            "INSERT INTO observations (watch, token, word, state, cause, outcome, message, remedy, first_seen,"
            " last_seen, count, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
            (
                watch["id"], token, status.word, status.state, status.cause, outcome, status.message, status.remedy,
                now, now, watch["current"],
            ),
        ).lastrowid  # fmt: skip
    db.execute("UPDATE watches SET current = ?, last_run = ? WHERE id = ?", (number, run, watch["id"]))
    if token is not None and status.word != "unknown":
        db.execute(
            "UPDATE watches SET token = ?, token_state = ?, token_seen = ? WHERE id = ?",
            (token, status.state, now, watch["id"]),
        )


def _is_unchanged(row: sqlite3.Row, status: TokenStatus, token: int | None) -> bool:
    """Compare verdicts and all checks with problems. A check that stops being applicable is not a change."""
    bad = {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED}

    def problems(checks: Mapping[str, str]) -> dict[str, str]:
        return {check: state for check, state in checks.items() if state in bad}

    before = (row["token"], row["word"], row["state"], row["cause"], problems(parse_checks(row["checks"])))
    return before == (token, status.word, status.state, status.cause, problems(status.checks))


def _watch(db: sqlite3.Connection, status: TokenStatus) -> sqlite3.Row:
    key = (status.index, status.upload_url, status.project or "", status.place)
    query = "SELECT * FROM watches WHERE index_name = ? AND upload_url = ? AND project = ? AND place = ?"
    db.execute("INSERT OR IGNORE INTO watches (index_name, upload_url, project, place) VALUES (?, ?, ?, ?)", key)
    row: sqlite3.Row = db.execute(query, key).fetchone()
    return row


def _token(db: sqlite3.Connection, status: TokenStatus, now: int) -> int:
    """Return the id of the token. If the clock was set back, `first_seen` is corrected to be no later than now."""
    expires = int(status.expires.timestamp()) if status.expires else None
    row = db.execute(
        "INSERT INTO tokens (fingerprint, identifier, scope, expires, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (fingerprint, identifier) DO UPDATE SET last_seen = excluded.last_seen,"
        " first_seen = min(first_seen, excluded.first_seen), scope = excluded.scope, expires = excluded.expires"
        " RETURNING id",
        (status.fingerprint, status.identifier, status.scope, expires, now, now),
    ).fetchone()
    return int(row["id"])


def _outcome(db: sqlite3.Connection, status: TokenStatus) -> int:
    checks = json.dumps(dict(sorted(status.checks.items())), separators=(",", ":"))  # equal states give equal text
    db.execute("INSERT OR IGNORE INTO outcomes (checks) VALUES (?)", (checks,))
    row = db.execute("SELECT id FROM outcomes WHERE checks = ?", (checks,)).fetchone()
    return int(row["id"])

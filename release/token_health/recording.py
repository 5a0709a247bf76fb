"""Record the status of one credential in the history: extend the present interval, or begin a new one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from release.core.models.check_result import CheckState
from release.core.models.token_health import TokenStatus

_CURRENT = "SELECT o.*, c.checks FROM observations o JOIN outcomes c ON c.id = o.outcome WHERE o.id = ?"
_PROBLEMS = {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED}


def record_status(db: sqlite3.Connection, status: TokenStatus, *, run: int, now: int) -> None:
    """Record a status, within a transaction of the caller.

    `now` is in seconds. If the clock was set back, no interval ends before it began.
    """
    watch = _watch(db, status)
    token = _token(db, status, now) if status.fingerprint else None
    outcome = _outcome(db, status)
    current = db.execute(_CURRENT, (watch["current"],)).fetchone()
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
    before = (row["token"], row["word"], row["state"], row["cause"], _problems(json.loads(row["checks"])))
    return before == (token, status.word, status.state, status.cause, _problems(status.checks))


def _problems(checks: Mapping[str, str]) -> dict[str, str]:
    return {check: state for check, state in checks.items() if state in _PROBLEMS}


def _watch(db: sqlite3.Connection, status: TokenStatus) -> sqlite3.Row:
    key = (status.index, status.upload_url, status.project or "", status.place)
    query = "SELECT * FROM watches WHERE index_name = ? AND upload_url = ? AND project = ? AND place = ?"
    row: sqlite3.Row | None = db.execute(query, key).fetchone()
    if row is None:
        db.execute("INSERT INTO watches (index_name, upload_url, project, place) VALUES (?, ?, ?, ?)", key)
        row = db.execute(query, key).fetchone()
    assert row is not None
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
    checks = checks_to_json(status.checks)
    db.execute("INSERT OR IGNORE INTO outcomes (checks) VALUES (?)", (checks,))
    row = db.execute("SELECT id FROM outcomes WHERE checks = ?", (checks,)).fetchone()
    return int(row["id"])


def checks_to_json(checks: Mapping[str, str]) -> str:
    """Return the state of each check as JSON; equal states give equal text."""
    return json.dumps(dict(sorted(checks.items())), separators=(",", ":"))

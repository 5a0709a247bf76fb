"""Writes one look at one credential into the history: a longer interval, or a new one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from release.core.models.check_result import CheckState
from release.core.models.token_health import TokenStatus

_CURRENT = "SELECT o.*, c.checks FROM observations o JOIN outcomes c ON c.id = o.outcome WHERE o.id = ?"
_TROUBLE = {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED}


def record_status(db: sqlite3.Connection, seen: TokenStatus, *, run: int, now: int) -> None:
    """Within a transaction. `now` is in seconds; a clock that was set back makes no interval end before it began."""
    watch = _watch(db, seen)
    token = _token(db, seen, now) if seen.fingerprint else None
    outcome = _outcome(db, seen)
    current = db.execute(_CURRENT, (watch["current"],)).fetchone()
    if current is not None and _is_the_same(current, seen, token):
        number = current["id"]
        db.execute(
            "UPDATE observations SET first_seen = min(first_seen, ?), last_seen = ?, count = count + 1, outcome = ?,"
            " message = ?, remedy = ? WHERE id = ?",
            (now, now, outcome, seen.message, seen.remedy, number),
        )
    else:
        made = db.execute(
            "INSERT INTO observations (watch, token, word, state, cause, outcome, message, remedy, first_seen,"
            " last_seen, count, before) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
            (
                watch["id"], token, seen.word, seen.state, seen.cause, outcome, seen.message, seen.remedy, now, now,
                watch["current"],
            ),
        )  # fmt: skip
        number = made.lastrowid
    db.execute("UPDATE watches SET current = ?, last_run = ? WHERE id = ?", (number, run, watch["id"]))
    if token is not None and seen.word != "unknown":
        db.execute(
            "UPDATE watches SET token = ?, token_state = ?, token_seen = ? WHERE id = ?",
            (token, seen.state, now, watch["id"]),
        )


def _is_the_same(row: sqlite3.Row, seen: TokenStatus, token: int | None) -> bool:
    """Whether it is as it was: also each check that did not pass. That one does not apply any more is no change."""
    before = (row["token"], row["word"], row["state"], row["cause"], _trouble(json.loads(row["checks"])))
    return before == (token, seen.word, seen.state, seen.cause, _trouble(seen.checks))


def _trouble(checks: Mapping[str, str]) -> dict[str, str]:
    return {check: state for check, state in checks.items() if state in _TROUBLE}


def _watch(db: sqlite3.Connection, seen: TokenStatus) -> sqlite3.Row:
    key = (seen.index, seen.upload_url, seen.project or "", seen.place)
    where = "SELECT * FROM watches WHERE index_name = ? AND upload_url = ? AND project = ? AND place = ?"
    found: sqlite3.Row | None = db.execute(where, key).fetchone()
    if found is None:
        db.execute("INSERT INTO watches (index_name, upload_url, project, place) VALUES (?, ?, ?, ?)", key)
        found = db.execute(where, key).fetchone()
    assert found is not None
    return found


def _token(db: sqlite3.Connection, seen: TokenStatus, now: int) -> int:
    """The token's number. When it was first seen is never later than now, whatever the clock said then."""
    expires = int(seen.expires.timestamp()) if seen.expires else None
    row = db.execute(
        "INSERT INTO tokens (fingerprint, identifier, scope, expires, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (fingerprint, identifier) DO UPDATE SET last_seen = excluded.last_seen,"
        " first_seen = min(first_seen, excluded.first_seen), scope = excluded.scope, expires = excluded.expires"
        " RETURNING id",
        (seen.fingerprint, seen.identifier, seen.scope, expires, now, now),
    ).fetchone()
    return int(row["id"])


def _outcome(db: sqlite3.Connection, seen: TokenStatus) -> int:
    checks = checks_to_json(seen.checks)
    db.execute("INSERT OR IGNORE INTO outcomes (checks) VALUES (?)", (checks,))
    row = db.execute("SELECT id FROM outcomes WHERE checks = ?", (checks,)).fetchone()
    return int(row["id"])


def checks_to_json(checks: Mapping[str, str]) -> str:
    """How each check ended, always in the same spelling."""
    return json.dumps(dict(sorted(checks.items())), separators=(",", ":"))

"""Reads the history for people: how each credential is, since when, and what has changed."""

from __future__ import annotations

import sqlite3

from release.health.history import History, moment
from release.health.telling import seen
from release.health_report import Interval

_COLUMNS = """
SELECT w.index_name, w.upload_url, w.project, w.place, o.word, o.state, o.cause, o.message, o.remedy,
       o.first_seen, o.last_seen, o.count, c.checks, t.fingerprint, t.identifier, t.scope, t.expires,
       p.state AS before
FROM {from_} JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = o.token LEFT JOIN observations p ON p.id = o.before
"""
_NOW = _COLUMNS.format(from_="watches w JOIN observations o ON o.id = w.current") + "ORDER BY w.id"
_CHANGED = _COLUMNS.format(from_="observations o CROSS JOIN watches w ON w.id = o.watch") + "ORDER BY o.id DESC LIMIT ?"


def now(history: History) -> tuple[Interval, ...]:
    """How each credential was when it was last looked at."""
    return tuple(_interval(row) for row in history.select(_NOW))


def changed(history: History, *, limit: int) -> tuple[Interval, ...]:
    """The last changes, the newest first; the first look at something is one."""
    return tuple(_interval(row) for row in history.select(_CHANGED, [limit]))


def _interval(row: sqlite3.Row) -> Interval:
    return Interval(
        seen=seen(row), before=row["before"], since=moment(row["first_seen"]), last_seen=moment(row["last_seen"]),
        count=row["count"],
    )  # fmt: skip

"""Reads the history for people: how each credential is, since when, and what has changed."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache

from release.core.models.token_timeline import StatePeriod, StatusInterval, TokenTimeline
from release.token_health.health_history import History, from_timestamp
from release.token_health.notify.outbox import status_from_row

_COLUMNS = """
SELECT w.id AS watch, w.index_name, w.upload_url, w.project, w.place, o.word, o.state, o.cause, o.message, o.remedy,
       o.first_seen, o.last_seen, o.count, c.checks, t.fingerprint, t.identifier, t.scope, t.expires,
       p.state AS before
FROM {from_} JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = o.token LEFT JOIN observations p ON p.id = o.before
"""
_NOW = _COLUMNS.format(from_="watches w JOIN observations o ON o.id = w.current") + "ORDER BY w.id"
_CHANGED = _COLUMNS.format(from_="observations o CROSS JOIN watches w ON w.id = o.watch") + "ORDER BY o.id DESC LIMIT ?"

_SPANS = """
SELECT o.state, o.first_seen, o.last_seen, c.checks FROM observations o JOIN outcomes c ON c.id = o.outcome
WHERE o.watch = ? ORDER BY o.id DESC LIMIT ?
"""


def latest_statuses(history: History) -> tuple[StatusInterval, ...]:
    """How each credential was when it was last looked at."""
    return tuple(_interval(row) for row in history.select(_NOW))


def recent_changes(history: History, *, limit: int) -> tuple[StatusInterval, ...]:
    """The last changes, the newest first; the first look at something is one."""
    return tuple(_interval(row) for row in history.select(_CHANGED, [limit]))


def load_timelines(history: History, *, limit: int = 60) -> tuple[TokenTimeline, ...]:
    """Each credential with its last states, at most `limit` of them."""
    checks = lru_cache(maxsize=None)(json.loads)  # many observations share one text

    def spans(watch: int) -> tuple[StatePeriod, ...]:
        rows = history.select(_SPANS, [watch, limit])
        return tuple(
            StatePeriod(
                state=row["state"], since=from_timestamp(row["first_seen"]), last_seen=from_timestamp(row["last_seen"]),
                checks=checks(row["checks"]),
            )
            for row in reversed(rows)
        )  # fmt: skip

    return tuple(TokenTimeline(now=_interval(row), spans=spans(row["watch"])) for row in history.select(_NOW))


def _interval(row: sqlite3.Row) -> StatusInterval:
    return StatusInterval(
        seen=status_from_row(row), before=row["before"],
        since=from_timestamp(row["first_seen"]), last_seen=from_timestamp(row["last_seen"]),
        count=row["count"],
    )  # fmt: skip

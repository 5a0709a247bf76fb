"""Query the history: the latest status of each credential, recent changes, and timelines."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache

from release.core.models.token_health import StatePeriod, StatusInterval, TokenTimeline
from release.token_health.health_history import History, from_timestamp, status_from_row

_COLUMNS = """
SELECT w.id AS watch, w.index_name, w.upload_url, w.project, w.place, o.word, o.state, o.cause, o.message, o.remedy,
       o.first_seen, o.last_seen, o.count, c.checks, t.fingerprint, t.identifier, t.scope, t.expires,
       p.state AS before
FROM {from_} JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = o.token LEFT JOIN observations p ON p.id = o.before
"""
_LATEST = _COLUMNS.format(from_="watches w JOIN observations o ON o.id = w.current") + "ORDER BY w.id"
_CHANGES = _COLUMNS.format(from_="observations o CROSS JOIN watches w ON w.id = o.watch") + "ORDER BY o.id DESC LIMIT ?"

_PERIODS = """
SELECT o.state, o.first_seen, o.last_seen, c.checks FROM observations o JOIN outcomes c ON c.id = o.outcome
WHERE o.watch = ? ORDER BY o.id DESC LIMIT ?
"""


def latest_statuses(history: History) -> tuple[StatusInterval, ...]:
    """Return the latest status of each credential."""
    return tuple(_interval(row) for row in history.select(_LATEST))


def recent_changes(history: History, *, limit: int) -> tuple[StatusInterval, ...]:
    """Return the last changes, newest first; the first status of a credential counts as one."""
    return tuple(_interval(row) for row in history.select(_CHANGES, [limit]))


def load_timelines(history: History, *, limit: int = 60) -> tuple[TokenTimeline, ...]:
    """Return each credential with its last states, at most `limit` of them."""
    checks = lru_cache(maxsize=None)(json.loads)  # many observations share one text

    def periods(watch: int) -> tuple[StatePeriod, ...]:
        rows = history.select(_PERIODS, [watch, limit])
        return tuple(
            StatePeriod(
                state=row["state"], since=from_timestamp(row["first_seen"]), last_seen=from_timestamp(row["last_seen"]),
                checks=checks(row["checks"]),
            )
            for row in reversed(rows)
        )  # fmt: skip

    return tuple(TokenTimeline(now=_interval(row), spans=periods(row["watch"])) for row in history.select(_LATEST))


def _interval(row: sqlite3.Row) -> StatusInterval:
    return StatusInterval(
        seen=status_from_row(row), before=row["before"],
        since=from_timestamp(row["first_seen"]), last_seen=from_timestamp(row["last_seen"]),
        count=row["count"],
    )  # fmt: skip

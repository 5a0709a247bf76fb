"""The limits on new projects, per IP address and per user, in a moving window.

Source: warehouse, `packaging/services.py`, `rate_limiting/headers.py`; the numbers: `core/models/project_limits.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from release.core.models.project_limits import NEW_PROJECT_LIMITS, ProjectLimit

_SETTING = "new_projects"


class ProjectQuota:
    """Both rate limiters for one client. A hit stays counted when the upload is refused afterwards."""

    def __init__(self, db: sqlite3.Connection, address: str, user_id: str, now: datetime) -> None:
        self._db, self._time = db, now.timestamp()
        self._keys = {"ip": address, "user": user_id}
        self._limits = read_project_limits(db)
        self.is_spent = False
        policies, states = [], []
        for one in self._limits:
            name, window = f"project.create.{one.kind}", one.seconds
            count, oldest = db.execute(
                "SELECT count(*), min(at) FROM hits WHERE limiter = ? AND key = ? AND at > ?",
                (name, self._keys[one.kind], self._time - window),
            ).fetchone()
            remaining = max(0, one.limit - count)
            seconds = window if oldest is None else int(oldest + window - self._time)
            self.is_spent |= remaining == 0
            policies.append(f'"{name}";q={one.limit};w={window};pk=:{one.kind}:')
            states.append(f'"{name}";r={remaining};t={seconds}')
        #: of the response, as in draft-ietf-httpapi-ratelimit-headers-10
        self.headers = [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(states))]

    def count(self) -> None:
        """Count a new project."""
        for one in self._limits:
            name = f"project.create.{one.kind}"
            self._db.execute("DELETE FROM hits WHERE limiter = ? AND at <= ?", (name, self._time - one.seconds))
            self._db.execute("INSERT INTO hits VALUES (?, ?, ?)", (name, self._keys[one.kind], self._time))


def write_project_limits(db: sqlite3.Connection, limits: Iterable[ProjectLimit]) -> None:
    """Store the limits among the settings."""
    values = [[one.kind, one.limit, one.seconds] for one in limits]
    db.execute("INSERT INTO settings VALUES (?, ?)", (_SETTING, json.dumps(values)))


def read_project_limits(db: sqlite3.Connection) -> tuple[ProjectLimit, ...]:
    """The limits among the settings; PyPI's where there are none."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (_SETTING,)).fetchone()
    if row is None:
        return NEW_PROJECT_LIMITS
    return tuple(ProjectLimit(kind=kind, limit=limit, seconds=seconds) for kind, limit, seconds in json.loads(row[0]))

"""The limits of the index: on new projects, per IP address and per user, in a moving window; on sizes.

Source: warehouse, `packaging/services.py`, `rate_limiting/headers.py`; the numbers: `core/models/project_limits.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from release.core.models.project_limits import FILE_SIZE, NEW_PROJECT_LIMITS, PROJECT_SIZE, ProjectLimit

_SETTING = "new_projects"
_SIZES = "sizes"


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


def write_size_limits(db: sqlite3.Connection, sizes: tuple[int, int], own: Mapping[str, tuple[int, int]]) -> None:
    """Store the limits on the size of a file and of a project, in bytes; `own` has those of projects.

    `own` is by normalized name. A project's own limit counts where it is higher, as on PyPI.
    """
    raised = {name: [max(pair) for pair in zip(sizes, limits, strict=True)] for name, limits in own.items()}
    db.execute("INSERT INTO settings VALUES (?, ?)", (_SIZES, json.dumps({"all": sizes, "own": raised})))


def read_size_limits(db: sqlite3.Connection, normalized: str | None) -> tuple[int, int]:
    """The limits on the size of a file and of this project, in bytes; PyPI's where there are none."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (_SIZES,)).fetchone()
    if row is None:
        return FILE_SIZE, PROJECT_SIZE
    values = json.loads(row[0])
    file_size, project_size = values["own"].get(normalized, values["all"])
    return file_size, project_size

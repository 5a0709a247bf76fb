"""The limits on new projects, per IP address and per user, in a moving window.

Source: warehouse, `config.py`, `packaging/services.py`, `rate_limiting/headers.py`.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

#: seconds
_WINDOW = 3600
#: new projects in a window
_LIMITS = {"ip": 40, "user": 20}


class ProjectQuota:
    """Both rate limiters for one client. A hit stays counted when the upload is refused afterwards."""

    def __init__(self, db: sqlite3.Connection, address: str, user_id: str, now: datetime) -> None:
        self._db, self._time = db, now.timestamp()
        self._keys = {"ip": address, "user": user_id}
        self.is_spent = False
        policies, states = [], []
        for kind, key in self._keys.items():
            name = f"project.create.{kind}"
            count, oldest = db.execute(
                "SELECT count(*), min(at) FROM hits WHERE limiter = ? AND key = ? AND at > ?",
                (name, key, self._time - _WINDOW),
            ).fetchone()
            remaining = max(0, _LIMITS[kind] - count)
            seconds = _WINDOW if oldest is None else int(oldest + _WINDOW - self._time)
            self.is_spent |= remaining == 0
            policies.append(f'"{name}";q={_LIMITS[kind]};w={_WINDOW};pk=:{kind}:')
            states.append(f'"{name}";r={remaining};t={seconds}')
        #: of the response, as in draft-ietf-httpapi-ratelimit-headers-10
        self.headers = [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(states))]

    def count(self) -> None:
        """Count a new project."""
        self._db.execute("DELETE FROM hits WHERE at <= ?", (self._time - _WINDOW,))
        hits = [(f"project.create.{kind}", key, self._time) for kind, key in self._keys.items()]
        self._db.executemany("INSERT INTO hits VALUES (?, ?, ?)", hits)

"""How many projects may be created in an hour, and the headers that tell.

Source: warehouse, `config.py`, `packaging/services.py`, `rate_limiting/headers.py`; a moving window. Its counters
live outside the transaction: a hit stays spent when the upload is refused afterwards.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

#: seconds
_WINDOW = 3600
#: new projects in a window
_BY_ADDRESS, _BY_USER = 40, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectQuota:
    """One limiter as it stands."""

    name: str
    #: "ip" or "user"
    kind: str
    #: which address, or which account
    key: str
    limit: int
    remaining: int
    #: seconds until the oldest hit is forgotten
    reset: int


def new_projects(db: sqlite3.Connection, address: str, user_id: str, now: datetime) -> tuple[ProjectQuota, ...]:
    """Both limiters of project creation."""
    return _window(db, "ip", address, _BY_ADDRESS, now), _window(db, "user", user_id, _BY_USER, now)


def spend(db: sqlite3.Connection, windows: tuple[ProjectQuota, ...], now: datetime) -> None:
    """One new project more."""
    db.execute("DELETE FROM hits WHERE at <= ?", (now.timestamp() - _WINDOW,))
    db.executemany("INSERT INTO hits VALUES (?, ?, ?)", [(one.name, one.key, now.timestamp()) for one in windows])


def headers(windows: tuple[ProjectQuota, ...]) -> list[tuple[str, str]]:
    """`RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them."""
    policy = ", ".join(f'"{one.name}";q={one.limit};w={_WINDOW};pk=:{one.kind}:' for one in windows)
    state = ", ".join(f'"{one.name}";r={one.remaining};t={one.reset}' for one in windows)
    return [("RateLimit-Policy", policy), ("RateLimit", state)]


def _window(db: sqlite3.Connection, kind: str, key: str, limit: int, now: datetime) -> ProjectQuota:
    name, moment = f"project.create.{kind}", now.timestamp()
    count, oldest = db.execute(
        "SELECT count(*), min(at) FROM hits WHERE limiter = ? AND key = ? AND at > ?", (name, key, moment - _WINDOW)
    ).fetchone()
    reset = _WINDOW if oldest is None else int(oldest + _WINDOW - moment)
    return ProjectQuota(name=name, kind=kind, key=key, limit=limit, remaining=max(0, limit - count), reset=reset)

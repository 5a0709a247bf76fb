"""The history of each credential: an SQLite database in the user's state directory.

A run reports its results whether or not the history can be written. An error is stored in `error` and reported at
the end of the run. Several runs may write at the same time; each writes while it runs, so that the results of a
killed run are not lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from sys import intern  # the same texts are in thousands of rows
from typing import TypeVar

from release.core.errors import ReleaseError, from_os_error
from release.core.models.token_health import StatePeriod, StatusInterval, TokenStatus, TokenTimeline
from release.core.quoting import quote_path
from release.core.token_health_facts import PreviousToken
from release.token_health import database
from release.token_health.database import from_timestamp, record_status, status_from_row, to_timestamp

Result = TypeVar("Result")

DATABASE_NAME = "token-health.sqlite3"
#: failures after which the history is not used again in this run; each may have waited for another run
_MAX_FAILURES = 3
_COLUMNS = """
SELECT w.id AS watch, w.index_name, w.upload_url, w.project, w.place, o.word, o.state, o.cause, o.message, o.remedy,
       o.first_seen, o.last_seen, o.count, c.checks, t.fingerprint, t.identifier, t.scope, t.expires,
       p.state AS before
FROM {from_} JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = o.token LEFT JOIN observations p ON p.id = o.before
"""
_LATEST = _COLUMNS.format(from_="watches w JOIN observations o ON o.id = w.current") + "ORDER BY w.id"
_CHANGES = _COLUMNS.format(from_="observations o CROSS JOIN watches w ON w.id = o.watch") + "ORDER BY o.id DESC LIMIT ?"

#: index, upload URL, project or "", location
TargetKey = tuple[str, str, str, str]


class History:
    """The database. `error` is the last failure that lost results, `notes` is what else to report."""

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self.path = path
        self.error: ReleaseError | None = None
        self.notes: list[str] = []
        self._now = now
        #: the number of this run; None if it has not begun
        self.run: int | None = None
        self._target_count = 0
        self._unwritten: list[TokenStatus] = []
        self._written: list[TokenStatus] = []
        self._db: sqlite3.Connection | None = None
        self._failures = 0
        self._guarded(lambda: None)

    def begin(self, target_count: int) -> None:
        """Begin a run over that many credentials."""
        self._target_count = target_count
        self._guarded(self._begin)

    def add(self, statuses: Iterable[TokenStatus]) -> None:
        """Record results, one for each credential in a run. What cannot be written is retried with the next call."""
        self._unwritten += statuses
        self._guarded(self._write)

    def end(self, status: int) -> None:
        """End the run. Retries what has not been written yet."""

        def end() -> None:
            self._write()
            with self._transaction() as db:
                values = (to_timestamp(self._now()), status, self.run)
                db.execute("UPDATE runs SET ended = ?, exit = ? WHERE id = ?", values)

        self._guarded(end)

    def previous_tokens(self) -> Mapping[TargetKey, PreviousToken]:
        """Return the last token of each location."""
        rows = self.select(
            "SELECT w.index_name, w.upload_url, w.project, w.place, t.fingerprint, t.identifier,"
            " w.token_state AS state, w.token_seen AS seen FROM watches w JOIN tokens t ON t.id = w.token"
        )
        return {
            (intern(row["index_name"]), intern(row["upload_url"]), row["project"], row["place"]): PreviousToken(
                fingerprint=intern(row["fingerprint"]), identifier=intern(row["identifier"]),
                state=intern(row["state"]), last_seen=from_timestamp(row["seen"]),
            )
            for row in rows
        }  # fmt: skip

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Return when each token was first seen, by its fingerprint and identifier."""
        rows = self.select("SELECT fingerprint, identifier, first_seen FROM tokens")
        return {
            (intern(row["fingerprint"]), intern(row["identifier"])): from_timestamp(row["first_seen"]) for row in rows
        }

    def select(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query; none if the history cannot be read."""
        return self._guarded(lambda: self._open().execute(query, values).fetchall()) or []

    def intervals(self, query: str, values: Sequence[object] = ()) -> tuple[StatusInterval, ...]:
        """Return what `select` returns, each row converted as it is read, since there may be many thousands."""
        return self._guarded(lambda: tuple(map(_interval, self._open().execute(query, values)))) or ()

    def write(self, change: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """Make a change in one transaction and return its result; None if it failed."""

        def within() -> Result:
            with self._transaction() as db:
                return change(db)

        return self._guarded(within)

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _guarded(self, action: Callable[[], Result]) -> Result | None:
        """Return the result of an action; None if it failed, with the reason in `error`."""
        if self._failures >= _MAX_FAILURES:
            return None
        try:
            result = self._retry_if_damaged(action)
        except sqlite3.Error as error:
            self.close()
            self.error = database.explain_error(error, self.path)
        except OSError as error:
            self.error = from_os_error(error)
        except ReleaseError as error:
            self.error = error
        else:
            self.error = self.error if self._unwritten else None
            return result
        self._failures += 1
        return None

    def _retry_if_damaged(self, action: Callable[[], Result]) -> Result:
        try:
            self._open()
            return action()
        except sqlite3.Error as error:
            if not database.is_damage(error) or not self._set_aside():
                raise
        self._open()
        return action()

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = database.open_database(self.path)
        return self._db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._open() as db:  # commits, or rolls back after an exception
            db.execute("BEGIN IMMEDIATE")
            yield db

    def _begin(self) -> None:
        with self._transaction() as db:
            values = (to_timestamp(self._now()), self._target_count)
            self.run = db.execute("INSERT INTO runs (started, watched) VALUES (?, ?)", values).lastrowid

    def _write(self) -> None:
        if self.run is None:
            self._begin()
        with self._transaction() as db:
            for status in self._unwritten:
                record_status(db, status, run=self.run or 0, now=to_timestamp(self._now()))
        self._written += self._unwritten
        self._unwritten = []

    def _set_aside(self) -> bool:
        """Rename the damaged file, unless another run has done so. Returns whether a retry makes sense.

        All results of this run are written again, to the new file.
        """
        from filelock import FileLock

        self.close()
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=database.LOCK_TIMEOUT):
                if not database.is_database(self.path):
                    aside = self.path.with_name(f"{self.path.name}.damaged-{self._now():%Y%m%dT%H%M%SZ}")
                    self.path.replace(aside)
                    for suffix in ("-wal", "-shm"):
                        with suppress(FileNotFoundError):
                            Path(f"{self.path}{suffix}").replace(f"{aside}{suffix}")
                    self.notes.append(f"the history was damaged: moved it to {quote_path(aside)} and started a new one")
        except (OSError, TimeoutError):
            return False
        self.run, self._unwritten = None, [*self._written, *self._unwritten]
        self._written = []
        return True


def latest_statuses(history: History) -> tuple[StatusInterval, ...]:
    """Return the latest status of each credential."""
    return history.intervals(_LATEST)


def recent_changes(history: History, *, limit: int) -> tuple[StatusInterval, ...]:
    """Return the last changes, newest first; the first status of a credential counts as one."""
    return history.intervals(_CHANGES, [limit])


def load_timelines(history: History, *, limit: int = 60) -> tuple[TokenTimeline, ...]:
    """Return each credential with its last states, at most `limit` of them."""

    def periods(watch: int) -> tuple[StatePeriod, ...]:
        rows = history.select(
            "SELECT o.state, o.first_seen, o.last_seen, c.checks FROM observations o"
            " JOIN outcomes c ON c.id = o.outcome WHERE o.watch = ? ORDER BY o.id DESC LIMIT ?",
            [watch, limit],
        )
        return tuple(
            StatePeriod(
                state=row["state"], since=from_timestamp(row["first_seen"]), last_seen=from_timestamp(row["last_seen"]),
                checks=database.parse_checks(row["checks"]),
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

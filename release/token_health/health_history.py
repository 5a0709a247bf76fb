"""What was seen of each credential, over the years: a small SQLite database in the user's state directory.

A run gives its verdict whether or not this can be written: what goes wrong here becomes `trouble`, and a
sentence at the end of the run. Several runs may write at once; each writes as it goes, so that a killed run
has kept what it saw.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from release.core.errors import ReleaseError, from_os_error
from release.core.facts import PreviousToken
from release.core.models.token_health import TokenStatus
from release.token_health import database

Result = TypeVar("Result")

#: the variable that names another directory for it
STATE_VARIABLE = "PYPI_PREFLIGHT_STATE"
#: of the file in that directory
DATABASE_NAME = "token-health.sqlite3"
#: failures after which it is left alone: each may have waited for another run
_PATIENCE = 3
#: index, upload address, project or "", place
TargetKey = tuple[str, str, str, str]


def state_directory(env: Mapping[str, str], chosen: Path | None = None) -> Path:
    """Where the history is: `chosen`, or what the variable says, or the user's state directory."""
    if chosen is not None or env.get(STATE_VARIABLE):
        return chosen or Path(env[STATE_VARIABLE])
    from platformdirs import user_state_path

    return user_state_path("pypi-preflight", appauthor=False)


class History:
    """The database, open or not: `trouble` says what kept it from remembering, `notes` what else is to be told."""

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self.path = path
        self.trouble: ReleaseError | None = None
        self.notes: list[str] = []
        self._now = now
        self._run: int | None = None
        self._watched = 0
        self._unwritten: list[TokenStatus] = []
        self._written: list[TokenStatus] = []
        self._db: sqlite3.Connection | None = None
        self._failures = 0
        self._guarded(lambda: None)

    # -- a run ------------------------------------------------------------------------------------

    def begin(self, watched: int) -> None:
        """A run begins that watches so many credentials."""
        self._watched = watched
        self._guarded(self._begun)

    def add(self, seen: Iterable[TokenStatus]) -> None:
        """What was just seen, each once in a run. What can't be written now is tried again with the next."""
        self._unwritten += seen
        self._guarded(self._write)

    def end(self, status: int) -> None:
        """The run is over. What was seen and is not written yet has its last chance."""

        def ended() -> None:
            self._write()
            with self._writing() as db:
                db.execute(
                    "UPDATE runs SET ended = ?, exit = ? WHERE id = ?", (_seconds(self._now()), status, self._run)
                )

        self._guarded(ended)

    @property
    def run(self) -> int | None:
        """The number of this run; None where it was not begun."""
        return self._run

    @property
    def forgotten(self) -> int:
        """How much of what was seen is not remembered."""
        return len(self._unwritten)

    # -- what is known ----------------------------------------------------------------------------

    def before(self) -> Mapping[TargetKey, PreviousToken]:
        """What each place had when it was last looked at."""
        found = self.select(
            "SELECT w.index_name, w.upload_url, w.project, w.place, t.fingerprint, t.identifier,"
            " w.token_state AS state, w.token_seen AS seen FROM watches w JOIN tokens t ON t.id = w.token"
        )
        return {
            (row["index_name"], row["upload_url"], row["project"], row["place"]): PreviousToken(
                fingerprint=row["fingerprint"], identifier=row["identifier"], state=row["state"],
                last_seen=from_timestamp(row["seen"]),
            )
            for row in found
        }  # fmt: skip

    def first_seen(self) -> Mapping[tuple[str, str], datetime]:
        """Fingerprint and identifier of each token → since when it is known."""
        found = self.select("SELECT fingerprint, identifier, first_seen FROM tokens")
        return {(row["fingerprint"], row["identifier"]): from_timestamp(row["first_seen"]) for row in found}

    def select(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """The rows of a query; none where there is no history to ask."""

        def ask() -> list[sqlite3.Row]:
            return self._open().execute(query, values).fetchall()

        return self._guarded(ask) or []

    def write(self, change: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """The result of a change that is made as a whole or not at all; None where it can't be made."""

        def within() -> Result:
            with self._writing() as db:
                return change(db)

        return self._guarded(within)

    def close(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    # -- inside -----------------------------------------------------------------------------------

    def _guarded(self, act: Callable[[], Result]) -> Result | None:
        """What `act` gives. A damaged file is kept aside, and a new one begun; what else goes wrong is `trouble`."""
        if self._failures >= _PATIENCE:
            return None
        try:
            done = self._tried(act)
        except sqlite3.Error as error:
            self.close()
            self._failed(database.explain_error(error, self.path))
        except OSError as error:
            self._failed(from_os_error(error))
        except ReleaseError as error:
            self._failed(error)
        else:
            self.trouble = self.trouble if self._unwritten else None
            return done
        return None

    def _tried(self, act: Callable[[], Result]) -> Result:
        try:
            self._open()
            return act()
        except sqlite3.Error as error:
            if not database.is_damage(error) or not self._set_aside():
                raise
        self._open()
        return act()

    def _failed(self, error: ReleaseError) -> None:
        self.trouble = error
        self._failures += 1

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = database.open_database(self.path)
        return self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        db = self._open()
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")

    def _begun(self) -> None:
        with self._writing() as db:
            made = db.execute(
                "INSERT INTO runs (started, watched) VALUES (?, ?)", (_seconds(self._now()), self._watched)
            )
        self._run = made.lastrowid

    def _write(self) -> None:
        if self._run is None:
            self._begun()
        from release.token_health import recording

        with self._writing() as db:
            for one in self._unwritten:
                recording.record_status(db, one, run=self._run or 0, now=_seconds(self._now()))
        self._written += self._unwritten
        self._unwritten = []

    def _set_aside(self) -> bool:
        """Rename the damaged file, unless another run has done so; whether there is hope now."""
        from filelock import FileLock

        self.close()
        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=database.BUSY):
                if not database.is_sound(self.path):
                    aside = self.path.with_name(f"{self.path.name}.damaged-{self._now():%Y%m%dT%H%M%SZ}")
                    self.path.replace(aside)
                    for tail in ("-wal", "-shm"):
                        with suppress(FileNotFoundError):
                            Path(f"{self.path}{tail}").replace(f"{aside}{tail}")
                    self.notes.append(f"the history was damaged: it is kept as {str(aside)!r}, and a new one is begun")
        except (OSError, TimeoutError):
            return False
        self._run, self._unwritten = None, [*self._written, *self._unwritten]
        self._written = []
        return True


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def from_timestamp(seconds: int) -> datetime:
    """A time of the history; aware, UTC."""
    return datetime.fromtimestamp(seconds, UTC)

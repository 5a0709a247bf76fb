"""Records of tokens that were requested and not revoked yet, so that the run after a killed one can report them.

Each is a small file in the user's state directory, without the token: index, project, and two times. The run that
writes it holds a lock, which the system releases when the run ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from release.adapters.system.state_directory import state_directory
from release.adapters.system.system import System
from release.core.foreign_json import parse_foreign_json
from release.core.models.exchanged_token import UnrevokedToken
from release.core.models.index import Index

if TYPE_CHECKING:
    from filelock import BaseFileLock

#: the lifetime of an issued token. Source: warehouse, `oidc/views.py`
EXCHANGED_LIFE = timedelta(minutes=15)
_DIRECTORY = "exchanges"


class ExchangeRecord:
    """The record of one exchange: written before the request, removed once the token is revoked."""

    def __init__(self, system: System, index: Index, project: str) -> None:
        """Write the record. Without it, where the directory is not writable, the exchange takes place nevertheless."""
        self._path: Path | None = None
        self._lock: BaseFileLock | None = None
        now = system.now()
        fields = {
            "schema": 1, "index": index.name, "upload_url": index.upload_url, "project": project,
            "requested": now.isoformat(), "expires": (now + EXCHANGED_LIFE).isoformat(),
        }  # fmt: skip
        with suppress(OSError):
            directory = state_directory(system.env) / _DIRECTORY
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = directory / f"{uuid4().hex}.json"
            self._lock = _lock(path)
            self._lock.acquire(timeout=0)
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(fields) + "\n")
            self._path = path

    def remove(self) -> None:
        """Remove the record: the token is revoked, or was never issued."""
        if self._path is not None:
            _remove(self._path)
        self.leave()

    def leave(self) -> None:
        """End the exchange without a certain result: the next run reports the record."""
        if self._lock is not None:
            self._lock.release()
        self._path = self._lock = None


def unrevoked_tokens(system: System, index: Index) -> tuple[UnrevokedToken, ...]:
    """The tokens of an index that an ended run requested and did not revoke. Those that have expired are listed once.

    The records of runs that are still in progress are skipped.
    """
    try:
        paths = sorted((state_directory(system.env) / _DIRECTORY).glob("*.json"))
    except OSError:
        return ()
    return tuple(found for path in paths for found in _ended(path, system, index))


def _ended(path: Path, system: System, index: Index) -> Iterator[UnrevokedToken]:
    from filelock import Timeout

    try:
        with _lock(path).acquire(timeout=0):
            fields = parse_foreign_json(path.read_bytes())
            found = UnrevokedToken(
                index=str(fields["index"]), project=str(fields["project"]),
                requested=datetime.fromisoformat(fields["requested"]),
                expires=datetime.fromisoformat(fields["expires"]),
            )  # fmt: skip
            if fields["upload_url"] != index.upload_url:
                return
            expired = found.expires <= system.now()
    except (OSError, Timeout, ValueError, KeyError, TypeError):
        return
    if expired:
        _remove(path)
    yield found


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock  # takes 15 ms, and most runs have no record

    return FileLock(path.with_suffix(".lock"), mode=0o600)


def _remove(path: Path) -> None:
    for one in (path, path.with_suffix(".lock")):
        with suppress(OSError):
            one.unlink()

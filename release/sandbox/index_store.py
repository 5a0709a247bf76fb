"""The state directory: an SQLite database, the files by their hash, uploads in progress, and the request log.

Each request opens its own connection, so that SQLite alone synchronizes threads and processes that share the directory.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from release.core.errors import UsageError

#: what follows the name of a stored wheel for its METADATA, on disk and in URLs (PEP 658)
METADATA_SUFFIX = ".metadata"
#: version of the database schema
_VERSION = 4
_SCHEMA = """
CREATE TABLE users (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  email_verified INTEGER NOT NULL, two_factor INTEGER NOT NULL, disabled INTEGER NOT NULL);
CREATE TABLE projects (
  id TEXT PRIMARY KEY, normalized TEXT NOT NULL UNIQUE, name TEXT NOT NULL, status TEXT NOT NULL,
  organization TEXT, organization_active INTEGER NOT NULL, created TEXT);
CREATE TABLE roles (
  project TEXT NOT NULL REFERENCES projects, user TEXT NOT NULL REFERENCES users, role TEXT NOT NULL,
  PRIMARY KEY (project, user));
CREATE TABLE releases (
  id INTEGER PRIMARY KEY, project TEXT NOT NULL REFERENCES projects, canonical TEXT NOT NULL,
  version TEXT NOT NULL, created TEXT NOT NULL, fields TEXT NOT NULL, yanked TEXT,
  UNIQUE (project, canonical));
CREATE TABLE files (
  serial INTEGER PRIMARY KEY AUTOINCREMENT, release INTEGER NOT NULL REFERENCES releases,
  filename TEXT NOT NULL UNIQUE, filetype TEXT NOT NULL, pyversion TEXT NOT NULL, requires_python TEXT,
  size INTEGER NOT NULL, md5 TEXT NOT NULL, sha256 TEXT NOT NULL, blake2_256 TEXT NOT NULL UNIQUE,
  metadata_sha256 TEXT, uploaded TEXT NOT NULL, provenance TEXT);
CREATE TABLE used_filenames (filename TEXT PRIMARY KEY);
CREATE TABLE tokens (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES users, key BLOB NOT NULL,
  forged INTEGER NOT NULL, location TEXT NOT NULL, caveats TEXT NOT NULL, revoked INTEGER NOT NULL,
  publisher TEXT);
CREATE TABLE publishers (
  id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, fields TEXT NOT NULL,
  pending TEXT, user TEXT REFERENCES users);
CREATE TABLE publisher_projects (
  publisher TEXT NOT NULL REFERENCES publishers, project TEXT NOT NULL REFERENCES projects,
  PRIMARY KEY (publisher, project));
CREATE TABLE minted (
  id TEXT PRIMARY KEY, publisher TEXT NOT NULL REFERENCES publishers, key BLOB NOT NULL, caveats TEXT NOT NULL);
CREATE TABLE identities (jti TEXT PRIMARY KEY);
CREATE TABLE hits (limiter TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE flags (name TEXT PRIMARY KEY);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE prohibited (normalized TEXT PRIMARY KEY);
"""
#: times are ISO 8601 in UTC, so that text order is time order; a project of the seed data has none
_AS_OF = (
    "CREATE TEMP VIEW files AS SELECT * FROM main.files WHERE uploaded <= '{moment}'",
    "CREATE TEMP VIEW releases AS SELECT * FROM main.releases WHERE created <= '{moment}'",
    "CREATE TEMP VIEW projects AS SELECT * FROM main.projects WHERE created IS NULL OR created <= '{moment}'",
)


class Store:
    """A state directory, created if needed. Raises UsageError if it cannot be used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "sandbox.sqlite3"
        #: file contents, named by SHA-256
        self.files = directory / "files"
        #: uploads in progress
        self.incoming = directory / "incoming"
        self.requests = directory / "requests.jsonl"
        try:
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"cannot use the state directory {str(directory)!r}: {error}", remedy="choose another directory"
            ) from None

    def _prepare(self) -> None:
        for folder in (self.directory, self.files, self.incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # it contains the keys of the tokens: only its owner may read it
        os.close(os.open(self.database, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(self._connect()) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            db.execute("COMMIT")
        if found not in {0, _VERSION}:
            raise sqlite3.DatabaseError(f"it was written by another version of the sandbox (schema {found})")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.database, timeout=60, isolation_level=None)
        db.row_factory = sqlite3.Row
        # a killed process loses nothing; a crash of the machine may, which is acceptable for a sandbox
        db.execute("PRAGMA synchronous = OFF")
        return db

    @contextmanager
    def reading(self, as_of: datetime | None = None) -> Iterator[sqlite3.Connection]:
        """Open a consistent view; with `as_of`, without later uploads (later yanks and deletions are shown)."""
        with closing(self._connect()) as db:
            db.execute("BEGIN")
            if as_of is not None:
                for view in _AS_OF:  # a temporary view hides the table of its name
                    db.execute(view.format(moment=as_of.isoformat()))
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open an exclusive transaction: committed when the block ends, rolled back when it raises."""
        with closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")


def admin_flags(db: sqlite3.Connection) -> set[str]:
    """Return PyPI's admin flags that are on."""
    return {row["name"] for row in db.execute("SELECT name FROM flags")}

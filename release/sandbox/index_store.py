"""The state directory: an SQLite database with projects, releases and files; their content; the request log.

Each transaction has a connection of its own, so that SQLite alone synchronizes threads and processes that share the
directory. Connections are kept: a new one reads the schema again, which takes longer than most transactions.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name, canonicalize_version
from packaging.version import Version

from release.acceptance.rule import FileUpload
from release.core.errors import UsageError
from release.core.models.index import IndexContents, StoredFile
from release.core.quoting import quote_path
from release.sandbox.project_quota import read_size_limits

#: what follows the name of a stored wheel for its METADATA, on disk and in URLs (PEP 658)
METADATA_SUFFIX = ".metadata"
#: version of the database schema
_VERSION = 5
#: connections that are kept while no transaction uses them
_MAX_IDLE = 8
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
CREATE TABLE events (
  serial INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL REFERENCES projects, at TEXT NOT NULL,
  event TEXT NOT NULL);
CREATE TABLE hits (limiter TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE flags (name TEXT PRIMARY KEY);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE prohibited (normalized TEXT PRIMARY KEY);
"""
#: for the size of a project, and the sdists of a release
_INDEX = "CREATE INDEX IF NOT EXISTS files_by_release ON files (release, filetype, size)"
#: the files that an upload may clash with: by name, by content, and the sdists of its release
_CLASHES = """
SELECT files.*, version, project FROM files JOIN releases ON releases.id = release WHERE files.serial IN (
  SELECT serial FROM files WHERE filename = :filename UNION SELECT serial FROM files WHERE blake2_256 = :blake2
  UNION SELECT serial FROM files JOIN releases ON releases.id = release
  WHERE project = :own AND canonical = :version AND filetype = 'sdist') ORDER BY files.serial
"""
_SIZE = "SELECT coalesce(sum(size), 0) FROM files JOIN releases ON releases.id = release WHERE project = ?"
#: when a row was added, in ISO 8601 and UTC, so that text order is time order; a project of the seed data has no time
_TIMES = {"files": "uploaded", "releases": "created", "projects": "created"}


class Store:
    """A state directory, created if needed; to be closed. Raises UsageError if it cannot be used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "sandbox.sqlite3"
        #: file contents, named by SHA-256
        self.files = directory / "files"
        #: uploads in progress
        self.incoming = directory / "incoming"
        self.requests = directory / "requests.jsonl"
        #: open connections that no transaction uses; `list.append` and `list.pop` are atomic
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._stages: list[Store] = []
        try:
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise UsageError(
                f"cannot use the state directory {quote_path(directory)}: {getattr(error, 'strerror', None) or error}",
                remedy="choose another directory",
            ) from None

    def _prepare(self) -> None:
        for folder in (self.directory, self.files, self.incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It contains the keys of the tokens: only its owner may read it. An existing file is not opened here: to close
        # it would release the locks of all connections to it that this process has (fcntl(2)).
        with suppress(FileExistsError):
            os.close(os.open(self.database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with self._connection() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            if found in {0, _VERSION}:
                db.execute(_INDEX)
            db.execute("COMMIT")
        if found not in {0, _VERSION}:
            raise sqlite3.DatabaseError(f"it was written by another version of the sandbox (schema {found})")

    def open_stage(self, name: str) -> Store:
        """Make an empty store that shares the content of the files, and is closed with this one at the latest."""
        stage = Store(self.directory / "stages" / name)
        stage.files = self.files
        self._stages.append(stage)
        return stage

    def close(self) -> None:
        """Close the connections; one that a transaction still uses is closed at its end."""
        for stage in self._stages:
            stage.close()
        self._closed = True
        self._close_idle(0)

    def _close_idle(self, kept: int) -> None:
        while len(self._idle) > kept:
            with suppress(IndexError):  # another thread has taken the last one
                self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for one transaction, which is rolled back where it is still open at the end."""
        try:
            db = self._idle.pop()
        except IndexError:
            db = sqlite3.connect(self.database, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            if db.row_factory is None:  # a new one, which fails here if the file is no database
                # a killed process loses nothing; a crash of the machine may, which is acceptable for a sandbox
                db.execute("PRAGMA synchronous = OFF")
                db.row_factory = sqlite3.Row
            yield db
            db.rollback()
        except BaseException:
            db.close()
            raise
        self._idle.append(db)
        self._close_idle(0 if self._closed else _MAX_IDLE)

    @contextmanager
    def reading(self, as_of: datetime | None = None) -> Iterator[sqlite3.Connection]:
        """Open a consistent view; with `as_of`, without later uploads (later yanks and deletions are shown)."""
        with self._connection() as db:
            db.execute("BEGIN")
            if as_of is not None:
                for table, added in _TIMES.items():  # a view of this transaction hides the table of its name
                    rows = f"SELECT * FROM main.{table} WHERE coalesce({added}, '') <= '{as_of.isoformat()}'"  # noqa: S608 - ours
                    db.execute(f"CREATE TEMP VIEW {table} AS {rows}")
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open an exclusive transaction: committed when the block ends, rolled back when it raises."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")


def admin_flags(db: sqlite3.Connection) -> set[str]:
    """Return PyPI's admin flags that are on."""
    return {row["name"] for row in db.execute("SELECT name FROM flags")}


class IndexProject(Struct, frozen=True, kw_only=True):
    """A project; if `is_new`, it is not in the database yet."""

    id: str
    name: str
    status: str = "active"
    organization: str | None = None
    organization_active: bool = True
    #: account id → "Owner" or "Maintainer"
    roles: Mapping[str, str] = field(default_factory=dict)
    is_new: bool = False

    @property
    def normalized(self) -> NormalizedName:
        return canonicalize_name(self.name)

    def allows_publisher(self, publisher_projects: frozenset[str]) -> bool:
        """Whether a publisher of these projects may upload: not to archived or quarantined projects.

        Source: warehouse, `packaging/models.py` (`Project.__acl__`).
        """
        return self.id in publisher_projects and self.status == "active"

    def allows_user(self, user_id: str) -> bool:
        """Whether a user may upload: any role is enough, also in quarantine, but not in archived projects.

        Source: as above.
        """
        return user_id in self.roles and not self.status.startswith("archived")


def find_project(db: sqlite3.Connection, name: str) -> IndexProject | None:
    """Find a project by any spelling of its name."""
    row = db.execute("SELECT * FROM projects WHERE normalized = ?", (canonicalize_name(name),)).fetchone()
    if row is None:
        return None
    roles = db.execute("SELECT user, role FROM roles WHERE project = ?", (row["id"],))
    return IndexProject(
        id=row["id"],
        name=row["name"],
        status=row["status"],
        organization=row["organization"],
        organization_active=bool(row["organization_active"]),
        roles={role["user"]: role["role"] for role in roles},
    )


def new_project(name: str, owner: str) -> IndexProject:
    return IndexProject(id=str(uuid4()), name=name, roles={owner: "Owner"}, is_new=True)


def index_contents(db: sqlite3.Connection, project: IndexProject, now: datetime, upload: FileUpload) -> IndexContents:
    """Collect what the acceptance rules need to know about the index for an upload: what it may clash with.

    The names of all projects are collected for a new project only, whose name may be too similar to one of them.
    """
    own, filename, version = project.id, upload.filename, canonicalize_version(upload.value("version"))
    blake2 = upload.file.digests("blake2_256").get("blake2_256")
    rows = db.execute(_CLASHES, {"own": own, "filename": filename, "blake2": blake2, "version": version}).fetchall()
    file_limit, project_limit = read_size_limits(db, project.normalized)
    columns = ("filename", "sha256", "blake2_256", "size", "version", "filetype")
    files = [(row["project"] == own, StoredFile(**{column: row[column] for column in columns})) for row in rows]
    query = "SELECT canonical, created FROM releases WHERE project = ? AND canonical = ?"
    releases = db.execute(query, (own, version))
    used = db.execute("SELECT filename FROM used_filenames WHERE filename = ?", (filename,))
    names = index_names(db, now) if project.is_new else IndexContents(now=now)
    return replace(
        names,
        files=tuple(file for is_own, file in files if is_own),
        size=db.execute(_SIZE, (own,)).fetchone()[0],
        elsewhere=tuple(file for is_own, file in files if not is_own and file.filename == filename),
        releases={row["canonical"]: datetime.fromisoformat(row["created"]) for row in releases},
        used_filenames=frozenset(row[0] for row in used),
        names_by_blake2={row["blake2_256"]: row["filename"] for row in rows},
        file_limit=file_limit,
        project_limit=project_limit,
    )


def index_names(db: sqlite3.Connection, now: datetime) -> IndexContents:
    """Collect what the rules on the name of a new project need: all names."""
    return IndexContents(
        now=now,
        names=frozenset(row[0] for row in db.execute("SELECT normalized FROM projects")),
        prohibited=frozenset(row[0] for row in db.execute("SELECT normalized FROM prohibited")),
    )


def add_file(
    db: sqlite3.Connection,
    project: IndexProject,
    fields: Mapping[str, tuple[str, ...]],
    file: Mapping[str, object],
    now: datetime,
) -> None:
    """Add a file that passed every check, with its release and its project where they are new.

    The last upload determines the spelling of the project's name, the first file of a release its metadata.
    `fields` are those of the form; `file` has the other columns of the file's row.
    """
    name, version = fields["name"][0], fields["version"][0]
    if project.is_new:
        create_project(db, replace(project, name=name), now)
    else:
        db.execute("UPDATE projects SET name = ? WHERE id = ?", (name, project.id))
    db.execute(
        "INSERT OR IGNORE INTO releases (project, canonical, version, created, fields) VALUES (?, ?, ?, ?, ?)",
        (project.id, canonicalize_version(version), str(Version(version)), now.isoformat(), json.dumps(dict(fields))),
    )
    row = {
        **file,
        "release": _release_id(db, project, version),
        "requires_python": fields.get("requires_python", (None,))[0] or None,
        "uploaded": now.isoformat(),
    }
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO files ({columns}) VALUES ({places})", row)  # noqa: S608 - the names are ours
    db.execute("INSERT INTO used_filenames VALUES (?)", (file["filename"],))


def create_project(db: sqlite3.Connection, project: IndexProject, now: datetime) -> None:
    """Add a new project, without any release."""
    row = (project.id, project.normalized, project.name, project.status, None, project.organization_active)
    db.execute("INSERT INTO projects VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, now.isoformat()))
    db.executemany("INSERT INTO roles VALUES (?, ?, ?)", [(project.id, *role) for role in project.roles.items()])


def add_event(db: sqlite3.Connection, projects: Iterable[str], event: str, now: datetime) -> None:
    """Add a line to the security history of each project; `projects` are their identifiers."""
    rows = [(project, now.isoformat(), event) for project in projects]
    db.executemany("INSERT INTO events (project, at, event) VALUES (?, ?, ?)", rows)


def newest_release(db: sqlite3.Connection) -> int:
    """Return the number of the most recently created release of all projects; 0 if there is none."""
    return db.execute("SELECT max(id) FROM releases").fetchone()[0] or 0


def was_released_since(db: sqlite3.Connection, project: IndexProject, version: str, release: int) -> bool:
    """Whether a release was created after the release with that number."""
    number = _release_id(db, project, version)
    return number is not None and number > release


def _release_id(db: sqlite3.Connection, project: IndexProject, version: str) -> int | None:
    row = db.execute(
        "SELECT id FROM releases WHERE project = ? AND canonical = ?", (project.id, canonicalize_version(version))
    ).fetchone()
    return None if row is None else int(row["id"])

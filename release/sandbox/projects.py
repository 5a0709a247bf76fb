"""Projects, releases and files: what the index has, and how an accepted upload is put there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from packaging.utils import NormalizedName, canonicalize_name, canonicalize_version
from packaging.version import Version

from release.core.models.index_contents import OnIndex, StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProject:
    """A project; one that `is_new` is in no table yet."""

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

    def takes_uploads_by(self, publisher_projects: frozenset[str]) -> bool:
        """Whether a publisher of these projects may upload: to no project that is archived or in quarantine.

        Source: as below.
        """
        return self.id in publisher_projects and self.status == "active"

    def takes_uploads_of(self, user_id: str) -> bool:
        """A role is enough, also in quarantine; nobody uploads to an archived project.

        Source: warehouse, `packaging/models.py` (`Project.__acl__`).
        """
        return user_id in self.roles and not self.status.startswith("archived")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """An upload that passed every check."""

    filename: str
    filetype: str
    pyversion: str
    #: as in the form
    version: str
    fields: Mapping[str, tuple[str, ...]]
    #: by "md5", "sha256", "blake2_256", lower-case hex
    digests: Mapping[str, str]
    size: int
    #: of the METADATA inside a wheel; None where there is none
    metadata_sha256: str | None
    #: aware, UTC
    now: datetime
    #: the provenance object, as JSON; None where there is none
    provenance: str | None = None


def find_project(db: sqlite3.Connection, name: str) -> IndexProject | None:
    """The project of that name, however it is spelled."""
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


def index_contents(db: sqlite3.Connection, project: IndexProject | None, now: datetime) -> OnIndex:
    """Everything that a rule may want to know."""
    own = project.id if project else None
    files = db.execute(
        "SELECT files.*, version FROM files JOIN releases ON releases.id = release WHERE project = ?", (own,)
    )
    releases = db.execute("SELECT canonical, created FROM releases WHERE project = ?", (own,))
    return OnIndex(
        now=now,
        files=tuple(
            StoredFile(**{key: row[key] for key in ("filename", "sha256", "blake2_256", "size", "version", "filetype")})
            for row in files
        ),
        releases={row["canonical"]: datetime.fromisoformat(row["created"]) for row in releases},
        used_filenames=frozenset(row["filename"] for row in db.execute("SELECT filename FROM used_filenames")),
        names_by_blake2={
            row["blake2_256"]: row["filename"] for row in db.execute("SELECT blake2_256, filename FROM files")
        },
        names=frozenset(NormalizedName(row["normalized"]) for row in db.execute("SELECT normalized FROM projects")),
        prohibited=frozenset(
            NormalizedName(row["normalized"]) for row in db.execute("SELECT normalized FROM prohibited")
        ),
    )


def add_file(db: sqlite3.Connection, project: IndexProject, file: NewFile) -> None:
    """Put a file there, with its release and its project where they are new.

    The last upload decides how the project's name is spelled, the first file of a release what is known of it.
    """
    _keep_project(db, project, file.fields["name"][0], file.now)
    canonical = canonicalize_version(file.version)
    db.execute(
        "INSERT OR IGNORE INTO releases (project, canonical, version, created, fields) VALUES (?, ?, ?, ?, ?)",
        (project.id, canonical, str(Version(file.version)), file.now.isoformat(), json.dumps(dict(file.fields))),
    )
    release = db.execute(
        "SELECT id FROM releases WHERE project = ? AND canonical = ?", (project.id, canonical)
    ).fetchone()["id"]
    row = {
        "release": release,
        "filename": file.filename,
        "filetype": file.filetype,
        "pyversion": file.pyversion,
        "requires_python": file.fields.get("requires_python", (None,))[0] or None,
        "size": file.size,
        **file.digests,
        "metadata_sha256": file.metadata_sha256,
        "uploaded": file.now.isoformat(),
        "provenance": file.provenance,
    }
    columns, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO files ({columns}) VALUES ({places})", row)  # noqa: S608 - the names are ours
    db.execute("INSERT INTO used_filenames VALUES (?)", (file.filename,))


def create_project(db: sqlite3.Connection, project: IndexProject, now: datetime) -> None:
    """Put a new project there, without any release."""
    row = (project.id, project.normalized, project.name, project.status, None, project.organization_active)
    db.execute("INSERT INTO projects VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, now.isoformat()))
    db.executemany("INSERT INTO roles VALUES (?, ?, ?)", [(project.id, *role) for role in project.roles.items()])


def _keep_project(db: sqlite3.Connection, project: IndexProject, name: str, now: datetime) -> None:
    if project.is_new:
        create_project(db, replace(project, name=name), now)
    else:
        db.execute("UPDATE projects SET name = ? WHERE id = ?", (name, project.id))


def delete_file(db: sqlite3.Connection, filename: str) -> None:
    """As a maintainer deletes a file on the site: its name stays used for ever."""
    db.execute("DELETE FROM files WHERE filename = ?", (filename,))


def yank(db: sqlite3.Connection, name: str, version: str, reason: str | None) -> None:
    """Yank a release, or take that back with None (PEP 592)."""
    db.execute(
        "UPDATE releases SET yanked = ? WHERE canonical = ?"
        " AND project = (SELECT id FROM projects WHERE normalized = ?)",
        (reason, canonicalize_version(version), canonicalize_name(name)),
    )


def newest_release(db: sqlite3.Connection) -> int:
    """Number of the release that was made last, of all projects; 0 where there is none."""
    return db.execute("SELECT max(id) FROM releases").fetchone()[0] or 0


def was_released_since(db: sqlite3.Connection, project: IndexProject, version: str, release: int) -> bool:
    """Whether a release was made after another one, which has that number."""
    row = db.execute(
        "SELECT id FROM releases WHERE project = ? AND canonical = ?", (project.id, canonicalize_version(version))
    ).fetchone()
    return row is not None and row["id"] > release

"""Projects, releases and files of the index, and the limit on new projects an hour."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from packaging.utils import NormalizedName, canonicalize_name, canonicalize_version
from packaging.version import Version

from release.core.models.index import IndexContents, StoredFile

#: seconds
_QUOTA_WINDOW = 3600
#: new projects in a window, per IP address and per user
_QUOTA_LIMITS = {"ip": 40, "user": 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProject:
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
    #: of the METADATA inside a wheel; None for other files
    metadata_sha256: str | None
    #: aware, UTC
    now: datetime
    #: the provenance object, as JSON; None if the file has none
    provenance: str | None = None


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


def index_contents(db: sqlite3.Connection, project: IndexProject | None, now: datetime) -> IndexContents:
    """Collect everything that an acceptance rule may need to know about the index."""
    own = (project.id if project else None,)
    files = db.execute(
        "SELECT files.*, version FROM files JOIN releases ON releases.id = release WHERE project = ?", own
    )
    releases = db.execute("SELECT canonical, created FROM releases WHERE project = ?", own)
    columns = ("filename", "sha256", "blake2_256", "size", "version", "filetype")
    return IndexContents(
        now=now,
        files=tuple(StoredFile(**{column: row[column] for column in columns}) for row in files),
        releases={row["canonical"]: datetime.fromisoformat(row["created"]) for row in releases},
        used_filenames=frozenset(row[0] for row in db.execute("SELECT filename FROM used_filenames")),
        names_by_blake2=dict(db.execute("SELECT blake2_256, filename FROM files").fetchall()),
        names=frozenset(row[0] for row in db.execute("SELECT normalized FROM projects")),
        prohibited=frozenset(row[0] for row in db.execute("SELECT normalized FROM prohibited")),
    )


def add_file(db: sqlite3.Connection, project: IndexProject, file: NewFile) -> None:
    """Add a file, with its release and its project where they are new.

    The last upload determines the spelling of the project's name, the first file of a release its metadata.
    """
    name = file.fields["name"][0]
    if project.is_new:
        create_project(db, replace(project, name=name), file.now)
    else:
        db.execute("UPDATE projects SET name = ? WHERE id = ?", (name, project.id))
    canonical = canonicalize_version(file.version)
    db.execute(
        "INSERT OR IGNORE INTO releases (project, canonical, version, created, fields) VALUES (?, ?, ?, ?, ?)",
        (project.id, canonical, str(Version(file.version)), file.now.isoformat(), json.dumps(dict(file.fields))),
    )
    row = {
        "release": _release_id(db, project, file.version),
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
    """Add a new project, without any release."""
    row = (project.id, project.normalized, project.name, project.status, None, project.organization_active)
    db.execute("INSERT INTO projects VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, now.isoformat()))
    db.executemany("INSERT INTO roles VALUES (?, ?, ?)", [(project.id, *role) for role in project.roles.items()])


def delete_file(db: sqlite3.Connection, filename: str) -> None:
    """Delete a file, as a maintainer does on the site: its name stays used for ever."""
    db.execute("DELETE FROM files WHERE filename = ?", (filename,))


def yank(db: sqlite3.Connection, name: str, version: str, reason: str | None) -> None:
    """Yank a release, or unyank it with None (PEP 592)."""
    db.execute(
        "UPDATE releases SET yanked = ? WHERE canonical = ?"
        " AND project = (SELECT id FROM projects WHERE normalized = ?)",
        (reason, canonicalize_version(version), canonicalize_name(name)),
    )


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


# -- the limit on new projects ----------------------------------------------------------------------
#
# Source: warehouse, `config.py`, `packaging/services.py`, `rate_limiting/headers.py`; a moving window. The counters
# are outside the transaction: a hit stays counted when the upload is refused afterwards.


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectQuota:
    """The state of one rate limiter of project creation."""

    #: "ip" or "user"
    kind: str
    #: the address or the account
    key: str
    remaining: int
    #: seconds until the oldest hit expires
    reset: int

    @property
    def name(self) -> str:
        return f"project.create.{self.kind}"


def project_quotas(db: sqlite3.Connection, address: str, user_id: str, now: datetime) -> tuple[ProjectQuota, ...]:
    """Read both limiters."""
    return tuple(_project_quota(db, kind, key, now.timestamp()) for kind, key in (("ip", address), ("user", user_id)))


def _project_quota(db: sqlite3.Connection, kind: str, key: str, now: float) -> ProjectQuota:
    count, oldest = db.execute(
        "SELECT count(*), min(at) FROM hits WHERE limiter = ? AND key = ? AND at > ?",
        (f"project.create.{kind}", key, now - _QUOTA_WINDOW),
    ).fetchone()
    reset = _QUOTA_WINDOW if oldest is None else int(oldest + _QUOTA_WINDOW - now)
    return ProjectQuota(kind=kind, key=key, remaining=max(0, _QUOTA_LIMITS[kind] - count), reset=reset)


def count_new_project(db: sqlite3.Connection, quotas: tuple[ProjectQuota, ...], now: datetime) -> None:
    db.execute("DELETE FROM hits WHERE at <= ?", (now.timestamp() - _QUOTA_WINDOW,))
    db.executemany("INSERT INTO hits VALUES (?, ?, ?)", [(one.name, one.key, now.timestamp()) for one in quotas])


def quota_headers(quotas: tuple[ProjectQuota, ...]) -> list[tuple[str, str]]:
    """Make `RateLimit-Policy` and `RateLimit`, as in draft-ietf-httpapi-ratelimit-headers-10."""
    policy = ", ".join(f'"{one.name}";q={_QUOTA_LIMITS[one.kind]};w={_QUOTA_WINDOW};pk=:{one.kind}:' for one in quotas)
    state = ", ".join(f'"{one.name}";r={one.remaining};t={one.reset}' for one in quotas)
    return [("RateLimit-Policy", policy), ("RateLimit", state)]

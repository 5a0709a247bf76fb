"""Seed data: the users, projects and tokens that the index has at first.

The file of `--world` lists them; applying them to the state directory creates the tokens that its users have.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from release.core import tables
from release.core.models.attestation import AttestationPublisher
from release.core.models.project_limits import FILE_SIZE, NEW_PROJECT_LIMITS, PROJECT_SIZE, ProjectLimit
from release.core.secret import Secret
from release.core.tables import KeyPath, Reader
from release.core.tokens import macaroon
from release.sandbox import publishers
from release.sandbox.fault_json import read_faults
from release.sandbox.faults import Fault
from release.sandbox.project_quota import write_project_limits, write_size_limits
from release.sandbox.publishers import CiJob, SeedPublisher

#: PyPI's admin flags that affect uploads
FLAGS = (
    *("read-only", "disallow-new-upload", "disallow-new-project-registration", "disable-pep740", "disallow-oidc"),
    *(f"disallow-{provider}-oidc" for provider in publishers.FIELDS),
)
#: the user of the default seed data
DEFAULT_USER = "rehearsal"
_AT = KeyPath(file="the seed data", noun="an object")


class User(Struct, frozen=True, kw_only=True):
    """An account."""

    name: str
    #: whether the primary address is verified
    email_verified: bool = True
    two_factor: bool = True
    #: frozen, or its password was disabled: the index does not know its tokens then
    disabled: bool = False


class SeedProject(Struct, frozen=True, kw_only=True):
    """A project that exists before anything is uploaded."""

    name: str
    owners: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    #: or "archived", "archived-noindex", "quarantined". Source: warehouse, `packaging/models.py` (LifecycleStatus); the
    #: last as PEP 792 has it
    status: str = "active"
    organization: str | None = None
    #: whether the organization is in good standing
    organization_active: bool = True
    #: bytes; limits of its own count where they are higher than the index's
    file_size_limit: int = 0
    project_size_limit: int = 0


class ApiToken(Struct, frozen=True, kw_only=True):
    """A token that the index creates when it starts."""

    name: str
    user: str
    #: normalised names of the projects that it is valid for; None: all of the user's
    projects: tuple[str, ...] | None = None
    #: unix seconds; None: it does not expire
    expires: int | None = None
    revoked: bool = False
    #: the index knows its identifier, but its signature is wrong
    forged: bool = False
    #: the issuer that it names; None: this index
    location: str | None = None
    #: the trusted publisher that it represents, as if it had been issued in exchange for an identity token
    publisher: AttestationPublisher | None = None


class SeedData(Struct, frozen=True, kw_only=True):
    """Users, projects, tokens, faults. By default: a user who owns nothing, and an account-wide token."""

    users: tuple[User, ...] = (User(name=DEFAULT_USER),)
    projects: tuple[SeedProject, ...] = ()
    tokens: tuple[ApiToken, ...] = (ApiToken(name="account", user=DEFAULT_USER),)
    publishers: tuple[SeedPublisher, ...] = ()
    #: the audience of identity tokens: "pypi" on PyPI, "testpypi" on TestPyPI
    audience: str = "pypi"
    #: the job of the sandbox's own identity provider; like the faults, it is not stored in a state directory
    job: CiJob = field(default_factory=CiJob)
    #: normalised names that cannot be registered
    prohibited: tuple[str, ...] = ()
    #: of new projects, for each user and each address
    new_projects: tuple[ProjectLimit, ...] = NEW_PROJECT_LIMITS
    #: bytes, of each file, and of all files of a project in total
    file_size_limit: int = FILE_SIZE
    project_size_limit: int = PROJECT_SIZE
    #: those of `FLAGS` that are on
    flags: tuple[str, ...] = ()
    #: path of the trust configuration that verifies attestations; None: any signature is accepted
    sigstore: str | None = None
    #: not stored in a state directory, unlike the rest
    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, json_text: str) -> SeedData:
        """Parse the file of `--world`. Raises `ConfigError`, which names the key."""
        read = tables.read_table(tables.parse_json(json_text, _AT.file), _AT, _SEED_DATA)
        if "users" in read or "tokens" in read:  # then the default user is not wanted
            read = {"users": (), "tokens": ()} | read
        data = cls(**read)
        _check_references(data)
        return data


def seed_for_project(name: str, *, exists: bool = False) -> SeedData:
    """Make seed data for uploads of one project.

    With `exists`, its user owns the project; without, the first upload creates it.
    """
    return SeedData(projects=(SeedProject(name=name, owners=(DEFAULT_USER,)),) if exists else ())


def _scope(value: Any, at: KeyPath) -> tuple[str, ...] | None:
    if value == "account":
        return None
    if not isinstance(value, list) or not value:
        raise at.wrong('"account" or a list of projects', value)
    return _names(value, at)


def _names(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(canonicalize_name(name) for name in tables.strings(value, at))


def _unix_seconds(value: Any, at: KeyPath) -> int:
    """Read a time: a number, or an ISO date, which is in UTC unless it has an offset."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise at.wrong("a time: unix seconds, or a string like '2027-01-31T00:00:00Z'", value) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


_SIZES: Mapping[str, Reader] = dict.fromkeys(
    ("file_size_limit", "project_size_limit"), tables.number(1, 1 << 50, whole=True, unit="a number of bytes")
)
_USER: Mapping[str, Reader] = {
    "name": tables.string,
    **dict.fromkeys(("email_verified", "two_factor", "disabled"), tables.boolean),
}
_PROJECT: Mapping[str, Reader] = {
    "name": tables.string,
    "organization": tables.or_null(tables.string),
    **dict.fromkeys(("owners", "maintainers"), tables.strings),
    "status": tables.one_of("active", "archived", "archived-noindex", "quarantined"),
    "organization_active": tables.boolean,
    **_SIZES,
}
_SIGNER: Mapping[str, Reader] = {
    "kind": tables.string,
    **dict.fromkeys(
        ("repository", "workflow", "workflow_filepath", "environment", "email"), tables.or_null(tables.string)
    ),
}


def _signer(value: Any, at: KeyPath) -> AttestationPublisher:
    read = tables.read_table(value, at, _SIGNER, ["kind"])
    return AttestationPublisher.from_json({key: text for key, text in read.items() if text is not None})


_TOKEN: Mapping[str, Reader] = {
    **dict.fromkeys(("name", "user"), tables.string),
    "location": tables.or_null(tables.string),
    **dict.fromkeys(("revoked", "forged"), tables.boolean),
    "scope": _scope,
    "expires": tables.or_null(_unix_seconds),
    "publisher": tables.or_null(_signer),
}
_LIMIT: Mapping[str, Reader] = {
    "limit": tables.number(1, 1_000_000, whole=True),
    "seconds": tables.number(1, 31_536_000, whole=True, unit="a number of seconds"),
}


def _limits(value: Any, at: KeyPath) -> tuple[ProjectLimit, ...]:
    """The limits of `NEW_PROJECT_LIMITS`, with those that are given by kind in their place."""
    kinds: dict[str, Reader] = dict.fromkeys(("ip", "user"), lambda value, at: tables.read_table(value, at, _LIMIT))
    given = tables.read_table(value, at, kinds)
    return tuple(replace(one, **given.get(one.kind, {})) for one in NEW_PROJECT_LIMITS)


_SEED_DATA: Mapping[str, Reader] = {
    "users": lambda value, at: tuple(User(**one) for one in tables.read_named_tables(value, at, _USER)),
    "projects": lambda value, at: tuple(SeedProject(**one) for one in tables.read_named_tables(value, at, _PROJECT)),
    "tokens": lambda value, at: tuple(
        ApiToken(projects=one.pop("scope", None), **one)
        for one in tables.read_named_tables(value, at, _TOKEN, ("name", "user"))
    ),
    "publishers": publishers.read_publishers,
    "audience": tables.string,
    "job": lambda value, at: CiJob(**tables.read_table(value, at, publishers.JOB)),
    "prohibited": _names,
    "new_projects": _limits,
    **_SIZES,
    "flags": lambda value, at: tuple(tables.known(flag, at, FLAGS) for flag in tables.strings(value, at)),
    "sigstore": tables.or_null(tables.string),
    "faults": read_faults,
}


def _check_references(data: SeedData) -> None:
    """Check that every user and project that is referred to is listed."""
    users = [user.name for user in data.users]
    projects = [canonicalize_name(project.name) for project in data.projects]
    for number, project in enumerate(data.projects):
        for role in ("owners", "maintainers"):
            for name in getattr(project, role):
                tables.known(name, (_AT / "projects")[number] / role, users)
    for number, token in enumerate(data.tokens):
        tables.known(token.user, (_AT / "tokens")[number] / "user", users)
        for name in token.projects or ():
            tables.known(name, (_AT / "tokens")[number] / "scope", projects)
    for number, publisher in enumerate(data.publishers):
        for name in publisher.projects:
            tables.known(canonicalize_name(name), (_AT / "publishers")[number] / "projects", projects)
        if publisher.user is not None:
            tables.known(publisher.user, (_AT / "publishers")[number] / "user", users)


def apply_seed_data(db: sqlite3.Connection, data: SeedData, host: str) -> None:
    """Apply seed data to the store.

    What exists under the same name is updated: a token stays the same token, a project keeps its files, and what
    uploads have added stays.
    """
    for user in data.users:
        state = {"email_verified": user.email_verified, "two_factor": user.two_factor, "disabled": user.disabled}
        _upsert(db, "users", {"name": user.name}, state)
    for project in data.projects:
        _project(db, project)
    for token in data.tokens:
        _token(db, token, host)
    for publisher in data.publishers:
        _publisher(db, publisher)
    db.execute("DELETE FROM settings")
    settings = {"audience": data.audience, "sigstore": data.sigstore}
    db.executemany("INSERT INTO settings VALUES (?, ?)", [one for one in settings.items() if one[1] is not None])
    write_project_limits(db, data.new_projects)
    sizes = (data.file_size_limit, data.project_size_limit)
    own = {str(canonicalize_name(one.name)): (one.file_size_limit, one.project_size_limit) for one in data.projects}
    write_size_limits(db, sizes, own)
    for table, column, values in (("flags", "name", data.flags), ("prohibited", "normalized", data.prohibited)):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - both names are constants
        db.executemany(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", [(v,) for v in values])  # noqa: S608 - the same


def token_secrets(db: sqlite3.Connection) -> dict[str, Secret]:
    """Return every token by its name, also revoked and forged ones."""
    found = {}
    for row in db.execute("SELECT * FROM tokens ORDER BY rowid"):
        caveats = [caveat.encode() for caveat in json.loads(row["caveats"])]
        key = row["key"][::-1] if row["forged"] else row["key"]
        token = macaroon.create_macaroon(row["location"], row["id"].encode(), key, *caveats)
        found[row["name"]] = Secret(macaroon.to_text(token))
    return found


def _upsert(db: sqlite3.Connection, table: str, new: Mapping[str, object], state: Mapping[str, object]) -> None:
    """Insert a row with a new identifier; if one with the same first column of `new` exists, only update `state`."""
    row, key = {"id": str(uuid4()), **new, **state}, next(iter(new))
    columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
    changes = ", ".join(f"{column} = excluded.{column}" for column in state)
    insert = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 - all names are constants
    db.execute(f"{insert} ON CONFLICT ({key}) DO UPDATE SET {changes}", row)


def _project(db: sqlite3.Connection, project: SeedProject) -> None:
    normalized = canonicalize_name(project.name)
    state = {
        "status": project.status,
        "organization": project.organization,
        "organization_active": project.organization_active,
    }
    _upsert(db, "projects", {"normalized": normalized, "name": project.name}, state)
    project_id = _project_id(db, normalized)
    db.execute("DELETE FROM roles WHERE project = ?", (project_id,))
    for role, names in (("Maintainer", project.maintainers), ("Owner", project.owners)):
        db.executemany(
            "INSERT OR REPLACE INTO roles SELECT ?, id, ? FROM users WHERE name = ?",
            [(project_id, role, name) for name in names],
        )


def _token(db: sqlite3.Connection, token: ApiToken, host: str) -> None:
    """Its caveats are those that the index's own pages make, and an expiration, which PyPI's pages do not offer.

    Source: warehouse, `manage/views/__init__.py`.
    """
    user = db.execute("SELECT id FROM users WHERE name = ?", (token.user,)).fetchone()["id"]
    if token.projects is None:
        caveats: list[list[object]] = [[3, user]]
    else:
        caveats = [[1, list(token.projects)], [2, [_project_id(db, name) for name in token.projects]]]
    if token.expires is not None:
        caveats.append([0, token.expires, 0])
    state = {
        "user": user,
        "forged": token.forged,
        "location": token.location or host,
        "caveats": json.dumps([json.dumps(caveat, separators=(",", ":")) for caveat in caveats]),
        "revoked": token.revoked,
        "publisher": json.dumps(token.publisher.to_json()) if token.publisher else None,
    }
    _upsert(db, "tokens", {"name": token.name, "key": secrets.token_bytes(32)}, state)


def _publisher(db: sqlite3.Connection, publisher: SeedPublisher) -> None:
    """A pending publisher that has created its project since then stays an ordinary one."""
    user = db.execute("SELECT id FROM users WHERE name = ?", (publisher.user,)).fetchone()
    state = {"provider": publisher.provider, "fields": json.dumps(dict(publisher.fields))}
    new = {"pending": publisher.pending, "user": user["id"] if user else None}
    _upsert(db, "publishers", {"name": publisher.name, **new}, state)
    db.executemany(
        "INSERT OR IGNORE INTO publisher_projects SELECT publishers.id, projects.id FROM publishers, projects"
        " WHERE publishers.name = ? AND normalized = ?",
        [(publisher.name, canonicalize_name(name)) for name in publisher.projects],
    )


def _project_id(db: sqlite3.Connection, normalized: str) -> str:
    return str(db.execute("SELECT id FROM projects WHERE normalized = ?", (normalized,)).fetchone()["id"])

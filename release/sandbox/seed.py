"""Write seed data into the store, and make the tokens that its users have."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from uuid import uuid4

from packaging.utils import canonicalize_name

from release.core.secret import Secret
from release.core.tokens import macaroon
from release.sandbox.publishers import SeedPublisher
from release.sandbox.seed_schema import ApiToken, SeedData, SeedProject, User

_KEY_LENGTH = 32


def apply_seed_data(db: sqlite3.Connection, data: SeedData, host: str) -> None:
    """Apply seed data to the store.

    What exists under the same name is updated: a token stays the same token, a project keeps its files, and what
    uploads have added stays.
    """
    for user in data.users:
        _user(db, user)
    for project in data.projects:
        _project(db, project)
    for token in data.tokens:
        _token(db, token, host)
    for publisher in data.publishers:
        _publisher(db, publisher)
    db.execute("DELETE FROM settings")
    db.execute("INSERT INTO settings VALUES ('audience', ?)", (data.audience,))
    if data.sigstore is not None:
        db.execute("INSERT INTO settings VALUES ('sigstore', ?)", (data.sigstore,))
    for table, column, values in (("flags", "name", data.flags), ("prohibited", "normalized", data.prohibited)):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - both names are constants
        db.executemany(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", [(v,) for v in values])  # noqa: S608 - the same


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether no seed data was ever applied."""
    return db.execute("SELECT 1 FROM users").fetchone() is None


def token_secrets(db: sqlite3.Connection) -> dict[str, Secret]:
    """Return every token by its name, also revoked and forged ones."""
    return {row["name"]: _token_secret(row) for row in db.execute("SELECT * FROM tokens ORDER BY rowid")}


def revoke_token(db: sqlite3.Connection, token: str) -> None:
    """Revoke a token by its name."""
    db.execute("UPDATE tokens SET revoked = 1 WHERE name = ?", (token,))


def _token_secret(row: sqlite3.Row) -> Secret:
    caveats = [caveat.encode() for caveat in json.loads(row["caveats"])]
    key = row["key"][::-1] if row["forged"] else row["key"]
    token = macaroon.create_macaroon(row["location"], row["id"].encode(), key, *caveats)
    return Secret(macaroon.to_text(token))


def _upsert(db: sqlite3.Connection, table: str, key: str, row: Mapping[str, object], updated: Iterable[str]) -> None:
    """Insert a row; if one with the same `key` exists, update only the columns `updated`."""
    columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
    changes = ", ".join(f"{column} = excluded.{column}" for column in updated)
    insert = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 - all names are constants
    db.execute(f"{insert} ON CONFLICT ({key}) DO UPDATE SET {changes}", row)


def _user(db: sqlite3.Connection, user: User) -> None:
    state = {"email_verified": user.email_verified, "two_factor": user.two_factor, "disabled": user.disabled}
    _upsert(db, "users", "name", {"id": str(uuid4()), "name": user.name, **state}, state)


def _project(db: sqlite3.Connection, project: SeedProject) -> None:
    normalized = canonicalize_name(project.name)
    state = {
        "status": project.status,
        "organization": project.organization,
        "organization_active": project.organization_active,
    }
    row = {"id": str(uuid4()), "normalized": normalized, "name": project.name, **state}
    _upsert(db, "projects", "normalized", row, state)
    project_id = _project_id(db, normalized)
    db.execute("DELETE FROM roles WHERE project = ?", (project_id,))
    for role, names in (("Maintainer", project.maintainers), ("Owner", project.owners)):
        db.executemany(
            "INSERT OR REPLACE INTO roles SELECT ?, id, ? FROM users WHERE name = ?",
            [(project_id, role, name) for name in names],
        )


def _token(db: sqlite3.Connection, token: ApiToken, host: str) -> None:
    user = db.execute("SELECT id FROM users WHERE name = ?", (token.user,)).fetchone()["id"]
    state = {
        "user": user,
        "forged": token.forged,
        "location": token.location or host,
        "caveats": json.dumps(_caveats(db, token, user)),
        "revoked": token.revoked,
        "publisher": json.dumps(token.publisher.to_json()) if token.publisher else None,
    }
    row = {"id": str(uuid4()), "name": token.name, "key": secrets.token_bytes(_KEY_LENGTH), **state}
    _upsert(db, "tokens", "name", row, state)


def _publisher(db: sqlite3.Connection, publisher: SeedPublisher) -> None:
    """A pending publisher that has created its project since then stays an ordinary one."""
    user = db.execute("SELECT id FROM users WHERE name = ?", (publisher.user,)).fetchone()
    state = {"provider": publisher.provider, "fields": json.dumps(dict(publisher.fields))}
    new = {"pending": publisher.pending, "user": user["id"] if user else None}
    _upsert(db, "publishers", "name", {"id": str(uuid4()), "name": publisher.name, **state, **new}, state)
    db.executemany(
        "INSERT OR IGNORE INTO publisher_projects SELECT publishers.id, projects.id FROM publishers, projects"
        " WHERE publishers.name = ? AND normalized = ?",
        [(publisher.name, canonicalize_name(name)) for name in publisher.projects],
    )


def _caveats(db: sqlite3.Connection, token: ApiToken, user: str) -> list[str]:
    """Make the caveats that the index's own pages make, and an expiration, which PyPI's pages do not offer.

    Source: warehouse, `manage/views/__init__.py`.
    """
    if token.projects is None:
        caveats: list[list[object]] = [[3, user]]
    else:
        caveats = [[1, list(token.projects)], [2, [_project_id(db, name) for name in token.projects]]]
    if token.expires is not None:
        caveats.append([0, token.expires, 0])
    return [json.dumps(caveat, separators=(",", ":")) for caveat in caveats]


def _project_id(db: sqlite3.Connection, normalized: str) -> str:
    return str(db.execute("SELECT id FROM projects WHERE normalized = ?", (normalized,)).fetchone()["id"])

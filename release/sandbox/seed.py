"""A world, written into a store; and its tokens, as their users hold them."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable
from uuid import uuid4

from packaging.utils import canonicalize_name

from release.core.secret import Secret
from release.core.tokens import macaroon
from release.sandbox.publishers import SeedPublisher
from release.sandbox.seed_schema import ApiToken, SeedData, SeedProject, User

_KEY_LENGTH = 32


def apply_seed_data(db: sqlite3.Connection, world: SeedData, host: str) -> None:
    """Make the store what the world says.

    What has a name keeps its identity: a token that was there is the same token, a project keeps its files, and
    whatever uploads have added stays.
    """
    _users(db, world.users)
    _projects(db, world.projects)
    for token in world.tokens:
        _token(db, token, host)
    for publisher in world.publishers:
        _publisher(db, publisher)
    db.execute("DELETE FROM settings")
    db.execute("INSERT INTO settings VALUES ('audience', ?)", (world.audience,))
    if world.sigstore is not None:
        db.execute("INSERT INTO settings VALUES ('sigstore', ?)", (world.sigstore,))
    for table, column, values in (("flags", "name", world.flags), ("prohibited", "normalized", world.prohibited)):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - both names are ours
        db.executemany(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", [(v,) for v in values])  # noqa: S608 - the same


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether no world was ever written."""
    return db.execute("SELECT 1 FROM users").fetchone() is None


def token_secrets(db: sqlite3.Connection) -> dict[str, Secret]:
    """Every token by its name, the revoked and the forged ones too."""
    return {row["name"]: _text(row) for row in db.execute("SELECT * FROM tokens ORDER BY rowid")}


def revoke_token(db: sqlite3.Connection, token: str) -> None:
    """Let a token, by its name, be known no more."""
    db.execute("UPDATE tokens SET revoked = 1 WHERE name = ?", (token,))


def _text(row: sqlite3.Row) -> Secret:
    caveats = [caveat.encode() for caveat in json.loads(row["caveats"])]
    key = row["key"][::-1] if row["forged"] else row["key"]
    made = macaroon.create_macaroon(row["location"], row["id"].encode(), key, *caveats)
    return Secret(macaroon.to_text(made))


def _users(db: sqlite3.Connection, users: Iterable[User]) -> None:
    db.executemany(
        "INSERT INTO users VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " email_verified = excluded.email_verified, two_factor = excluded.two_factor, disabled = excluded.disabled",
        [(str(uuid4()), user.name, user.email_verified, user.two_factor, user.disabled) for user in users],
    )


def _projects(db: sqlite3.Connection, projects: Iterable[SeedProject]) -> None:
    for project in projects:
        normalized = canonicalize_name(project.name)
        db.execute(
            "INSERT INTO projects VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (normalized) DO UPDATE SET"
            " status = excluded.status, organization = excluded.organization,"
            " organization_active = excluded.organization_active",
            (str(uuid4()), normalized, project.name, project.status, project.organization, project.organization_active),
        )
        there = db.execute("SELECT id FROM projects WHERE normalized = ?", (normalized,)).fetchone()["id"]
        db.execute("DELETE FROM roles WHERE project = ?", (there,))
        for role, names in (("Maintainer", project.maintainers), ("Owner", project.owners)):
            db.executemany(
                "INSERT OR REPLACE INTO roles SELECT ?, id, ? FROM users WHERE name = ?",
                [(there, role, name) for name in names],
            )


def _token(db: sqlite3.Connection, token: ApiToken, host: str) -> None:
    user = db.execute("SELECT id FROM users WHERE name = ?", (token.user,)).fetchone()["id"]
    db.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET user = excluded.user,"
        " forged = excluded.forged, location = excluded.location, caveats = excluded.caveats,"
        " revoked = excluded.revoked, publisher = excluded.publisher",
        (
            str(uuid4()),
            token.name,
            user,
            secrets.token_bytes(_KEY_LENGTH),
            token.forged,
            token.location or host,
            json.dumps(_caveats(db, token, user)),
            token.revoked,
            json.dumps(token.publisher.to_json()) if token.publisher else None,
        ),
    )


def _publisher(db: sqlite3.Connection, publisher: SeedPublisher) -> None:
    """One that was pending and has created its project since is pending no more."""
    user = db.execute("SELECT id FROM users WHERE name = ?", (publisher.user,)).fetchone()
    db.execute(
        "INSERT INTO publishers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " provider = excluded.provider, fields = excluded.fields",
        (
            str(uuid4()),
            publisher.name,
            publisher.provider,
            json.dumps(dict(publisher.fields)),
            publisher.pending,
            user["id"] if user else None,
        ),
    )
    db.executemany(
        "INSERT OR IGNORE INTO publisher_projects SELECT publishers.id, projects.id FROM publishers, projects"
        " WHERE publishers.name = ? AND normalized = ?",
        [(publisher.name, canonicalize_name(name)) for name in publisher.projects],
    )


def _caveats(db: sqlite3.Connection, token: ApiToken, user: str) -> list[str]:
    """As the index's own pages make them, with the expiry that PyPI's do not offer behind them.

    Source: warehouse, `manage/views/__init__.py`.
    """
    if token.projects is None:
        caveats: list[list[object]] = [[3, user]]
    else:
        ids = [
            db.execute("SELECT id FROM projects WHERE normalized = ?", (name,)).fetchone()["id"]
            for name in token.projects
        ]
        caveats = [[1, list(token.projects)], [2, ids]]
    if token.expires is not None:
        caveats.append([0, token.expires, 0])
    return [json.dumps(caveat, separators=(",", ":")) for caveat in caveats]

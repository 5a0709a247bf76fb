"""From the Authorization header to who asks; and, later and apart from it, what the token allows.

The index finds a token by its identifier alone; signature and caveats count only once a project is known.
Source: warehouse, `macaroons/security_policy.py` and `accounts/security_policy.py`, run 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from dataclasses import dataclass, field
from uuid import UUID

from release.acceptance.rule import Refusal
from release.core.models.attestation import AttestationPublisher
from release.core.tokens import macaroon
from release.core.tokens.macaroon import MalformedError
from release.sandbox import publishers
from release.sandbox.caveat_verification import Context, UnreadableError, problem

_USERNAME = "__token__"
_PREFIX = "pypi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A trusted publisher that the index has."""

    id: str
    #: identifiers of the projects that it may upload to
    projects: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A user, by one of the user's tokens; or a trusted publisher, by a token that it got in exchange."""

    #: empty for a publisher
    user_id: str
    #: the user's name, or the publisher's in the world file
    username: str
    email_verified: bool
    two_factor: bool
    #: as presented; the signature is not looked at yet
    token: macaroon.Macaroon = field(repr=False)
    #: the key that the index keeps for it
    key: bytes = field(repr=False)
    #: the caveats that the index keeps for it
    stored: tuple[bytes, ...] = field(repr=False)
    #: whose workflow got the token in exchange for its identity; None where a user made it
    publisher: AttestationPublisher | None = None
    #: the publisher that asks, with no user behind it
    trusted: Trusted | None = None


class PasswordError(Exception):
    """A username other than `__token__`: the index refuses it before it looks at the password."""


def identify(header: str, db: sqlite3.Connection) -> Principal | None:
    """Who asks; None for everything that leads to no account in use. Raises PasswordError."""
    text = _presented(header)
    token = _decoded(text) if text else None
    if token is None:
        return None
    row = db.execute(
        "SELECT tokens.*, users.name AS username, email_verified, two_factor FROM tokens"
        " JOIN users ON users.id = tokens.user WHERE tokens.id = ? AND NOT revoked AND NOT disabled",
        (_identifier(token),),
    ).fetchone()
    if row is None:
        return _published(db, token)
    return Principal(
        user_id=row["user"],
        username=row["username"],
        email_verified=bool(row["email_verified"]),
        two_factor=bool(row["two_factor"]),
        token=token,
        key=row["key"],
        stored=tuple(caveat.encode() for caveat in json.loads(row["caveats"])),
        publisher=AttestationPublisher.from_json(json.loads(row["publisher"])) if row["publisher"] else None,
    )


def _published(db: sqlite3.Connection, token: macaroon.Macaroon) -> Principal | None:
    row = db.execute(
        "SELECT minted.*, name, provider, fields FROM minted JOIN publishers ON publishers.id = publisher"
        " WHERE minted.id = ?",
        (_identifier(token),),
    ).fetchone()
    if row is None:
        return None
    found = db.execute("SELECT project FROM publisher_projects WHERE publisher = ?", (row["publisher"],))
    return Principal(
        user_id="",
        username=row["name"],
        email_verified=True,
        two_factor=True,
        token=token,
        key=row["key"],
        stored=tuple(caveat.encode() for caveat in json.loads(row["caveats"])),
        publisher=publishers.attestation_publisher(row["provider"], json.loads(row["fields"])),
        trusted=Trusted(id=row["publisher"], projects=frozenset(one["project"] for one in found)),
    )


def token_problem(identity: Principal, context: Context) -> str | None:
    """Why the token does not allow this, in the index's words; None where it does.

    The index verifies its own copy of the caveats behind those in the token, so that an untouched token gives
    each reason twice; and what a caveat says hides a wrong signature.
    """
    try:
        reasons = [problem(caveat, context) for caveat in (*identity.token.caveats, *identity.stored)]
    except UnreadableError:
        return "unknown error"
    if any(reasons):
        return ", ".join(reason for reason in reasons if reason)
    return None if identity.token.signed_by(identity.key) else "signatures do not match"


def no_identity(site: str) -> Refusal:
    text = f"Invalid or non-existent authentication information. See {site}/help/#invalid-auth for more information."
    return Refusal(rule="the-token-is-known", status=403, text=text)


def no_passwords(site: str) -> Refusal:
    text = (
        "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers "
        f"instead. See {site}/help/#apitoken and {site}/help/#trusted-publishers"
    )
    return Refusal(rule="the-username-is-token", status=403, text=text)


def _presented(header: str) -> str | None:
    """The token's text. Only Basic credentials are stripped."""
    scheme, _, rest = header.strip(" \t").partition(" ")
    if scheme.lower() == "basic":
        return _password(rest)
    return rest if scheme.lower() in {"bearer", "token"} else None


def _password(encoded: str) -> str | None:
    try:
        data = base64.b64decode(encoded.strip().encode("latin-1"))
    except (binascii.Error, ValueError):
        return None
    if b":" not in data:
        return None
    if data.partition(b":")[0] != _USERNAME.encode():
        raise PasswordError
    try:
        return data.decode().partition(":")[2].strip()
    except UnicodeDecodeError:
        return None


def _decoded(text: str) -> macaroon.Macaroon | None:
    """As the index decodes: characters outside the alphabet are passed over, bytes behind the signature too."""
    prefix, _, rest = text.partition("-")
    if prefix != _PREFIX or not rest:
        return None
    data = rest.encode("utf-8", "surrogatepass")
    try:
        return macaroon.deserialize(base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)))[0]
    except (binascii.Error, ValueError, MalformedError):
        return None


def _identifier(token: macaroon.Macaroon) -> str | None:
    try:
        return str(UUID(token.identifier.decode()))
    except ValueError:
        return None

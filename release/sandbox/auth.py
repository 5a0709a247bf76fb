"""Authentication and authorization: from the Authorization header to an account, and what its token allows.

The index finds a token by its identifier alone; signature and caveats are verified only once a project is known.
Source: warehouse, `macaroons/security_policy.py`, `accounts/security_policy.py` and `macaroons/caveats/`
(`__init__.py`, `_core.py`, `_legacy.py`), run 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from release.core.models.attestation import AttestationPublisher
from release.core.struct_fields import repr_without
from release.core.tokens import macaroon
from release.sandbox import publishers
from release.sandbox.index_store import IndexProject


class Principal(Struct, frozen=True, kw_only=True):
    """A user, authenticated by an API token, or a trusted publisher, by a token that it got in exchange."""

    #: empty for a publisher
    user_id: str = ""
    #: the user's name, or the publisher's name in the seed data
    username: str
    email_verified: bool = True
    two_factor: bool = True
    #: as presented; its signature is not verified yet
    token: macaroon.Macaroon
    #: the key that the index has for it
    key: bytes
    #: the caveats that the index has for it
    stored_caveats: tuple[bytes, ...]
    #: the publisher that attestations must name; None if a user created the token
    signer: AttestationPublisher | None = None
    #: the trusted publisher, without a user, and the identifiers of the projects that it may upload to
    publisher_id: str | None = None
    publisher_projects: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return repr_without(self, "token", "key", "stored_caveats")


class PasswordError(Exception):
    """The username is not `__token__`: the index refuses it without reading the password."""


def identify(header: str, db: sqlite3.Connection) -> Principal | None:
    """Authenticate a request; None if the token belongs to no active account. Raises PasswordError."""
    scheme, _, rest = header.strip(" \t").partition(" ")
    text = rest if scheme.lower() in {"bearer", "token"} else None
    if scheme.lower() == "basic":  # only Basic credentials are stripped
        text = _password(rest)
    token = macaroon.deserialize_leniently(text) if text else None
    if token is None:
        return None
    return _user(db, token) or _publisher(db, token)


def _user(db: sqlite3.Connection, token: macaroon.Macaroon) -> Principal | None:
    row = db.execute(
        "SELECT tokens.*, users.name AS username, email_verified, two_factor FROM tokens"
        " JOIN users ON users.id = tokens.user WHERE tokens.id = ? AND NOT revoked AND NOT disabled",
        (token_identifier(token),),
    ).fetchone()
    if row is None:
        return None
    return Principal(
        user_id=row["user"],
        username=row["username"],
        email_verified=bool(row["email_verified"]),
        two_factor=bool(row["two_factor"]),
        token=token,
        key=row["key"],
        stored_caveats=_stored_caveats(row),
        signer=AttestationPublisher.from_json(json.loads(row["publisher"])) if row["publisher"] else None,
    )


def _publisher(db: sqlite3.Connection, token: macaroon.Macaroon) -> Principal | None:
    row = db.execute(
        "SELECT minted.*, name, provider, fields FROM minted JOIN publishers ON publishers.id = publisher"
        " WHERE minted.id = ?",
        (token_identifier(token),),
    ).fetchone()
    if row is None:
        return None
    rows = db.execute("SELECT project FROM publisher_projects WHERE publisher = ?", (row["publisher"],))
    return Principal(
        username=row["name"],
        token=token,
        key=row["key"],
        stored_caveats=_stored_caveats(row),
        signer=publishers.attestation_publisher(row["provider"], json.loads(row["fields"])),
        publisher_id=row["publisher"],
        publisher_projects=frozenset(one["project"] for one in rows),
    )


def _stored_caveats(row: sqlite3.Row) -> tuple[bytes, ...]:
    return tuple(caveat.encode() for caveat in json.loads(row["caveats"]))


def _password(encoded: str) -> str | None:
    try:
        data = base64.b64decode(encoded.strip().encode("latin-1"))
    except (binascii.Error, ValueError):
        return None
    if b":" not in data:
        return None
    if data.partition(b":")[0] != b"__token__":
        raise PasswordError
    try:
        return data.decode().partition(":")[2].strip()
    except UnicodeDecodeError:
        return None


def token_identifier(token: macaroon.Macaroon) -> str | None:
    """Return the identifier by which the index finds a token; None if it is not one of its own form."""
    try:
        return str(UUID(token.identifier.decode()))
    except ValueError:
        return None


# -- caveats ----------------------------------------------------------------------------------------


class _UnreadableCaveatError(Exception):
    """The server fails on the caveat, and verifies none after it."""


def token_problem(principal: Principal, project: IndexProject, now: int) -> str | None:
    """Explain in the index's words why the token does not allow an upload; None if it does. `now`: unix seconds.

    The index verifies its own copy of the caveats after those in the token, so that an unmodified token gives
    each reason twice. A caveat that is not met hides a wrong signature, and one that the server fails on.
    """
    reasons = []
    try:
        for caveat in (*principal.token.caveats, *principal.stored_caveats):
            reasons.append(_caveat_problem(caveat, principal, project, now))  # noqa: PERF401 - an exception leaves those before
    except _UnreadableCaveatError:
        reasons = [reason for reason in reasons if reason] or ["unknown error"]
    if any(reasons):
        return ", ".join(reason for reason in reasons if reason)
    return None if principal.token.signed_by(principal.key) else "signatures do not match"


def _caveat_problem(caveat: bytes, principal: Principal, project: IndexProject, now: int) -> str | None:
    """Explain in the index's words why a caveat is not met. Unknown caveats are refused."""
    try:
        data = json.loads(caveat.decode())
    except (ValueError, RecursionError) as error:
        raise _UnreadableCaveatError from error
    if isinstance(data, dict):
        data = _as_array(data, principal)
    if not isinstance(data, list):
        return "caveat must be an array"
    if not data:
        return "caveat array cannot be empty"
    tag, *fields = data
    if isinstance(tag, (list, dict)):
        raise _UnreadableCaveatError
    if tag not in _FIELDS:  # where `true` and 1.0 are the same as 1
        return f"caveat has unknown tag: {tag}"
    if tag == _PUBLISHER_TAG:
        fields.append(None)  # its claims may be absent
    if len(fields) < len(_FIELDS[tag]):
        return "Not enough values"
    if not all(is_valid(value) for is_valid, value in zip(_FIELDS[tag], fields, strict=False)):
        return "invalid values for fields"
    return _unmet(tag, fields, principal, project, now)


def _as_array(data: dict[str, Any], principal: Principal) -> Any:
    """Convert a legacy caveat, which is an object, to an array; return any other object unchanged."""
    permissions = data.get("permissions")
    if data.get("version") == 1:
        if permissions == "user" and principal.publisher_id is None:
            return [3, principal.user_id]
        if isinstance(permissions, dict) and "projects" in permissions:
            return [1, permissions["projects"]]
        return data
    if "nbf" in data and "exp" in data:
        return [0, data["exp"], data["nbf"]]
    return [2, data["project_ids"]] if "project_ids" in data else data


def _unmet(tag: int, fields: list[Any], principal: Principal, project: IndexProject, now: int) -> str | None:
    match tag:
        case 0:
            return None if fields[1] <= now < fields[0] else "token is expired"
        case 1 | 2:
            allowed = (project.normalized if tag == 1 else project.id) in fields[0]
            return None if allowed else f"project-scoped token is not valid for project: {project.name!r}"
        case 3 if principal.publisher_id is not None:
            return "token with user restriction without a user"
        case 3:
            return None if fields[0] == principal.user_id else "current user does not match user restriction in token"
        case _ if principal.publisher_id is None:
            return "OIDC scoped token used outside of an OIDC identified request"
        case _ if principal.publisher_id != fields[0]:
            return "current OIDC publisher does not match publisher restriction in token"
        case _ if project.id not in principal.publisher_projects:
            return f"OIDC scoped token is not valid for project {project.name!r}"
        case _:
            return None


def _is_number(value: object) -> bool:
    return type(value) is int


def _is_text(value: object) -> bool:
    """JSON can spell halves of a surrogate pair, which the index accepts nowhere."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_text_list(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_PUBLISHER_TAG = 4
#: by tag, one test for each field: expiration and start; names; identifiers; a user; a publisher and its claims
_FIELDS: Mapping[int, tuple[Callable[[object], bool], ...]] = {
    0: (_is_number, _is_number),
    1: (_is_text_list,),
    2: (_is_text_list,),
    3: (_is_text,),
    _PUBLISHER_TAG: (_is_text, lambda value: value is None or isinstance(value, dict)),
}

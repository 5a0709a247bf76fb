"""Trusted publishing at the index: `GET /_/oidc/audience`, `POST /_/oidc/mint-token`.

Source: warehouse 6b62157, `oidc/views.py` and `oidc/services.py`; the answers as recorded 2026-11.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from packaging.utils import canonicalize_name
from werkzeug.wrappers import Response

from release.acceptance.name_rules import NEW_NAME
from release.acceptance.rule import Upload, first_refusal
from release.core.tokens import macaroon
from release.sandbox import projects, publisher_claims
from release.sandbox.oidc_provider import decoded
from release.sandbox.publisher_claims import NoPublisherError, RegisteredPublisher, ReusedError
from release.sandbox.publishers import ISSUERS
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import not_allowed

AUDIENCE, MINT = "/_/oidc/audience", ("/_/oidc/mint-token", "/_/oidc/github/mint-token")
#: seconds
_LIFE = 900
_KEY_LENGTH = 32
_MOST = 1024 * 1024
_MORE = "    For further information visit https://errors.pydantic.dev/2.13/v/"


class ExchangeError(Exception):
    """No token: the code and the description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code, self.description = code, description


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimed:
    """An identity whose signature and times are in order."""

    provider: str
    claims: dict[str, Any]
    #: whether it was exchanged before
    used: bool


def audience_response(call: RequestContext) -> Response:
    """For whom an identity has to be made."""
    if call.request.method not in {"GET", "HEAD"}:
        return not_allowed(call.request, "GET")
    with call.store.reading() as db:
        if "disallow-oidc" in _flags(db):
            return _json(403, {"message": "Trusted publishing functionality not enabled"})
        return _json(200, {"audience": _audience(db)})


def exchange_token(call: RequestContext) -> Response:
    """A token in exchange for an identity. What a refusal has done stays done."""
    if call.request.method != "POST":
        return not_allowed(call.request, "POST")
    with call.store.writing() as db:
        try:
            claimed = _claimed(call, db, _unwrapped(call))
            _create_pending(call, db, claimed)
            publisher = _publisher(db, claimed)
        except ExchangeError as refused:
            errors = [{"code": refused.code, "description": refused.description}]
            return _json(422, {"message": "Token request failed", "errors": errors})
        if jti := claimed.claims.get("jti"):
            db.execute("INSERT OR IGNORE INTO identities VALUES (?)", (jti,))
        token, expires = _minted(call, db, publisher)
    return _json(200, {"success": True, "token": token, "expires": expires})


# -- the identity -----------------------------------------------------------------------------------


def _unwrapped(call: RequestContext) -> str:
    """The identity token in the body."""
    call.request.max_content_length = _MOST
    data = call.request.get_data()
    try:
        body = json.loads(data)
    except ValueError:
        shown = f"[type=json_invalid, input_value={data!r}, input_type=bytes]"
        raise _no_payload("  Invalid JSON: expected value at line 1 column 1", shown, "json_invalid") from None
    if not isinstance(body, dict):
        shown = f"[type=model_type, input_value={body!r}, input_type={type(body).__name__}]"
        raise _no_payload("  Input should be an object", shown, "model_type")
    if "token" not in body:
        shown = f"[type=missing, input_value={body!r}, input_type=dict]"
        raise _no_payload("token\n  Field required", shown, "missing")
    if not isinstance(body["token"], str):
        shown = f"[type=string_type, input_value={body['token']!r}, input_type={type(body['token']).__name__}]"
        raise _no_payload("token\n  Input should be a valid string", shown, "string_type")
    return body["token"]


def _no_payload(what: str, shown: str, kind: str) -> ExchangeError:
    return ExchangeError("invalid-payload", f"1 validation error for TokenPayload\n{what} {shown}\n{_MORE}{kind}")


def _claimed(call: RequestContext, db: sqlite3.Connection, token: str) -> _Claimed:
    issuer = _issuer(token)
    provider = next((name for name, url in ISSUERS.items() if url == issuer), None)
    if provider is None:
        raise ExchangeError("invalid-payload", "unknown trusted publishing issuer")
    if {"disallow-oidc", f"disallow-{provider}-oidc"} & _flags(db):
        raise ExchangeError("not-enabled", f"{provider} trusted publishing functionality not enabled")
    claims = call.issuer.verified(token, issuer, _audience(db), call.now)
    if claims is None:
        raise ExchangeError("invalid-token", "malformed or invalid token")
    used = db.execute("SELECT 1 FROM identities WHERE jti = ?", (claims.get("jti"),)).fetchone() is not None
    return _Claimed(provider=provider, claims=claims, used=used)


def _issuer(token: str) -> str:
    """Who the token says has made it."""
    try:
        _, payload, _ = token.split(".")
        return str(json.loads(decoded(payload))["iss"])
    except (ValueError, KeyError, TypeError):
        raise ExchangeError("invalid-payload", "malformed JWT") from None


# -- the publisher ----------------------------------------------------------------------------------


def _create_pending(call: RequestContext, db: sqlite3.Connection, claimed: _Claimed) -> None:
    """Create the project of a pending publisher, and make that an ordinary one; nothing where there is none."""
    try:
        found = _match(db, claimed, pending=True)
    except NoPublisherError:
        return
    except ReusedError:
        raise _reused() from None
    row = db.execute("SELECT * FROM publishers WHERE id = ?", (found.id,)).fetchone()
    name = row["pending"]
    if projects.find_project(db, name) is not None:
        db.execute("DELETE FROM publishers WHERE id = ?", (found.id,))
        raise ExchangeError("invalid-pending-publisher", "valid token, but project already exists")
    upload = Upload(fields={"name": (name,)}, content_type=None, site=call.site)
    refusal = first_refusal(NEW_NAME, upload, projects.index_contents(db, None, call.now))
    if refusal is not None:
        raise ExchangeError("invalid-payload", refusal.text)
    made = projects.new_project(name, row["user"])
    projects.create_project(db, made, call.now)
    db.execute("UPDATE publishers SET pending = NULL WHERE id = ?", (found.id,))
    db.execute("INSERT INTO publisher_projects VALUES (?, ?)", (found.id, made.id))
    stale = [
        (one["id"],)
        for one in db.execute("SELECT id, pending FROM publishers WHERE pending IS NOT NULL").fetchall()
        if canonicalize_name(one["pending"]) == made.normalized
    ]
    db.executemany("DELETE FROM publishers WHERE id = ?", stale)


def _publisher(db: sqlite3.Connection, claimed: _Claimed) -> RegisteredPublisher:
    try:
        return _match(db, claimed, pending=False)
    except NoPublisherError as error:
        reason = f"valid token, but no corresponding publisher ({error})"
        raise ExchangeError("invalid-publisher", reason) from None
    except ReusedError:
        raise _reused() from None


def _match(db: sqlite3.Connection, claimed: _Claimed, *, pending: bool) -> RegisteredPublisher:
    rows = db.execute(
        "SELECT id, fields FROM publishers WHERE provider = ? AND (pending IS NOT NULL) = ? ORDER BY rowid",
        (claimed.provider, pending),
    )
    candidates = [RegisteredPublisher(id=row["id"], fields=json.loads(row["fields"])) for row in rows]
    return publisher_claims.match(candidates, claimed.provider, claimed.claims, used=claimed.used)


def _reused() -> ExchangeError:
    return ExchangeError("invalid-reuse-token", "invalid token: already used")


# -- the token --------------------------------------------------------------------------------------


def _minted(call: RequestContext, db: sqlite3.Connection, publisher: RegisteredPublisher) -> tuple[str, int]:
    """A token for the publisher's projects, and when it ends, in unix seconds."""
    now = int(call.now.timestamp())
    rows = db.execute("SELECT project FROM publisher_projects WHERE publisher = ? ORDER BY rowid", (publisher.id,))
    limits = ([4, publisher.id, None], [2, [row["project"] for row in rows]], [0, now + _LIFE, now])
    caveats = [json.dumps(one, separators=(",", ":")) for one in limits]
    identifier, key = str(uuid4()), secrets.token_bytes(_KEY_LENGTH)
    location = call.request.host.rpartition(":")[0] or call.request.host
    db.execute("INSERT INTO minted VALUES (?, ?, ?, ?)", (identifier, publisher.id, key, json.dumps(caveats)))
    made = macaroon.create_macaroon(location, identifier.encode(), key, *(one.encode() for one in caveats))
    return macaroon.to_text(made), now + _LIFE


def _audience(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT value FROM settings WHERE name = 'audience'").fetchone()["value"])


def _flags(db: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in db.execute("SELECT name FROM flags")}


def _json(status: int, data: dict[str, Any]) -> Response:
    text = json.dumps(data, separators=(",", ":"), sort_keys=True)
    return Response(text, status=status, content_type="application/json")

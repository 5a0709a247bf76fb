"""Trusted publishing: `GET /_/oidc/audience`, `POST /_/oidc/mint-token`, `POST /_/oidc/burn-token`.

Source: warehouse 6b62157, `oidc/views.py` and `oidc/services.py`; responses as recorded 2026-11. Burning: warehouse
pull request 20197, "Allow burning of TP tokens".
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import suppress
from typing import Any
from uuid import uuid4

from packaging.utils import canonicalize_name
from werkzeug.wrappers import Response

from release.acceptance.form_rules import NEW_NAME
from release.acceptance.publisher_rules import (
    ClaimError,
    NoPublisherError,
    RegisteredPublisher,
    ReusedError,
    gitlab_issuer,
    match_publisher,
)
from release.acceptance.rule import FileUpload, first_refusal
from release.core.tokens import macaroon
from release.sandbox import index_store
from release.sandbox.auth import token_identifier
from release.sandbox.index_store import admin_flags
from release.sandbox.oidc_provider import decode_part
from release.sandbox.publishers import ISSUERS
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import not_allowed, page_response

AUDIENCE_PATH, EXCHANGE_PATHS = "/_/oidc/audience", ("/_/oidc/mint-token", "/_/oidc/github/mint-token")
BURN_PATH = "/_/oidc/burn-token"
#: lines of a project's security history
TOKEN_ISSUED, TOKEN_REVOKED = "short-lived token created", "short-lived token revoked"
#: seconds for which an issued token is valid
_LIFETIME = 900


class ExchangeError(Exception):
    """No token is issued."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code, self.description = code, description


def audience_response(context: RequestContext) -> Response:
    """Send the audience that identity tokens must name."""
    if context.request.method not in {"GET", "HEAD"}:
        return not_allowed(context.request, "GET")
    with context.store.reading() as db:
        if "disallow-oidc" in admin_flags(db):
            return _json(403, {"message": "Trusted publishing functionality not enabled"})
        return _json(200, {"audience": _audience(db)})


def exchange_token(context: RequestContext) -> Response:
    """Issue an API token for an identity token. What was changed before a refusal is kept."""
    if context.request.method != "POST":
        return not_allowed(context.request, "POST")
    try:
        return _exchange_token(context)
    except ClaimError:
        return page_response(context.request, 500, "Internal Server Error")


def _exchange_token(context: RequestContext) -> Response:
    with context.store.writing() as db:
        try:
            provider, claims = _verify(context, db, _token_in_body(context))
            with suppress(NoPublisherError):
                _create_pending_project(context, db, _match(db, provider, claims, pending=True))
            try:
                publisher = _match(db, provider, claims, pending=False)
            except NoPublisherError as error:
                reason = f"valid token, but no corresponding publisher ({error})"
                raise ExchangeError("invalid-publisher", reason) from None
        except ExchangeError as error:
            errors = [{"code": error.code, "description": error.description}]
            return _json(422, {"message": "Token request failed", "errors": errors})
        if jti := claims.get("jti"):
            db.execute("INSERT OR IGNORE INTO identities VALUES (?)", (jti,))
        token, expires = _issue(context, db, publisher)
    return _json(200, {"success": True, "token": token, "expires": expires})


def burn_token(context: RequestContext) -> Response:
    """Delete a token that `exchange_token` issued. The response never shows whether there was one."""
    if context.request.method != "POST":
        return not_allowed(context.request, "POST")
    with suppress(ExchangeError), context.store.writing() as db:
        _delete_minted(context, db, macaroon.deserialize_leniently(_token_in_body(context)))
    return _json(202, {"message": "Accepted", "errors": []})


def _delete_minted(context: RequestContext, db: sqlite3.Connection, token: macaroon.Macaroon | None) -> None:
    identifier = token_identifier(token) if token is not None else None
    row = db.execute("SELECT publisher FROM minted WHERE id = ?", (identifier,)).fetchone()
    if row is not None:
        db.execute("DELETE FROM minted WHERE id = ?", (identifier,))
        index_store.add_event(db, _projects(db, row["publisher"]), TOKEN_REVOKED, context.now)


# -- the identity -----------------------------------------------------------------------------------


def _token_in_body(context: RequestContext) -> str:
    """Return the token in the body. Raises ExchangeError if there is none."""
    context.request.max_content_length = 1024 * 1024
    data = context.request.get_data()
    try:
        body = json.loads(data)
    except ValueError:
        raise _payload_error("  Invalid JSON: expected value at line 1 column 1", "json_invalid", data) from None
    if not isinstance(body, dict):
        raise _payload_error("  Input should be an object", "model_type", body)
    if "token" not in body:
        raise _payload_error("token\n  Field required", "missing", body)
    if not isinstance(body["token"], str):
        raise _payload_error("token\n  Input should be a valid string", "string_type", body["token"])
    return body["token"]


def _payload_error(problem: str, kind: str, value: object) -> ExchangeError:
    """Make the error that pydantic reports for the body."""
    details = f"[type={kind}, input_value={value!r}, input_type={type(value).__name__}]"
    more = f"    For further information visit https://errors.pydantic.dev/2.13/v/{kind}"
    return ExchangeError("invalid-payload", f"1 validation error for TokenPayload\n{problem} {details}\n{more}")


def _verify(context: RequestContext, db: sqlite3.Connection, token: str) -> tuple[str, dict[str, Any]]:
    """Return the provider and the claims of an identity token with a valid signature, which is valid now."""
    try:
        _, payload, _ = token.split(".")
        issuer = str(json.loads(decode_part(payload))["iss"])
    except (ValueError, KeyError, TypeError):
        raise ExchangeError("invalid-payload", "malformed JWT") from None
    provider = next((name for name, url in ISSUERS.items() if url == issuer), None)
    flags = {"disallow-oidc", f"disallow-{provider}-oidc"}  # the second only for the issuers in `ISSUERS`
    if provider is None and issuer in _gitlab_issuers(db):
        provider = "gitlab"
    if provider is None:
        raise ExchangeError("invalid-payload", "unknown trusted publishing issuer")
    if flags & admin_flags(db):
        raise ExchangeError("not-enabled", f"{provider} trusted publishing functionality not enabled")
    claims = context.identity_provider.verify(token, issuer, _audience(db), context.now)
    if claims is None:
        raise ExchangeError("invalid-token", "malformed or invalid token")
    return provider, claims


def _gitlab_issuers(db: sqlite3.Connection) -> set[str]:
    """Self-managed instances: in a beta since November 2025, organizations on PyPI register theirs."""
    rows = db.execute("SELECT fields FROM publishers WHERE provider = 'gitlab'")
    return {gitlab_issuer(json.loads(row["fields"])) for row in rows}


# -- the publisher ----------------------------------------------------------------------------------


def _create_pending_project(context: RequestContext, db: sqlite3.Connection, publisher: RegisteredPublisher) -> None:
    """Create the project of a pending publisher, which then is an ordinary publisher."""
    row = db.execute("SELECT * FROM publishers WHERE id = ?", (publisher.id,)).fetchone()
    name = row["pending"]
    if index_store.find_project(db, name) is not None:
        db.execute("DELETE FROM publishers WHERE id = ?", (publisher.id,))
        raise ExchangeError("invalid-pending-publisher", "valid token, but project already exists")
    upload = FileUpload(fields={"name": (name,)}, content_type=None, site=context.site)
    refusal = first_refusal(NEW_NAME, upload, index_store.index_names(db, context.now))
    if refusal is not None:
        raise ExchangeError("invalid-payload", refusal.text)
    project = index_store.new_project(name, row["user"])
    index_store.create_project(db, project, context.now)
    db.execute("UPDATE publishers SET pending = NULL WHERE id = ?", (publisher.id,))
    db.execute("INSERT INTO publisher_projects VALUES (?, ?)", (publisher.id, project.id))
    outdated = [
        (other["id"],)
        for other in db.execute("SELECT id, pending FROM publishers WHERE pending IS NOT NULL").fetchall()
        if canonicalize_name(other["pending"]) == project.normalized
    ]
    db.executemany("DELETE FROM publishers WHERE id = ?", outdated)


def _match(db: sqlite3.Connection, provider: str, claims: dict[str, Any], *, pending: bool) -> RegisteredPublisher:
    """Find the publisher. Raises NoPublisherError, and ExchangeError for an identity that was exchanged before."""
    used = db.execute("SELECT 1 FROM identities WHERE jti = ?", (claims.get("jti"),)).fetchone() is not None
    rows = db.execute(
        "SELECT id, fields FROM publishers WHERE provider = ? AND (pending IS NOT NULL) = ? ORDER BY rowid",
        (provider, pending),
    )
    candidates = [RegisteredPublisher(id=row["id"], fields=json.loads(row["fields"])) for row in rows]
    try:
        return match_publisher(candidates, provider, claims, used=used)
    except ReusedError:
        raise ExchangeError("invalid-reuse-token", "invalid token: already used") from None


# -- the token --------------------------------------------------------------------------------------


def _issue(context: RequestContext, db: sqlite3.Connection, publisher: RegisteredPublisher) -> tuple[str, int]:
    """Return a token for the publisher's projects, and when it expires, in unix seconds."""
    now = int(context.now.timestamp())
    projects = _projects(db, publisher.id)
    limits = ([4, publisher.id, None], [2, projects], [0, now + _LIFETIME, now])
    caveats = [json.dumps(one, separators=(",", ":")) for one in limits]
    identifier, key = str(uuid4()), secrets.token_bytes(32)
    location = context.request.host.rpartition(":")[0] or context.request.host
    db.execute("INSERT INTO minted VALUES (?, ?, ?, ?)", (identifier, publisher.id, key, json.dumps(caveats)))
    token = macaroon.create_macaroon(location, identifier.encode(), key, *(one.encode() for one in caveats))
    index_store.add_event(db, projects, TOKEN_ISSUED, context.now)
    return macaroon.to_text(token), now + _LIFETIME


def _projects(db: sqlite3.Connection, publisher: str) -> list[str]:
    """Return the identifiers of a publisher's projects."""
    rows = db.execute("SELECT project FROM publisher_projects WHERE publisher = ? ORDER BY rowid", (publisher,))
    return [row["project"] for row in rows]


def _audience(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT value FROM settings WHERE name = 'audience'").fetchone()["value"])


def _json(status: int, data: dict[str, Any]) -> Response:
    text = json.dumps(data, separators=(",", ":"), sort_keys=True)
    return Response(text, status=status, content_type="application/json")

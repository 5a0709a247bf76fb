"""Asks an index what a token may do, by uploads that can't succeed; and never with the token itself.

What crosses the network is a copy that allows nothing any more, or, where the index is to check
signature and rights, one that is for a single project and two minutes. The forms are made in
`release.core.models.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client
from release.core.errors import ReleaseError, UnreachableError
from release.core.models import probe
from release.core.models.error_response import ServerResponse
from release.core.models.index import Index
from release.core.models.probe import ProbeForm, ProbeResult
from release.core.redaction import Redactor
from release.core.secret import Secret
from release.core.tokens import attenuation
from release.core.tokens.audience import location_matches
from release.core.tokens.token import Token, decode

if TYPE_CHECKING:
    import requests

#: how long the copy lives that may really upload, to one project
PROBE_TOKEN_LIFETIME = timedelta(minutes=2)
#: seconds to connect, seconds of silence in an answer
_TIMEOUT = (10.0, 30.0)
#: bytes of an answer that are read
_BODY = 20_000
_USERNAME = "__token__"
#: what a second attempt can't change
_HOPELESS = {http_errors.TLS, http_errors.PROXY}


class ProbeNotAllowedError(ReleaseError):
    """This token must not be shown to this index, be it as a copy."""


def may_probe(index: Index, token: Secret) -> bool:
    """Whether a copy of the token may be sent: to PyPI's own kind of index, unseen by others, that issued it."""
    told = decode(token)
    private = urlsplit(index.upload_url).scheme == "https" or index.loopback
    return index.kind == "warehouse" and private and isinstance(told, Token) and location_matches(told.location, index)


def probe_identity(index: Index, token: Secret) -> ProbeResult:
    """Whether the index knows the token and its account; says nothing of signature, limits and rights.

    All four raise `NotAskedError`, and `UnreachableError` where no answer came.
    """
    return _ask(index, token, probe.identity_form())


def probe_permission(index: Index, token: Secret, *, name: str, version: str, now: datetime) -> ProbeResult:
    """Whether the token may upload to a project that exists, `name` and `version` as the index has them.

    `now` is the index's time. The copy is for this project, and for `LIFE`.
    """
    _allowed(index, token)
    copy = attenuation.limited_copy(token, name, now=now, lasts=PROBE_TOKEN_LIFETIME)
    return _post(index, copy, probe.permission_form(name, version))


def probe_first_release(index: Index, token: Secret, *, module: str) -> ProbeResult:
    """Whether the account may create a project; `module` is one of `STANDARD_MODULES` that is none."""
    return _ask(index, token, probe.first_release_form(module))


def probe_metadata(index: Index, token: Secret, *, project: str, fields: Iterable[tuple[str, str]]) -> ProbeResult:
    """Whether the index takes a file's metadata; `fields` as the uploader sends them."""
    return _ask(index, token, probe.metadata_form(project, fields))


def _ask(index: Index, token: Secret, form: ProbeForm) -> ProbeResult:
    """With a copy that has expired: the index looks at limits only once it knows the project."""
    _allowed(index, token)
    return _post(index, attenuation.expired_copy(token), form)


def _allowed(index: Index, token: Secret) -> None:
    if not may_probe(index, token):
        raise ProbeNotAllowedError(
            f"this token is not shown to {index.name}",
            remedy=f"use a token made on {index.token_location}, over https",
        )


def _post(index: Index, copy: Secret, form: ProbeForm) -> ProbeResult:
    """One answer. A connection that failed is tried once more: whatever arrived, it had no effect."""
    try:
        reply = _send(index, copy, form)
    except UnreachableError as error:
        if error.cause in _HOPELESS:
            raise
        reply = _send(index, copy, form)
    return ProbeResult(kind=form.kind, project=form.project, reply=reply)


def _send(index: Index, copy: Secret, form: ProbeForm) -> ServerResponse:
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in form.fields]
    if form.content is not None:
        parts.append(("content", (*form.content, "application/octet-stream")))
    with (
        http_client.session(index.upload_url, retries=0) as session,
        session.post(
            index.upload_url,
            files=parts,
            auth=(_USERNAME, copy.reveal()),
            headers={"Accept": "application/json"},
            allow_redirects=False,
            timeout=_TIMEOUT,
            stream=True,
        ) as response,
    ):
        return _reply(response, Redactor([copy]))


def _reply(response: requests.Response, redact: Redactor) -> ServerResponse:
    data = next(response.iter_content(_BODY), b"")
    return ServerResponse(
        status=response.status_code,
        reason=redact(response.reason or ""),
        body=redact(data.decode(response.encoding or "utf-8", "replace")),
        headers={name.lower(): redact(value) for name, value in response.headers.items()},
    )

"""Find out what a token may do, with uploads that cannot succeed. The token itself is never sent.

The index gets an attenuated copy that has expired, or, to have signature and permissions checked, one that is
limited to one project and two minutes. The forms come from `release.core.models.probe`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client, response_limits
from release.adapters.http.response_body import response_text
from release.core.errors import ReleaseError, UnreachableError
from release.core.models import probe
from release.core.models.index import Index
from release.core.models.probe import ProbeForm, ProbeResult, ServerResponse
from release.core.redaction import Redactor
from release.core.secret import Secret
from release.core.tokens.token import Token, decode, expired_copy, limited_copy, location_matches

#: how long the copy is valid that could upload to one project
PROBE_TOKEN_LIFETIME = timedelta(minutes=2)


class ProbeNotAllowedError(ReleaseError):
    """No copy of this token may be sent to this index."""


def may_probe(index: Index, token: Secret) -> bool:
    """Whether a copy of the token may be sent: only to the index that issued it, over https, if it is a warehouse."""
    decoded = decode(token)
    private = urlsplit(index.upload_url).scheme == "https" or index.loopback
    issued_here = isinstance(decoded, Token) and location_matches(decoded.location, index)
    return index.kind == "warehouse" and private and issued_here


def probe_identity(index: Index, token: Secret) -> ProbeResult:
    """Whether the index knows the token and its account; signature, caveats and permissions are not checked.

    All four probes raise `ProbeNotAllowedError`, and `UnreachableError` where no response came.
    """
    return _ask(index, token, probe.identity_form())


def probe_permission(index: Index, token: Secret, *, name: str, version: str, now: datetime) -> ProbeResult:
    """Whether the token may upload to an existing project, with `name` and `version` as the index spells them.

    `now` is the time of the index. The copy is limited to this project and to `PROBE_TOKEN_LIFETIME`.
    """
    _allowed(index, token)
    copy = limited_copy(token, name, now=now, lasts=PROBE_TOKEN_LIFETIME)
    return _post(index, copy, probe.permission_form(name, version))


def probe_first_release(index: Index, token: Secret, *, module: str) -> ProbeResult:
    """Whether the account may create a project; `module` is one of `STANDARD_MODULES` that is not a project."""
    return _ask(index, token, probe.first_release_form(module))


def probe_metadata(index: Index, token: Secret, *, project: str, fields: Iterable[tuple[str, str]]) -> ProbeResult:
    """Whether the index accepts a file's metadata; `fields` as the uploader sends them."""
    return _ask(index, token, probe.metadata_form(project, fields))


def _ask(index: Index, token: Secret, form: ProbeForm) -> ProbeResult:
    """With an expired copy: the index checks caveats only once it knows the project."""
    _allowed(index, token)
    return _post(index, expired_copy(token), form)


def _allowed(index: Index, token: Secret) -> None:
    if not may_probe(index, token):
        raise ProbeNotAllowedError(
            f"this token may not be sent to {index.name}",
            remedy=f"use a token created on {index.token_location}, over https",
        )


def _post(index: Index, copy: Secret, form: ProbeForm) -> ProbeResult:
    """The response. A failed connection is retried once, which is safe: a probe has no effect."""
    try:
        reply = _send(index, copy, form)
    except UnreachableError as error:
        if error.cause in {http_errors.TLS, http_errors.PROXY}:
            raise  # a retry is useless
        reply = _send(index, copy, form)
    return ProbeResult(kind=form.kind, project=form.project, reply=reply)


def _send(index: Index, copy: Secret, form: ProbeForm) -> ServerResponse:
    redact = Redactor([copy])
    with http_client.session(index.upload_url, retries=0, limits=response_limits.UPLOAD) as session:
        body, content_type = _encoded(form)
        headers = {"Accept": "application/json", "Content-Type": content_type}
        auth = "__token__", copy.reveal()
        with session.post(
            index.upload_url, data=body, auth=auth, headers=headers, allow_redirects=False, stream=True
        ) as response:
            data = next(response.iter_content(20_000), b"")  # the beginning: a proxy's page may be of any size
            return ServerResponse(
                status=response.status_code,
                reason=redact(response.reason or ""),
                body=redact(response_text(response, data)),
                headers={name.lower(): redact(value) for name, value in response.headers.items()},
            )


@lru_cache(maxsize=8)  # the form that asks whether a token is known is the same for all tokens
def _encoded(form: ProbeForm) -> tuple[bytes, str]:
    """The body of a request with the form, and its type."""
    files = () if form.content is None else (("content", (*form.content, "application/octet-stream")),)
    return http_client.encode_form((*form.fields, *files))

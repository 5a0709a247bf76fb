"""The application: from an address to its answer."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Request, Response

from release.sandbox import attestations, file_downloads, json_endpoints, oidc_exchange, oidc_provider, simple_endpoints
from release.sandbox.index_store import Store
from release.sandbox.multipart import InvalidFormError, receive_form
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.projects import newest_release
from release.sandbox.request_context import INDEX_FAULTS_KEY, LOG_FIELDS_KEY, IndexFaults, LogFields, RequestContext
from release.sandbox.responses import error_response, not_allowed, not_found
from release.sandbox.upload import handle_upload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READING = "GET, HEAD, OPTIONS"
#: the largest header that PyPI's upload workers take. Source: warehouse, `gunicorn-uploads.conf.py`
_HEADER = 8190 * 4
_GONE = {
    "submit": "Project pre-registration is no longer required or supported, upload your files instead.",
    "submit_pkg_info": "Project pre-registration is no longer required or supported, upload your files instead.",
    "doc_upload": "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/.",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>{title}</title></head>
  <body><h1>{title}</h1><p>{text}</p></body>
</html>
"""


def application(store: Store, clock: Callable[[], datetime], issuer: IdentityProvider | None = None) -> WSGIApplication:
    """The index in `store`, as a WSGI application. `clock` gives the time, aware, UTC.

    `issuer` is the service whose identity tokens it trusts, and which it plays itself.
    """
    issuer = issuer or IdentityProvider()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = RequestContext(
            request=Request(environ),
            store=store,
            now=clock(),
            clock=clock,
            issuer=issuer,
            notes=environ.get(LOG_FIELDS_KEY) or LogFields(),
            trouble=environ.get(INDEX_FAULTS_KEY) or IndexFaults(),
        )
        response = _unfit(call) or _routed(call)
        response.headers.pop("Date", None)  # the server gives one to every answer
        if response.status.isupper():  # werkzeug's way with phrases, not PyPI's
            response.status = f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
        return response(environ, start_response)

    return serve


def _unfit(call: RequestContext) -> Response | None:
    """What is refused for its form, whatever it asks for."""
    request = call.request
    if any(len(value) > _HEADER for _, value in request.headers):
        return error_response(request, 431, "Request Header Fields Too Large", detail="")
    if request.headers.get("X-Forwarded-Proto") == "http" and request.method not in {"GET", "HEAD"}:
        return Response(
            "SSL is required.", status="403 SSL is required", content_type="text/plain; charset=UTF-8",
            headers=[("X-Fastly-Error", "803")],
        )  # fmt: skip
    path, _, query = request.environ.get("RAW_URI", "").partition("?")
    for text, what in ((query, "query string"), (path, "URL")):
        try:
            unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            return error_response(request, 400, f"Invalid bytes in {what}.", detail=f"Invalid bytes in {what}.")
    return None


def _routed(call: RequestContext) -> Response:
    path = call.request.path
    if path in {"/legacy/", "/legacy"}:
        return _upload_address(call, path)
    if path in {"/pypi", "/pypi/"} and call.request.method == "POST":
        words = f"This API has moved to {call.site}/legacy/. See TODO for more information."
        return error_response(call.request, 410, words, detail=words)
    if path == oidc_exchange.AUDIENCE:
        return oidc_exchange.audience_response(call)
    if path in oidc_exchange.MINT:
        return oidc_exchange.exchange_token(call.at_work())
    if path == oidc_provider.PATH and call.request.method == "GET":
        return call.issuer.answer(call.request, call.now)
    for pattern, handler in _ROUTES:
        if found := pattern.fullmatch(path):
            if call.request.method not in {"GET", "HEAD", "OPTIONS"}:
                return not_allowed(call.request, _READING)
            return handler(call.at_work(), **found.groupdict())
    return not_found(call.request)


def _upload_address(call: RequestContext, path: str) -> Response:
    request = call.request
    if path == "/legacy":
        if request.method != "POST":
            return not_found(request)
        words = "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)"
        return error_response(request, 308, words, detail=words, headers=[("Location", f"{call.site}/legacy/")])
    if request.method != "POST":
        return _acted(call, request.args.get(":action"))
    if call.trouble.clash:
        with call.store.reading() as db:
            call = replace(call, newest_release=newest_release(db))
    try:
        with receive_form(request, call.store.incoming, full=call.trouble.full is not None) as form:
            action = request.args.get(":action") or form.last(":action")
            return handle_upload(call.at_work(), form) if action == "file_upload" else _acted(call, action)
    except InvalidFormError:
        return error_response(request, 400, "Invalid Form Data.", detail="Invalid Form Data.")
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        status = HTTPStatus(call.trouble.full or HTTPStatus.INSUFFICIENT_STORAGE)
        return error_response(request, status, status.phrase, detail="")


def _acted(call: RequestContext, action: str | None) -> Response:
    """Everything at the upload address that is no upload."""
    request = call.request
    if action in _GONE:
        return error_response(request, 410, _GONE[action], detail=_GONE[action])
    if action == "file_upload":
        return not_allowed(request, "POST")
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        return not_allowed(request, _READING)
    return _page("Upload address", "Files are posted here, by twine for instance.")


def _home(call: RequestContext) -> Response:
    return _page("Sandbox index", f"Upload to {call.site}/legacy/, install from {call.site}/simple/.")


def _page(title: str, text: str) -> Response:
    return Response(_PAGE.format(title=title, text=text), content_type="text/html; charset=UTF-8")


_NAME = r"(?P<name>[^/]+)"
_ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Response]], ...] = (
    (re.compile("/"), _home),
    (re.compile("/simple/"), simple_endpoints.simple_index),
    (re.compile(f"/simple/{_NAME}(?P<slash>/?)"), simple_endpoints.simple_project),
    (re.compile(f"/pypi/{_NAME}/json/?"), json_endpoints.project_json),
    (re.compile(f"/pypi/{_NAME}/(?P<version>[^/]+)/json/?"), json_endpoints.project_json),
    (
        re.compile(f"/integrity/{_NAME}/(?P<version>[^/]+)/(?P<filename>[^/]+)/provenance"),
        attestations.provenance_response,
    ),
    (
        re.compile("/packages/(?P<digest>[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]+)/(?P<filename>[^/]+)"),
        file_downloads.download_file,
    ),
)

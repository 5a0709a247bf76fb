"""The WSGI application: general checks of a request, and routing from its path to a handler."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace
from werkzeug.wrappers import Request, Response

from release.acceptance.rule import SERVER_ERROR
from release.sandbox import attestations, json_endpoints, oidc_exchange, oidc_provider, project_endpoints, project_pages
from release.sandbox.index_store import Store, newest_release
from release.sandbox.multipart import FailingFormError, InvalidFormError, UploadForm, receive_form
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.request_context import INDEX_FAULTS_KEY, LOG_FIELDS_KEY, IndexFaults, LogFields, RequestContext
from release.sandbox.responses import not_allowed, not_found, page_response, reason_phrase
from release.sandbox.stages import STAGES_PATH, Stages
from release.sandbox.upload import handle_upload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_READ_METHODS = {"GET", "HEAD", "OPTIONS"}
_ALLOW_READ = "GET, HEAD, OPTIONS"
#: the longest header that PyPI's upload workers accept. Source: warehouse, `gunicorn-uploads.conf.py`
_MAX_HEADER = 8190 * 4
_NO_REGISTRATION = "Project pre-registration is no longer required or supported, upload your files instead."
_GONE = {
    "submit": _NO_REGISTRATION,
    "submit_pkg_info": _NO_REGISTRATION,
    "doc_upload": "Uploading documentation is no longer supported, we recommend using https://readthedocs.org/.",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>{title}</title></head>
  <body><h1>{title}</h1><p>{text}</p></body>
</html>
"""


def application(
    store: Store, clock: Callable[[], datetime], identity_provider: IdentityProvider, *, staged: bool = False
) -> WSGIApplication:
    """Make the WSGI application of the index in `store`. `clock` returns the time, aware, UTC.

    `staged`: it has staged releases, which no other index has yet.
    """
    stages = Stages(lambda stage: application(stage, clock, identity_provider)) if staged else None

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = stages.application(environ["PATH_INFO"]) if stages else None
        if found:
            prefix, of_stage = found
            return of_stage(_below(environ, prefix), start_response)
        context = RequestContext(
            request=Request(environ),
            store=store,
            now=clock(),
            clock=clock,
            identity_provider=identity_provider,
            log_fields=environ.get(LOG_FIELDS_KEY) or LogFields(),
            faults=environ.get(INDEX_FAULTS_KEY) or IndexFaults(),
        )
        in_stages = stages and context.request.path.startswith(STAGES_PATH)
        response = _malformed(context) or (stages.response(context) if stages and in_stages else _route(context))
        response.headers.pop("Date", None)  # the server adds one to every response
        if response.status.isupper():  # werkzeug writes reason phrases in upper case, PyPI does not
            response.status = f"{response.status_code} {reason_phrase(response.status_code)}"
        return response(environ, start_response)

    return serve


def _below(environ: WSGIEnvironment, prefix: str) -> WSGIEnvironment:
    """The environment for an application that is mounted at `prefix`."""
    moved = {"SCRIPT_NAME": prefix, "PATH_INFO": environ["PATH_INFO"].removeprefix(prefix)}
    return {**environ, **moved, "RAW_URI": environ.get("RAW_URI", "").removeprefix(prefix)}


def _malformed(context: RequestContext) -> Response | None:
    """Refuse a malformed request to any path."""
    request = context.request
    if any(len(value) > _MAX_HEADER for _, value in request.headers):
        return page_response(request, 431, "Request Header Fields Too Large")
    if request.headers.get("X-Forwarded-Proto") == "http" and request.method not in {"GET", "HEAD"}:
        return Response(
            "SSL is required.", status="403 SSL is required", content_type="text/plain; charset=UTF-8",
            headers=[("X-Fastly-Error", "803")],
        )  # fmt: skip
    path, _, query = request.environ.get("RAW_URI", "").partition("?")
    for text, part in ((query, "query string"), (path, "URL")):
        try:
            unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            return _bad_request(request, f"Invalid bytes in {part}.")
    return None


def _route(context: RequestContext) -> Response:
    path, method = context.request.path, context.request.method
    if path in {"/legacy/", "/legacy"}:
        return _upload_endpoint(context, path)
    if path in {"/pypi", "/pypi/"} and method == "POST":
        text = f"This API has moved to {context.site}/legacy/. See TODO for more information."
        return _error(context.request, 410, text)
    if path == oidc_exchange.AUDIENCE_PATH:
        return oidc_exchange.audience_response(context)
    if path in oidc_exchange.EXCHANGE_PATHS:
        return oidc_exchange.exchange_token(context.after_work())
    if path == oidc_exchange.BURN_PATH:
        return oidc_exchange.burn_token(context.after_work())
    if path == oidc_provider.PATH and method == "GET":
        return context.identity_provider.token_response(context.request, context.now)
    for pattern, handler in _ROUTES:
        if match := pattern.fullmatch(path):
            if method not in _READ_METHODS:
                return not_allowed(context.request, _ALLOW_READ)
            return handler(context.after_work(), **match.groupdict())
    return not_found(context.request)


def _upload_endpoint(context: RequestContext, path: str) -> Response:
    request = context.request
    if path == "/legacy":
        if request.method != "POST":
            return not_found(request)
        text = "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)"
        return page_response(request, 308, text, detail=text, headers=[("Location", f"{context.site}/legacy/")])
    if context.faults.clash and request.method == "POST":
        with context.store.reading() as db:
            context = replace(context, newest_release=newest_release(db))
    try:
        with receive_form(request, context.store.incoming, full=context.faults.full is not None) as form:
            action = _action(request, form)
            if action == "file_upload" and request.method == "POST":
                return handle_upload(context.after_work(), form)
            return _other_action(context, action, is_clear=len(set(form.actions)) < 2)  # noqa: PLR2004 - one value
    except InvalidFormError:
        return _bad_request(request, "Invalid Form Data.")
    except FailingFormError:
        return page_response(request, 500, SERVER_ERROR)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        status = HTTPStatus(context.faults.full or HTTPStatus.INSUFFICIENT_STORAGE)
        return page_response(request, status, status.phrase)


def _action(request: Request, form: UploadForm) -> str | None:
    """The last value counts; those in the query come before those in the form, with every method."""
    values = (*form.actions, *request.args.getlist(":action"))
    return values[-1] if values else None


def _other_action(context: RequestContext, action: str | None, *, is_clear: bool) -> Response:
    """Answer a request to the upload URL that is not an upload. `is_clear`: the form has one value for the action."""
    request = context.request
    if action in _GONE and request.method == "POST":
        # Observed: warehouse 6b62157, 2026-11; why it answers so is not known
        return _error(request, 410, _GONE[action]) if is_clear else page_response(request, 400, "Bad Request")
    if action in {*_GONE, "file_upload"}:
        return not_allowed(request, "POST")
    if request.method not in _READ_METHODS:
        return not_allowed(request, _ALLOW_READ)
    return _page("Upload URL", "Clients such as twine upload files here with POST.")


def _home(context: RequestContext) -> Response:
    return _page("Sandbox index", f"Upload to {context.site}/legacy/, install from {context.site}/simple/.")


def _page(title: str, text: str) -> Response:
    return Response(_PAGE.format(title=title, text=text), content_type="text/html; charset=UTF-8")


def _bad_request(request: Request, text: str) -> Response:
    """Refuse what no view has read yet: the text is in the body only."""
    return page_response(request, 400, "Bad Request", detail=text)


def _error(request: Request, status: int, text: str) -> Response:
    return page_response(request, status, text, detail=text)


_NAME = r"(?P<name>[^/]+)"
_ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Response]], ...] = (
    (re.compile("/"), _home),
    (re.compile("/simple/"), project_endpoints.simple_index),
    (re.compile(f"/simple/{_NAME}(?P<slash>/?)"), project_endpoints.simple_project),
    (re.compile(f"/pypi/{_NAME}/json(?P<slash>/?)"), json_endpoints.project_json),
    (re.compile(f"/pypi/{_NAME}/(?P<version>[^/]+)/json(?P<slash>/?)"), json_endpoints.project_json),
    (re.compile(f"/project/{_NAME}(?P<slash>/?)"), project_pages.project_page),
    (re.compile(f"/project/{_NAME}/(?P<version>[^/]+)(?P<slash>/?)"), project_pages.project_page),
    (
        re.compile(f"/integrity/{_NAME}/(?P<version>[^/]+)/(?P<filename>[^/]+)/provenance"),
        attestations.provenance_response,
    ),
    (
        re.compile("/packages/(?P<digest>[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]+)/(?P<filename>[^/]+)"),
        project_endpoints.file_response,
    ),
)

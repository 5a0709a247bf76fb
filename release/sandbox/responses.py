"""Status lines and bodies as PyPI writes them: the message is in the reason phrase and in the body.

The body follows `Accept`: a page, `{"message", "code", "title"}`, or plain text.
Source: Pyramid's `HTTPException.prepare`. Observed: warehouse 6b62157, 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from http import HTTPStatus

from werkzeug.wrappers import Request, Response

from release.acceptance.rule import Refusal

_EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    409: "There was a conflict when trying to complete your request.",
    410: "This resource is no longer available.  No forwarding address is given.",
    429: "The action could not be performed because there were too many requests by the client.",
    500: "The server has either erred or is incapable of performing the requested operation.",
}
#: what Pyramid calls statuses that `http.HTTPStatus` names otherwise, some of them from Python 3.13 on
_PHRASES = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Request Range Not Satisfiable",
    422: "Unprocessable Entity",
}
_PAGE = (
    "<html>\n <head>\n  <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n  {body}\n </body>\n</html>"
)
_HEADERS = (("Referrer-Policy", "origin-when-cross-origin"), ("Vary", "Cookie, Authorization, PyPI-Locale"))
#: any page may read the API. Source: warehouse, `utils/cors.py`
CORS_HEADERS = (
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Allow-Headers",
        "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since",
    ),
    ("Access-Control-Allow-Methods", "GET"),
    ("Access-Control-Max-Age", "86400"),
    ("Access-Control-Expose-Headers", "X-PyPI-Last-Serial"),
)
Headers = Iterable[tuple[str, str]]


def reason_phrase(status: int) -> str:
    """The usual reason phrase of a status, on every Python."""
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def refusal_response(request: Request, refusal: Refusal, headers: Headers = ()) -> Response:
    only_in_status_line = refusal.rule == "the-username-is-token" or refusal.status == HTTPStatus.INTERNAL_SERVER_ERROR
    detail = "" if only_in_status_line else refusal.text
    return page_response(request, refusal.status, refusal.text, detail=detail, headers=headers)


def not_allowed(request: Request, allow: str) -> Response:
    return page_response(request, 405, "Method Not Allowed", headers=[("Allow", allow)])


def not_found(request: Request) -> Response:
    return page_response(request, 404, "Not Found")


def json_message(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status=status, content_type="application/json")


def page_response(request: Request, code: int, phrase: str, *, detail: str = "", headers: Headers = ()) -> Response:
    """Make a response. `detail` is for the body only; the status line replaces characters outside Latin-1."""
    # a status line holds one line of Latin-1
    status = f"{code} {(phrase.splitlines() or [''])[0].encode('latin-1', 'replace').decode('latin-1')}"
    explanation = _EXPLANATIONS.get(code, "")
    if code == HTTPStatus.METHOD_NOT_ALLOWED:
        explanation = f"The method {request.method} is not allowed for this resource. "
    kind = "text/html"
    if request.accept_mimetypes:
        kind = request.accept_mimetypes.best_match(["text/html", "application/json"]) or "text/plain"
    if kind == "text/html":
        body = _PAGE.format(status=status, body=_body(escape(explanation), escape(detail), "<br/>"))
    elif kind == "application/json":
        message = _body(explanation, detail, "\n")
        body = json.dumps({"message": message, "code": status, "title": reason_phrase(code)})
    else:
        body = f"{status}\n\n{_body(explanation, detail, chr(10))}"
    content_type = kind if kind == "application/json" else f"{kind}; charset=UTF-8"
    return Response(body, status=status, headers=[*_HEADERS, *headers], content_type=content_type)


def _body(explanation: str, detail: str, line_break: str) -> str:
    return f"{explanation}{line_break}{line_break}\n{detail}\n\n"

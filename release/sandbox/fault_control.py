"""The control address: faults put in and taken away while the index runs.

Its path holds a secret of this run, so that no page in a browser on this machine can find it; it is in no log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from release.core.errors import UsageError
from release.sandbox import fault_json
from release.sandbox.fault_state import ActiveFaults
from release.sandbox.faults import Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: bytes of a request; more than any list of faults
_MOST = 16 * 1024 * 1024


class FaultControl:
    """WSGI middleware: `path` is answered here and is not counted as a request to the index."""

    def __init__(self, application: WSGIApplication, faults: ActiveFaults, path: str) -> None:
        self._application, self._faults, self._path = application, faults, path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self._path:
            return self._application(environ, start_response)
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        act: Callable[[], None] | None = {
            "GET": lambda: None,
            "POST": lambda: self._faults.inject(*_sent(request)),
            "DELETE": self._faults.clear,
        }.get(request.method)
        if act is None:
            return _said({"message": "the method is not allowed", "remedy": "use GET, POST or DELETE"}, 405)
        try:
            act()
        except UsageError as error:
            return _said({"message": error.message, "remedy": error.remedy}, 400)
        return _said({"faults": [fault_status_to_json(*one) for one in self._faults.now()]}, 200)


def fault_status_to_json(fault: Fault, met: int, struck: int) -> dict[str, Any]:
    """A fault as it was given, and what became of it: the requests that it fitted, and those that it struck."""
    return fault_json.fault_to_json(fault) | {"met": met, "struck": struck}


def _sent(request: Request) -> tuple[Fault, ...]:
    request.max_content_length = _MOST
    return fault_json.parse_faults(request.get_data())


def _said(data: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(data, indent=2) + "\n", status=status, content_type="application/json")

"""WSGI middleware for faults: one applies them to requests, one controls them over HTTP while the index runs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator, get_content_length

from release.core.errors import UsageError
from release.sandbox.connection import CHUNK, CONNECTION_KEY, Connection, ConnectionDroppedError, Sleep, Throttle
from release.sandbox.fault_json import fault_to_json, parse_faults
from release.sandbox.faults import (
    ActiveFaults,
    CannedResponse,
    Clash,
    DiskFull,
    Drop,
    DropMode,
    Fault,
    RequestTarget,
    Slow,
    Stale,
)
from release.sandbox.multipart import peek_names
from release.sandbox.request_context import INDEX_FAULTS_KEY, LOG_FIELDS_KEY, IndexFaults
from release.sandbox.responses import reason_phrase

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PROJECT_PATH = re.compile(r"/(?:simple|pypi|integrity)/(?P<project>[^/]+)(?:/.*)?")
_FILE_PATH = re.compile(r"/(?:packages|integrity)/.*/(?P<filename>[^/]+?)(?:\.metadata|/provenance)?")


class FaultMiddleware:
    """Applies active faults. `clock` returns the time, aware, UTC; `sleep` takes seconds."""

    def __init__(
        self, application: WSGIApplication, faults: ActiveFaults, clock: Callable[[], datetime], sleep: Sleep
    ) -> None:
        self._application, self._faults, self._clock, self._sleep = application, faults, clock, sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        application = self._application
        if self._faults:
            target, log = _request_target(environ, read_form=self._faults.reads_form), environ[LOG_FIELDS_KEY]
            faults = self._faults.match(target)
            log.faults = tuple(fault.label for fault in faults)
            log.project, log.filename = target.project, target.filename  # the index may not get to set them
            application = self._with_faults(environ, faults)
        return application(environ, start_response)

    def _with_faults(self, environ: WSGIEnvironment, faults: tuple[Fault, ...]) -> WSGIApplication:
        """Wrap the application in these faults."""
        effects = [fault.what for fault in faults]
        slow = [one for one in effects if isinstance(one, Slow)]
        work, application = sum(one.work for one in slow), self._application
        environ[INDEX_FAULTS_KEY] = IndexFaults(
            stale=max((one.seconds for one in effects if isinstance(one, Stale)), default=0),
            full=next((one.status for one in effects if isinstance(one, DiskFull)), None),
            clash=any(isinstance(one, Clash) for one in effects),
            work=partial(self._sleep, work) if work else None,
        )
        if response := next((one for one in effects if isinstance(one, CannedResponse)), None):
            application = partial(_respond, application, response, self._clock)
        if drop := next((one for one in effects if isinstance(one, Drop)), None):
            application = partial(_drop, application, drop)
        return partial(_slow_down, application, slow, self._sleep) if slow else application


def _request_target(environ: WSGIEnvironment, *, read_form: bool) -> RequestTarget:
    """Describe a request. With `read_form`, the beginning of a posted form is read and put back."""
    method = environ["REQUEST_METHOD"]
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    if method == "POST" and read_form:
        name, filename = peek_names(environ)
    else:
        project, file = _PROJECT_PATH.fullmatch(path), _FILE_PATH.fullmatch(path)
        name, filename = project and project["project"], file and file["filename"]
    return RequestTarget(method=method, path=path, project=name, filename=filename)


def _slow_down(
    application: WSGIApplication,
    slow: list[Slow],
    sleep: Sleep,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    connection: Connection = environ[CONNECTION_KEY]
    up, down = [one.up for one in slow if one.up], [one.down for one in slow if one.down]
    at_start, before_response = sum(one.connection for one in slow), sum(one.answer for one in slow)
    if at_start and connection.number == 1:
        sleep(at_start)
    connection.up = Throttle(min(up), sleep) if up else None

    def begin(status: str, *more: object) -> Callable[[bytes], object]:
        if before_response:
            sleep(before_response)
        connection.down = Throttle(min(down), sleep) if down else None
        return start_response(status, *more)  # type: ignore[arg-type] # passed on unchanged

    return application(environ, begin)


def _respond(
    application: WSGIApplication,
    canned: CannedResponse,
    clock: Callable[[], datetime],
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    if canned.stored:
        _process(application, environ)
    else:
        _discard_body(environ)
    known = canned.status in HTTPStatus._value2member_map_
    line = f"{canned.status} {canned.reason or (reason_phrase(canned.status) if known else 'Unknown')}"
    headers = Headers(dict(canned.headers))
    if canned.retry_after is not None:
        headers["Retry-After"] = str(canned.retry_after)
    if canned.retry_date is not None:
        headers["Retry-After"] = format_datetime(clock() + timedelta(seconds=canned.retry_date), usegmt=True)
    headers.setdefault("Content-Type", "text/plain; charset=UTF-8")
    body = f"{line}\n" if canned.body is None else canned.body
    return Response(body, status=line, headers=headers)(environ, start_response)


def _drop(
    application: WSGIApplication, drop: Drop, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    if drop.at == "in-reply":
        return _half_a_response(application, drop.how, environ, start_response)
    if drop.at == "in-body":
        _discard_body(environ, (get_content_length(environ) or CHUNK) // 2)
    elif drop.at == "after-body":
        _discard_body(environ)
    elif drop.at == "after-work":
        _process(application, environ)
    raise ConnectionDroppedError(drop.how)


def _half_a_response(
    application: WSGIApplication, how: DropMode, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    length = 0

    def begin(status: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
        nonlocal length
        length = int(dict(headers).get("Content-Length", 0))
        return start_response(status, headers, *more)  # type: ignore[arg-type] # passed on unchanged

    def half() -> Iterator[bytes]:
        left = length // 2
        for data in chain([b""], body):  # the empty piece sends the head
            yield data[:left]
            left -= len(data)
            if left <= 0 < len(data):
                break
        raise ConnectionDroppedError(how)

    body = application(environ, begin)
    return ClosingIterator(half(), getattr(body, "close", None))


def _process(application: WSGIApplication, environ: WSGIEnvironment) -> None:
    """Let the index process the request, and discard its response."""

    def discard(*_: object) -> Callable[[bytes], object]:
        return lambda _: None

    with closing(ClosingIterator(application(environ, discard))) as body:
        for _ in body:
            pass


def _discard_body(environ: WSGIEnvironment, limit: int = sys.maxsize) -> None:
    """Read the body, or `limit` bytes of it, and discard it."""
    while limit > 0 and (data := environ["wsgi.input"].read(min(CHUNK, limit))):
        limit -= len(data)


class FaultControl:
    """Answers requests to `path` with the active faults; POST adds faults, DELETE removes them.

    They are neither counted nor logged as requests to the index. The path holds a secret of this run, so that no page
    in a browser on this machine can find it.
    """

    def __init__(self, application: WSGIApplication, faults: ActiveFaults, path: str) -> None:
        self._application, self._faults, self._path = application, faults, path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != self._path:
            return self._application(environ, start_response)
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        try:
            match request.method:
                case "GET":
                    pass
                case "POST":
                    request.max_content_length = 16 * 1024 * 1024  # more than any list of faults
                    self._faults.inject(*parse_faults(request.get_data()))
                case "DELETE":
                    self._faults.clear()
                case _:
                    return _json(
                        405, message=f"method {request.method!r} is not allowed", remedy="use GET, POST or DELETE"
                    )
        except UsageError as error:
            return _json(400, message=error.message, remedy=error.remedy)
        faults = [
            fault_to_json(fault) | {"met": matched, "struck": applied}
            for fault, matched, applied in self._faults.counts()
        ]
        return _json(200, faults=faults)


def _json(status: int, **data: Any) -> Response:
    return Response(json.dumps(data, indent=2) + "\n", status=status, content_type="application/json")

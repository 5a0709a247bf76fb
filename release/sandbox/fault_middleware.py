"""WSGI middleware that lets faults strike: it delays, breaks and replaces what the application answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from itertools import chain
from typing import IO, TYPE_CHECKING

from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator, get_content_length

from release.sandbox.connection import CONNECTION_KEY, STEP, Connection, ConnectionDroppedError, Sleep, Throttle
from release.sandbox.fault_state import ActiveFaults
from release.sandbox.fault_target import request_target
from release.sandbox.faults import CannedResponse, Clash, DiskFull, Drop, DropMode, Effect, Fault, Slow, Stale
from release.sandbox.request_context import INDEX_FAULTS_KEY, LOG_FIELDS_KEY, IndexFaults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class FaultMiddleware:
    """An application that meets faults. `clock` gives the time, aware, UTC; `sleep` takes seconds."""

    def __init__(
        self, application: WSGIApplication, faults: ActiveFaults, clock: Callable[[], datetime], sleep: Sleep
    ) -> None:
        self._application, self._faults, self._clock, self._sleep = application, faults, clock, sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        application = self._application
        if self._faults:
            about, notes = request_target(environ, look_inside=self._faults.looks_inside), environ[LOG_FIELDS_KEY]
            struck = self._faults.strike(about)
            notes.faults = tuple(fault.label for fault in struck)
            notes.project, notes.filename = about.project, about.filename  # the index may never come to name them
            application = self._struck(environ, struck)
        return application(environ, start_response)

    def _struck(self, environ: WSGIEnvironment, struck: tuple[Fault, ...]) -> WSGIApplication:
        """The application as these faults leave it."""
        whats = [fault.what for fault in struck]
        slow = [one for one in whats if isinstance(one, Slow)]
        application = self._application
        environ[INDEX_FAULTS_KEY] = self._trouble(whats, slow)
        if answer := next((one for one in whats if isinstance(one, CannedResponse)), None):
            application = _answering(application, answer, self._clock)
        if drop := next((one for one in whats if isinstance(one, Drop)), None):
            application = _dropping(application, drop)
        return _slowed(application, slow, self._sleep) if slow else application

    def _trouble(self, whats: list[Effect], slow: list[Slow]) -> IndexFaults:
        work = sum(one.work for one in slow)
        return IndexFaults(
            stale=max((one.seconds for one in whats if isinstance(one, Stale)), default=0),
            full=next((one.status for one in whats if isinstance(one, DiskFull)), None),
            clash=any(isinstance(one, Clash) for one in whats),
            work=(lambda: self._sleep(work)) if work else None,
        )


def _slowed(application: WSGIApplication, slow: list[Slow], sleep: Sleep) -> WSGIApplication:
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        wire: Connection = environ[CONNECTION_KEY]
        up, down = [one.up for one in slow if one.up], [one.down for one in slow if one.down]
        connection, answer = sum(one.connection for one in slow), sum(one.answer for one in slow)
        if connection and wire.number == 1:
            sleep(connection)
        wire.up = Throttle(min(up), sleep) if up else None

        def begin(status: str, *more: object) -> Callable[[bytes], object]:
            if answer:
                sleep(answer)
            wire.down = Throttle(min(down), sleep) if down else None
            return start_response(status, *more)  # type: ignore[arg-type] # passed on as it came

        return application(environ, begin)

    return serve


def _answering(application: WSGIApplication, answer: CannedResponse, clock: Callable[[], datetime]) -> WSGIApplication:
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if answer.stored:
            _work(application, environ)
        else:
            _read(environ)
        return _response(answer, clock())(environ, start_response)

    return serve


def _response(answer: CannedResponse, now: datetime) -> Response:
    known = answer.status in HTTPStatus._value2member_map_
    line = f"{answer.status} {answer.reason or (HTTPStatus(answer.status).phrase if known else 'Unknown')}"
    headers = dict(answer.headers)
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if answer.retry_date is not None:
        headers["Retry-After"] = format_datetime(now + timedelta(seconds=answer.retry_date), usegmt=True)
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    response = Response(
        answer.body if answer.body is not None else f"{line}\n",
        headers=[(name, value) for name, value in headers.items() if name.lower() != "content-type"],
        content_type=content_type or "text/plain; charset=UTF-8",
    )
    response.status = line
    return response


def _dropping(application: WSGIApplication, drop: Drop) -> WSGIApplication:
    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if drop.at == "in-reply":
            return _half_a_reply(application, drop.how, environ, start_response)
        if drop.at == "in-body":
            _read(environ, most=(get_content_length(environ) or STEP) // 2)
        elif drop.at == "after-body":
            _read(environ)
        elif drop.at == "after-work":
            _work(application, environ)
        raise ConnectionDroppedError(drop.how)

    return serve


def _half_a_reply(
    application: WSGIApplication, how: DropMode, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    length = 0

    def begin(status: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
        nonlocal length
        length = int(dict(headers).get("Content-Length", 0))
        return start_response(status, headers, *more)  # type: ignore[arg-type] # passed on as it came

    def half() -> Iterator[bytes]:
        room = length // 2
        for data in chain([b""], body):  # the empty piece sends the head
            yield data[:room]
            room -= len(data)
            if room <= 0 < len(data):
                break
        raise ConnectionDroppedError(how)

    body = application(environ, begin)
    return ClosingIterator(half(), getattr(body, "close", None))


def _work(application: WSGIApplication, environ: WSGIEnvironment) -> None:
    """Let the index do its work; nobody hears its answer."""

    def unheard(*_: object) -> Callable[[bytes], object]:
        return lambda _: None

    with closing(ClosingIterator(application(environ, unheard))) as body:
        for _ in body:
            pass


def _read(environ: WSGIEnvironment, most: int | None = None) -> None:
    """Read the body, or so many bytes of it, and forget it."""
    stream: IO[bytes] = environ["wsgi.input"]
    left = most
    while left is None or left > 0:
        data = stream.read(STEP if left is None else min(STEP, left))
        if not data:
            return
        left = left if left is None else left - len(data)

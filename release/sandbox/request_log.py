"""The log of all requests, one JSON line each. It holds no secrets: no header, no query and no other form field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected

from release.sandbox.connection import ConnectionDroppedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: where the log fields of a request are, in the WSGI environment
LOG_FIELDS_KEY = "release.sandbox.log_fields"


@dataclass(slots=True, kw_only=True)
class LogFields:
    """What is found out about a request while it is answered."""

    #: the account; None if the token was not known
    username: str | None = None
    #: as in the form or the URL; None if neither names one
    project: str | None = None
    filename: str | None = None
    #: whether an upload came with attestations
    attested: bool = False
    #: the faults that were applied
    faults: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class LoggedRequest(LogFields):
    """A request and the status of its response."""

    method: str
    #: without the query
    path: str
    #: HTTP status as sent; None if none was sent
    status: int | None
    #: the reason phrase; empty if there is no status
    reason: str
    #: when the response began; aware, UTC
    time: datetime


def load_request_log(path: Path) -> list[LoggedRequest]:
    """Load every request that was answered, in order."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [
        LoggedRequest(**(one | {"time": datetime.fromisoformat(one["time"]), "faults": tuple(one.get("faults", ()))}))
        for one in map(json.loads, lines)
    ]


class LogMiddleware:
    """WSGI middleware that writes a line before the client receives the first byte of the response."""

    def __init__(self, application: WSGIApplication, path: Path, clock: Callable[[], datetime]) -> None:
        self._application, self._path, self._clock = application, path, clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        fields, started = LogFields(), False
        environ[LOG_FIELDS_KEY] = fields

        def begin(status: str, *more: object) -> Callable[[bytes], object]:
            nonlocal started
            started = True
            self._write(environ, status, fields)
            return start_response(status, *more)  # type: ignore[arg-type] # passed on unchanged

        try:
            return self._application(environ, begin)
        except Exception as error:
            if not started:
                gone = isinstance(error, (ConnectionDroppedError, ConnectionError, ClientDisconnected))
                self._write(environ, "" if gone else "500 Internal Server Error", fields)
            raise

    def _write(self, environ: WSGIEnvironment, status: str, fields: LogFields) -> None:
        code, _, reason = status.partition(" ")
        line = LoggedRequest(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
            status=int(code) if code else None,
            reason=reason,
            time=self._clock(),
            **asdict(fields),
        )
        text = json.dumps(asdict(line) | {"time": line.time.isoformat()})
        with self._path.open("ab") as file:
            file.write(text.encode() + b"\n")

"""The requests so far, one JSON line each; never a secret: no header, no query and no form field is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected

from release.sandbox.connection import ConnectionDroppedError
from release.sandbox.request_context import LOG_FIELDS_KEY, LogFields

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request, and how it was answered."""

    method: str
    #: without the query
    path: str
    #: HTTP status as the client was told; None where it was told nothing
    status: int | None
    #: the reason phrase; empty where there is no status
    reason: str
    #: as the form or the address names it; None where neither does
    project: str | None
    filename: str | None
    #: the account behind the token; None where no token was known
    username: str | None
    #: when the answer began; aware, UTC
    time: datetime
    #: whether an upload came with attestations
    attested: bool = False
    #: those that struck the request
    faults: tuple[str, ...] = ()


def load_log(path: Path) -> list[LoggedRequest]:
    """Every request that was answered, in order."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    data = [json.loads(line) for line in lines]
    return [
        LoggedRequest(**(one | {"time": datetime.fromisoformat(one["time"]), "faults": tuple(one.get("faults", ()))}))
        for one in data
    ]


class LogMiddleware:
    """WSGI middleware: a line is written before the client sees the first byte of its answer."""

    def __init__(self, application: WSGIApplication, path: Path, clock: Callable[[], datetime]) -> None:
        self._application, self._path, self._clock = application, path, clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        notes, told = LogFields(), False
        environ[LOG_FIELDS_KEY] = notes

        def begin(status: str, *more: object) -> Callable[[bytes], object]:
            nonlocal told
            told = True
            self._write(environ, status, notes)
            return start_response(status, *more)  # type: ignore[arg-type] # passed on as it came

        try:
            return self._application(environ, begin)
        except Exception as error:
            if not told:
                gone = isinstance(error, (ConnectionDroppedError, ConnectionError, ClientDisconnected))
                self._write(environ, "" if gone else "500 Internal Server Error", notes)
            raise

    def _write(self, environ: WSGIEnvironment, status: str, notes: LogFields) -> None:
        code, _, reason = status.partition(" ")
        line = LoggedRequest(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
            status=int(code) if code else None,
            reason=reason,
            time=self._clock(),
            **asdict(notes),
        )
        text = json.dumps(asdict(line) | {"time": line.time.isoformat()})
        with self._path.open("ab") as file:
            file.write(text.encode() + b"\n")

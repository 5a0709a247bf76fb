"""One request: what its handlers need to answer it, and its line of JSON in the log of all requests.

The log holds no secrets: no header, no query and no other form field.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict, replace
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

from release.sandbox.connection import ConnectionDroppedError
from release.sandbox.index_store import Store
from release.sandbox.oidc_provider import IdentityProvider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: where the log fields of a request are, in the WSGI environment
LOG_FIELDS_KEY = "release.sandbox.log_fields"


class LogFields(Struct, kw_only=True):
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


class LoggedRequest(LogFields, kw_only=True):
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
    """WSGI middleware that writes a line before the client receives the first byte of the response.

    `log` is open to append, and without a buffer: each line is written at once, and as a whole.
    """

    def __init__(self, application: WSGIApplication, log: FileIO, clock: Callable[[], datetime]) -> None:
        self._application, self._log, self._clock = application, log, clock

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
        self._log.write(text.encode() + b"\n")


#: where the middleware leaves the faults of a request for the application, in the WSGI environment
INDEX_FAULTS_KEY = "release.sandbox.index_faults"


class IndexFaults(Struct, frozen=True, kw_only=True):
    """The active faults of a request that the index itself simulates."""

    #: seconds for which a new file is not listed
    stale: float = 0
    #: status to answer with because the disk is full; None if it is not
    full: int | None = None
    #: whether concurrent first files of a release fail
    clash: bool = False
    #: makes the work take longer; None if it does not
    work: Callable[[], None] | None = None


class RequestContext(Struct, frozen=True, kw_only=True):
    """One request."""

    request: Request
    store: Store
    #: aware, UTC
    now: datetime
    #: returns the current time
    clock: Callable[[], datetime]
    #: the provider whose identity tokens the index trusts
    identity_provider: IdentityProvider
    log_fields: LogFields
    faults: IndexFaults
    #: the newest release of all projects when the request began; None if not needed
    newest_release: int | None = None

    @property
    def site(self) -> str:
        """Scheme, host and the path of a stage as the client sees them, without a trailing slash."""
        return self.request.root_url.rstrip("/")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open the index as this request may see it."""
        stale = self.faults.stale
        return self.store.reading(self.now - timedelta(seconds=stale) if stale else None)

    def after_work(self) -> RequestContext:
        """Wait as long as a fault prolongs the work, and return the same request at that time."""
        if self.faults.work is not None:
            self.faults.work()
        return replace(self, now=self.clock())

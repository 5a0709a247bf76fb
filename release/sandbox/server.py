"""The index as a server on this machine: in a thread for tests and rehearsals, or in the foreground."""

from __future__ import annotations

import json
import logging
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from release.errors import UsageError
from release.model.index import Index, is_loopback
from release.model.secret import Secret
from release.sandbox import log, projects
from release.sandbox.app import application
from release.sandbox.population import is_empty, populate, tokens
from release.sandbox.store import Store
from release.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: seconds between two looks at whether to stop
_POLL = 0.02
#: seconds
_LONG = 3600
_LAST_PORT = 65535
#: WSGI in, WSGI out: whatever stands between the clients and the index
Middleware = Callable[["WSGIApplication"], "WSGIApplication"]


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def start(  # noqa: PLR0913 - each has a default, and a name in the call
    world: World | None = None,
    *,
    state: Path | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    clock: Callable[[], datetime] = now,
    around: Middleware | None = None,
) -> Sandbox:
    """Start an index; when this returns, it answers.

    Without `state` all is forgotten at the end. With a directory that has a state already, that state goes on, and
    `world` is laid over it. `around` wraps the application, inside of the request log.
    Raises UsageError: a host that is not this machine, a port that is taken, a directory that can't be used.
    """
    if not is_loopback(host):
        raise UsageError(f"the sandbox is for this machine alone, not for {host!r}", remedy="leave the host out")
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"there is no port {port}", remedy=f"give one from 0 (any that is free) to {_LAST_PORT}")
    with ExitStack() as stack:
        directory = state or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-index-", ignore_cleanup_errors=True))
        )
        store = Store(directory.resolve())
        with store.writing() as db:
            if world is not None or is_empty(db):
                populate(db, world or World(), host)
        app = application(store, clock)
        server = _Server(host, port, log.Logged(around(app) if around else app, store.requests, clock))
        return Sandbox(server, store, stack.pop_all())


class Sandbox:
    """A running index; a context manager that stops it."""

    def __init__(self, server: _Server, store: Store, stack: ExitStack) -> None:
        host = f"[{server.host}]" if ":" in server.host else server.host
        self._site = f"http://{host}:{server.port}"
        self._server, self._store, self._stack = server, store, stack
        with store.reading() as db:
            #: by the name in the world file
            self.tokens: Mapping[str, Secret] = tokens(db)
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name=f"sandbox {self._site}", daemon=True
        )
        self._thread.start()

    @property
    def upload_url(self) -> str:
        return f"{self._site}/legacy/"

    @property
    def simple_url(self) -> str:
        return f"{self._site}/simple/"

    @property
    def json_url(self) -> str:
        return f"{self._site}/pypi/"

    def index(self, name: str = "sandbox") -> Index:
        """This index, as the rest of the program sees one."""
        return Index(
            name=name, upload_url=self.upload_url, simple_url=self.simple_url, kind="warehouse", ephemeral=True
        )

    @property
    def log(self) -> list[log.LoggedRequest]:
        """The requests that were answered so far, in order."""
        return log.read(self._store.requests)

    def delete_file(self, filename: str) -> None:
        """What a maintainer may do on the site: the file goes, its name stays used for ever."""
        with self._store.writing() as db:
            projects.delete_file(db, filename)

    def yank(self, project: str, version: str, reason: str | None = "") -> None:
        """Yank a release, as its maintainer would on the site; None takes that back."""
        with self._store.writing() as db:
            projects.yank(db, project, version, reason)

    def close(self) -> None:
        """Stop serving; a second call does nothing."""
        self._server.shutdown()
        self._thread.join()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(world: World | None, port: int, state: Path | None, write: Callable[[str], None]) -> None:
    """Serve in the foreground until Ctrl-C, having written one JSON line that says where, and the tokens.

    Raises UsageError as `start` does.
    """
    with start(world, state=state, port=port) as running:
        try:
            places = {"upload_url": running.upload_url, "simple_url": running.simple_url, "json_url": running.json_url}
            keys = {name: token.reveal() for name, token in running.tokens.items()}
            write(json.dumps({**places, "tokens": keys}) + "\n")
            while True:
                time.sleep(_LONG)  # unlike a lock, it ends at Ctrl-C on Windows too
        except KeyboardInterrupt:
            return


class _Quiet(WSGIRequestHandler):
    """Nothing on stderr: the request log is elsewhere."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        super().__init__(host, port, app, handler=_Quiet)

    def server_bind(self) -> None:
        """Bind, without the reverse look-up of the host's name, which can take many seconds.

        werkzeug prints and exits where a port is taken; here that is an error like others.
        """
        try:
            socketserver.TCPServer.server_bind(self)
        except OSError as error:
            raise UsageError(
                f"port {self.port} can't be used: {error}", remedy="give another port, or none to get a free one"
            ) from None
        self.server_name, self.server_port = self.host, self.server_address[1]

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002, ARG002 - werkzeug's name
        """What broke inside, for whoever listens; the client has a 500."""
        logging.getLogger(__name__).error(message, *args)

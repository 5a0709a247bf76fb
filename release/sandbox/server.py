"""The index as a server on this machine: in a thread for tests and rehearsals, or in the foreground."""

from __future__ import annotations

import json
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from release.core.errors import UsageError
from release.core.models.index import Index, is_loopback
from release.core.secret import Secret
from release.sandbox import projects, request_log, seed
from release.sandbox.app import application
from release.sandbox.connection import ConnectionDroppedError, Sleep
from release.sandbox.fault_control import FaultControl
from release.sandbox.fault_middleware import FaultMiddleware
from release.sandbox.fault_state import ActiveFaults
from release.sandbox.faults import Fault
from release.sandbox.http_server import Server
from release.sandbox.index_store import Store
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.seed import apply_seed_data, is_empty, token_secrets
from release.sandbox.seed_schema import SeedData

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: seconds between two looks at whether to stop
_POLL = 0.02
#: seconds that a signal may have to wait which another thread was given: that ends no sleep of this one
_NAP = 1
_LAST_PORT = 65535
#: bytes in the path of the control address
_SECRET = 16
#: WSGI in, WSGI out: whatever stands between the clients and the index
Middleware = Callable[["WSGIApplication"], "WSGIApplication"]


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def start_sandbox(  # noqa: PLR0913 - each has a default, and a name in the call
    world: SeedData | None = None,
    *,
    state: Path | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
    clock: Callable[[], datetime] = utc_now,
    sleep: Sleep | None = None,
    around: Middleware | None = None,
    issuer: IdentityProvider | None = None,
) -> Sandbox:
    """Start an index; when this returns, it answers.

    Without `state` all is forgotten at the end. With a directory that has a state already, that state goes on, and
    `world` is laid over it. `clock` gives the time, aware, UTC; `sleep` takes the seconds that a fault has it wait,
    from any thread. `around` wraps the application, inside of the request log and of the faults.
    `issuer` is another sandbox's, where both shall trust it; otherwise this one has its own, for the world's job.
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
                apply_seed_data(db, world or SeedData(), host)
        issuer = issuer or IdentityProvider((world or SeedData()).job)
        app, faults, closing = (
            application(store, clock, issuer),
            ActiveFaults((world or SeedData()).faults),
            threading.Event(),
        )
        app = FaultMiddleware(around(app) if around else app, faults, clock, sleep or _napping(closing))
        control = f"/+control/{secrets.token_urlsafe(_SECRET)}/faults"
        app = FaultControl(request_log.LogMiddleware(app, store.requests, clock), faults, control)
        server = Server(host, port, app, closing, clock)
        return Sandbox(server, store, faults, control, stack.pop_all(), issuer=issuer, clock=clock)


def _napping(closing: threading.Event) -> Sleep:
    def nap(seconds: float) -> None:
        if closing.wait(seconds):
            raise ConnectionDroppedError("close")

    return nap


class Sandbox:
    """A running index; a context manager that stops it."""

    def __init__(  # noqa: PLR0913 - the parts that `start` has put together
        self,
        server: Server,
        store: Store,
        faults: ActiveFaults,
        control: str,
        stack: ExitStack,
        *,
        issuer: IdentityProvider,
        clock: Callable[[], datetime],
    ) -> None:
        host = f"[{server.host}]" if ":" in server.host else server.host
        self._site = f"http://{host}:{server.port}"
        self._server, self._store, self._faults, self._stack = server, store, faults, stack
        #: the service that speaks for a job; give it to other sandboxes that shall trust it too
        self.issuer = issuer
        self._clock = clock
        #: where faults are put in and taken away over HTTP; the path holds a secret of this run
        self.control_url = f"{self._site}{control}"
        with store.reading() as db:
            #: by the name in the world file
            self.tokens: Mapping[str, Secret] = token_secrets(db)
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name=f"sandbox {self._site}", daemon=True
        )
        self._thread.start()

    @property
    def ambient(self) -> dict[str, str]:
        """The environment of the job that the identity service of this sandbox speaks for."""
        return self.issuer.ambient(self._site, self._clock)

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
    def log(self) -> list[request_log.LoggedRequest]:
        """The requests that were answered so far, in order."""
        return request_log.load_log(self._store.requests)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that are on."""
        return tuple(fault for fault, _, _ in self._faults.now())

    def inject(self, *faults: Fault) -> None:
        """More faults, behind those that are on; each counts from the next request."""
        self._faults.inject(*faults)

    def clear_faults(self) -> None:
        """No faults any more; a request that is under way keeps its own."""
        self._faults.clear()

    def delete_file(self, filename: str) -> None:
        """What a maintainer may do on the site: the file goes, its name stays used for ever."""
        with self._store.writing() as db:
            projects.delete_file(db, filename)

    def yank(self, project: str, version: str, reason: str | None = "") -> None:
        """Yank a release, as its maintainer would on the site; None takes that back."""
        with self._store.writing() as db:
            projects.yank(db, project, version, reason)

    def revoke(self, token: str) -> None:
        """Delete a token, by its name in the world, as its user would on the site."""
        with self._store.writing() as db:
            seed.revoke_token(db, token)

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


def serve_in_foreground(world: SeedData | None, port: int, state: Path | None, write: Callable[[str], None]) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM, having written one JSON line that says where, and the tokens.

    Raises UsageError as `start` does.
    """
    with start_sandbox(world, state=state, port=port) as running, _ended_by(signal.SIGTERM):
        try:
            names = ("upload_url", "simple_url", "json_url", "control_url")
            places = {name: getattr(running, name) for name in names}
            keys = {name: token.reveal() for name, token in running.tokens.items()}
            write(json.dumps({**places, "tokens": keys, "ambient": running.ambient}) + "\n")
            while True:
                time.sleep(_NAP)  # unlike a lock, it ends at Ctrl-C on Windows too
        except KeyboardInterrupt:
            return


@contextmanager
def _ended_by(number: signal.Signals) -> Iterator[None]:
    """Inside, the signal does what Ctrl-C does; a shell that starts us in the background lets only `kill` through."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)

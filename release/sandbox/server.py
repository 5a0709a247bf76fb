"""Run the index as a server on this machine: in a thread for tests and dry runs, or in the foreground."""

from __future__ import annotations

import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from packaging.utils import canonicalize_name, canonicalize_version
from werkzeug.middleware.proxy_fix import ProxyFix

from release.adapters.system.temporary_directory import temporary_directory
from release.core.errors import UsageError
from release.core.models.index import Index, is_loopback
from release.core.secret import Secret
from release.sandbox import request_context, seed
from release.sandbox.app import application
from release.sandbox.certificates import Certificates, temporary_certificates
from release.sandbox.connection import ConnectionDroppedError, Sleep
from release.sandbox.fault_middleware import FaultControl, FaultMiddleware
from release.sandbox.faults import ActiveFaults, Fault
from release.sandbox.http_server import Server
from release.sandbox.index_store import Store
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.seed import SeedData
from release.sandbox.stages import STAGES_PATH

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: seconds between two checks whether to stop
_POLL = 0.02
#: seconds; a signal that another thread received does not interrupt the sleep of the main thread
_SIGNAL_DELAY = 1
_LAST_PORT = 65535
#: default hosts. Observed: pip 24.2 to 26.0, 2026-11 — an https URL that contains an IP address fails
_HOST, _TLS_HOST = "127.0.0.1", "localhost"


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


def start_sandbox(  # noqa: PLR0913 - all keyword arguments have defaults
    seed_data: SeedData | None = None,
    *,
    state: Path | None = None,
    port: int = 0,
    host: str | None = None,
    clock: Callable[[], datetime] = utc_now,
    sleep: Sleep | None = None,
    around: Callable[[WSGIApplication], WSGIApplication] | None = None,
    identity_provider: IdentityProvider | None = None,
    staged: bool = False,
    tls: bool | Certificates = False,
) -> Sandbox:
    """Start an index; it answers requests when this returns.

    `host` is 127.0.0.1 by default, with `tls` localhost. Without `state`, everything is deleted at the end. In a
    directory that has a state already, that state is continued, and `seed_data` is applied to it. `clock` returns the
    time, aware, UTC; `sleep` takes the seconds for which a fault waits, from any thread. `around` wraps the
    application, inside the request log and the faults.
    `identity_provider` is another sandbox's, if both are to trust it; otherwise this one has its own.
    `staged`: it has staged releases, see `stages`. `tls`: it serves https, with a certificate of an authority of its
    own, which clients trust with the variables of `Sandbox.ca_environment`; or with certificates that it shares with
    others, so that clients trust all of them.
    Raises UsageError for a host of another machine, a port in use, an unusable directory; for `tls` without trustme.
    """
    host = host or (_TLS_HOST if tls else _HOST)
    if not is_loopback(host):
        raise UsageError(f"the sandbox serves this machine only, not {host!r}", remedy="omit the host")
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"port {port} does not exist", remedy=f"use a port from 0 (any free port) to {_LAST_PORT}")
    data = seed_data or SeedData()
    with ExitStack() as stack:
        directory = state or stack.enter_context(temporary_directory())
        certificates = stack.enter_context(temporary_certificates()) if tls is True else tls or None
        store = Store(directory.resolve())
        stack.callback(store.close)
        with store.writing() as db:
            if seed_data is not None or db.execute("SELECT 1 FROM users").fetchone() is None:
                seed.apply_seed_data(db, data, host)
        provider = identity_provider or IdentityProvider(data.job)
        faults, closing = ActiveFaults(data.faults), threading.Event()
        app: WSGIApplication = ProxyFix(application(store, clock, provider, staged=staged), x_for=0, x_host=1, x_port=1)
        app = FaultMiddleware(around(app) if around else app, faults, clock, sleep or _interruptible_sleep(closing))
        control_path = f"/+control/{secrets.token_urlsafe(16)}/faults"
        log = stack.enter_context(store.requests.open("ab", buffering=0))
        app = FaultControl(request_context.LogMiddleware(app, log, clock), faults, control_path)
        server = Server(host, port, app, closing, clock, tls=certificates.context if certificates else None)
        return Sandbox(
            server, store, faults, control_path, stack.pop_all(), identity_provider=provider, certificates=certificates
        )


def _interruptible_sleep(closing: threading.Event) -> Sleep:
    def sleep(seconds: float) -> None:
        if closing.wait(seconds):
            raise ConnectionDroppedError("close")

    return sleep


class Sandbox:
    """A running index; leaving its context stops it."""

    def __init__(  # noqa: PLR0913 - the parts that `start_sandbox` has made
        self,
        server: Server,
        store: Store,
        faults: ActiveFaults,
        control_path: str,
        stack: ExitStack,
        *,
        identity_provider: IdentityProvider,
        certificates: Certificates | None,
    ) -> None:
        host = f"[{server.host}]" if ":" in server.host else server.host
        self._site = f"{'https' if certificates else 'http'}://{host}:{server.port}"
        #: the certificate of the authority of this run, PEM; None without TLS
        self.ca_file = certificates.ca_file if certificates else None
        #: environment variables with which pip, uv, twine, requests, curl, git and Node trust it, and what they trust
        #: already; empty without TLS
        self.ca_environment: Mapping[str, str] = certificates.environment if certificates else {}
        self.upload_url = f"{self._site}/legacy/"
        self.simple_url = f"{self._site}/simple/"
        self.json_url = f"{self._site}/pypi/"
        #: where stages are opened, if the sandbox has any
        self.stages_url = f"{self._site}{STAGES_PATH}"
        self._server, self._store, self._faults, self._stack = server, store, faults, stack
        #: the identity provider of a job; pass it to other sandboxes that are to trust it too
        self.identity_provider = identity_provider
        #: where faults are controlled over HTTP; the path holds a secret of this run
        self.control_url = f"{self._site}{control_path}"
        with store.reading() as db:
            #: by the name in the seed data
            self.tokens: Mapping[str, Secret] = seed.token_secrets(db)
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name=f"sandbox {self._site}", daemon=True
        )
        self._thread.start()

    @property
    def ambient(self) -> dict[str, str]:
        """The environment variables of the identity provider's job."""
        return self.identity_provider.ambient(self._site, self._server.clock)

    def index(self, name: str = "sandbox") -> Index:
        """Return this index as the rest of the program describes one."""
        return Index(
            name=name, upload_url=self.upload_url, simple_url=self.simple_url, kind="warehouse", ephemeral=True
        )

    def to_json(self) -> dict[str, Any]:
        """Return the URLs, the tokens, the variables of the job, and how to trust the certificate."""
        urls = {name: getattr(self, name) for name in ("upload_url", "simple_url", "json_url", "control_url")}
        return {
            **urls,
            "tokens": {name: token.reveal() for name, token in self.tokens.items()},
            "ambient": self.ambient,
            "ca_file": str(self.ca_file) if self.ca_file else None,
            "ca_environment": self.ca_environment,
        }

    @property
    def log(self) -> list[request_context.LoggedRequest]:
        """All requests that were answered so far, in order."""
        return request_context.load_request_log(self._store.requests)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The active faults."""
        return tuple(count.fault for count in self._faults.counts())

    def inject(self, *faults: Fault) -> None:
        """Add faults; each counts from the next request."""
        self._faults.inject(*faults)

    def clear_faults(self) -> None:
        """Remove all faults; a request in progress keeps its own."""
        self._faults.clear()

    def files(self, project: str | None = None) -> list[str]:
        """The names of the files that the index has, of one project or of all, in the order of their uploads."""
        normalized = canonicalize_name(project) if project else None
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT filename FROM files JOIN releases ON releases.id = release"
                " JOIN projects ON projects.id = project WHERE normalized = coalesce(?, normalized) ORDER BY serial",
                (normalized,),
            )
            return [row["filename"] for row in rows]

    def delete_file(self, filename: str) -> None:
        """Delete a file, as a maintainer does on the site: its name stays used for ever."""
        with self._store.writing() as db:
            db.execute("DELETE FROM files WHERE filename = ?", (filename,))

    def yank(self, project: str, version: str, reason: str | None = "") -> None:
        """Yank a release, as its maintainer does on the site, or unyank it with None (PEP 592)."""
        with self._store.writing() as db:
            db.execute(
                "UPDATE releases SET yanked = ? WHERE canonical = ?"
                " AND project = (SELECT id FROM projects WHERE normalized = ?)",
                (reason, canonicalize_version(version), canonicalize_name(project)),
            )

    def revoke(self, token: str) -> None:
        """Delete a token by its name in the seed data, as its user does on the site."""
        with self._store.writing() as db:
            db.execute("UPDATE tokens SET revoked = 1 WHERE name = ?", (token,))

    def history(self, project: str) -> list[str]:
        """Return the lines of a project's security history, in order."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT event FROM events JOIN projects ON projects.id = project WHERE normalized = ? ORDER BY serial",
                (canonicalize_name(project),),
            )
            return [row["event"] for row in rows]

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


def serve_in_foreground(  # noqa: PLR0913 - the options of the command
    seed_data: SeedData | None,
    port: int,
    state: Path | None,
    write: Callable[[str], None],
    *,
    staged: bool = False,
    tls: bool = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM, after writing one line of JSON with the URLs, the tokens and how to trust it.

    Raises UsageError as `start_sandbox` does.
    """
    with start_sandbox(seed_data, state=state, port=port, staged=staged, tls=tls) as running:
        # a shell that runs a program in the background passes only `kill` on to it, not Ctrl-C
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            stages = {"stages_url": running.stages_url} if staged else {}
            write(json.dumps(running.to_json() | stages) + "\n")
            while True:
                time.sleep(_SIGNAL_DELAY)  # unlike a lock, Ctrl-C interrupts it on Windows too
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, before)

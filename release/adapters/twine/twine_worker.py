"""The child process that uploads with twine's package and repository modules, one attempt at a time.

It reads requests from stdin and writes events to stdout, one JSON object a line:

    → {"do": "login", "url", "username", "password", "proxies", "ca"}     (no event)
    → {"do": "read", "files": [{"path", "sha256"}, …]}    let twine read files as for an upload
    → {"do": "prepare", "path"}                read and hash a file that is likely to be sent next   (no event)
    → {"do": "send", "path", "sha256", "timeout": [connect, read], "attestations": […], "upcoming"}
                                               seconds; JSON texts; the path of a file to prepare meanwhile, or null
    ← {"is": "ready"}                          twine is imported
    ← {"is": "readable"}                       twine accepts the files; for the first other one, an event with "at"
    ← {"is": "progress", "done", "total"}      bytes of the request's body
    ← {"is": "reply", "status", "reason", "headers", "body"}
    ← {"is": "failure", "kind", "detail", "sent"}   no response; see `error_kind`, `UnclearResponse.sent`
    ← {"is": "changed", "sha256"}              not the requested file; nothing was sent
    ← {"is": "refused", "detail"}              twine does not accept the file; nothing was sent

It exits when stdin ends, even during a request, so it never outlives its parent.

A contract test covers what is used of twine: `package.PackageFile.from_filename`, `.sha2_digest`, `.attestations`,
`repository.Repository.session`, `.set_certificate_authority`, `.upload`, `.close`. Observed: twine 7.0.0, 2026-11 —
`upload(package, max_redirects=1)` makes one attempt. Its settings are not used: they import keyring, and find a
repository and a login, which are given here.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.adapters.http import errors as http_errors
from release.adapters.twine.twine_import import import_twine
from release.adapters.twine.twine_packages import Packages

if TYPE_CHECKING:
    from requests import PreparedRequest, Request, Response, Session
    from twine.repository import Repository

Emit = Callable[[dict[str, Any]], None]


def main() -> None:
    """Handle requests until stdin ends; does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    try:
        _serve(_emitter())
    except BaseException:  # noqa: BLE001 - the parent reads the last line, and the thread that reads stdin cannot be ended
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _serve(emit: Emit) -> None:
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    import_twine()
    emit({"is": "ready"})
    uploader = _Uploader(emit)
    while True:
        request = requests.get()
        match request.pop("do"):
            case "login":
                uploader.login(**request)
            case "read":
                emit(uploader.read(**request))
            case "prepare":
                uploader.prepare(**request)
            case _:
                emit(uploader.send(**request))


def _read_requests(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)  # even while the main thread is busy: the parent has exited


def _emitter() -> Emit:
    """Reserve stdout for events; what twine prints is discarded."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open while the process runs

    def emit(event: dict[str, Any]) -> None:
        events.write(json.dumps(event).encode() + b"\n")

    return emit


class _Uploader:
    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._repository: Repository | None = None
        self._adapter: Any = None
        self._packages = Packages()

    def login(self, *, url: str, username: str, password: str, proxies: dict[str, str], ca: str | None) -> None:
        """Create the session, whose connections later files reuse."""
        from twine.repository import Repository

        if self._repository is not None:
            self._repository.close()
        self._repository = Repository(url, username, password, disable_progress_bar=True)
        self._repository.set_certificate_authority(ca)
        session = self._repository.session
        session.trust_env = False  # no .netrc, and only the given proxies
        session.proxies.update(proxies)
        session.headers["Accept"] = "application/json"  # HTTP/2 has no reason phrase, but the JSON has the message
        vars(session)["prepare_request"] = _Preparation(session)
        self._adapter = _adapter(self._emit)
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._adapter)

    def read(self, *, files: list[dict[str, str]]) -> dict[str, Any]:
        """The event for files that twine reads, but does not send; for the first that it refuses, with its number."""
        for number, file in enumerate(files):
            try:
                self._packages.read(file["path"])
            except Exception as error:  # noqa: BLE001 - as in `send`
                return {**_refused(file["path"], file["sha256"], error), "at": number}
        return {"is": "readable"}

    def send(
        self,
        *,
        path: str,
        sha256: str,
        timeout: tuple[float, float],
        attestations: list[str],
        upcoming: str | None = None,
    ) -> dict[str, Any]:
        """Make one attempt; returns the event with its result. Meanwhile, the file at `upcoming` is read."""
        if self._repository is None:
            raise ValueError("login first")
        try:
            package = self._packages.take(path)
        except Exception as error:  # noqa: BLE001 - a broken archive raises anything: BadZipFile, ReadError, zlib.error, …
            return _refused(path, sha256, error)
        if package.sha2_digest != sha256:
            return {"is": "changed", "sha256": package.sha2_digest}
        if attestations:  # twine itself would read them from files next to the distribution
            package.attestations = [json.loads(one) for one in attestations]
        self._adapter.timeouts, self._adapter.body = tuple(timeout), None
        self._adapter.on_first_block = partial(self.prepare, path=upcoming) if upcoming else None
        try:
            response = self._repository.upload(package, max_redirects=1)
            return {
                "is": "reply",
                "status": response.status_code,
                "reason": response.reason or "",
                "headers": {name.lower(): value for name, value in response.headers.items()},
                # Its beginning, decoded as UTF-8, which indexes send: guessing the encoding of a long page takes long.
                "body": response.content[:20_000].decode("utf-8", "replace"),
            }
        except http_errors.ResponseLimitError as error:  # with any status: the file may have been accepted
            return self._failure("cut off", error.message)
        except UnicodeEncodeError:  # its text may contain the password
            return self._failure("garbage", "a header cannot be encoded")
        except Exception as error:  # noqa: BLE001 - the network raises anything, and all of it is reported
            kind, inner = http_errors.error_kind(error), list(http_errors.exception_chain(error))[-1]
            detail = http_errors.tls_reason(error) if kind == "tls" else f"{type(inner).__name__}: {inner}"
            return self._failure(kind, detail)

    def prepare(self, *, path: str) -> None:
        """Read and hash a file in a thread, unless that was done: it is likely to be sent next."""
        self._packages.prepare(path)

    def _failure(self, kind: str, detail: str) -> dict[str, Any]:
        body: _Counted | None = self._adapter.body
        return {"is": "failure", "kind": kind, "detail": detail, "sent": body.amount if body else "nothing"}


class _Preparation:
    """Prepares requests as a session does: the first one wholly, and those that follow from it, with their own bodies.

    Observed: twine 7.0.0, requests 2.34.2, 2026-11 - nothing else differs, except for cookies; to prepare a request
    takes a quarter of the time in which a small file is sent.
    """

    def __init__(self, session: Session) -> None:
        self._prepare, self._cookies = session.prepare_request, session.cookies
        self._first: PreparedRequest | None = None

    def __call__(self, request: Request) -> PreparedRequest:
        if self._first is None or self._cookies:
            prepared = self._prepare(request)
            self._first = prepared.copy()
            self._first.body = None
            return prepared
        prepared = self._first.copy()
        prepared.body = request.data
        prepared.headers.update({**request.headers, "Content-Length": str(request.data.len)})
        return prepared


def _refused(path: str, sha256: str, error: Exception) -> dict[str, Any]:
    return _changed(path, sha256) or {"is": "refused", "detail": f"{type(error).__name__}: {error}"}


def _changed(path: str, sha256: str) -> dict[str, Any] | None:
    """The event for a file with other bytes than requested; None if it only cannot be read by twine."""
    try:
        with Path(path).open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return {"is": "changed", "sha256": None, "detail": error.strerror}
    return {"is": "changed", "sha256": found} if found != sha256 else None


def _adapter(emit: Emit) -> Any:
    from release.adapters.http import response_limits
    from release.adapters.http.bounded_adapter import BoundedAdapter
    from release.adapters.http.bounded_response import LIMITS

    LIMITS.set(response_limits.UPLOAD)

    class Adapter(BoundedAdapter):
        """Sets the time-outs, which twine does not, limits the response, and counts what is sent."""

        #: seconds to connect (and for each block of the body), seconds without data in the response
        timeouts = (10.0, 30.0)
        #: of the current request; None before it begins
        body: _Counted | None = None
        #: called once the first block of the current request's body was sent
        on_first_block: Callable[[], None] | None = None

        def send(self, request: Any, *args: Any, **options: Any) -> Response:
            options["timeout"] = self.timeouts
            self.body = request.body = _Counted(
                request.body, int(request.headers["Content-Length"]), emit, self.on_first_block
            )
            return super().send(request, *args, **options)

    return Adapter(max_retries=0)


class _Counted:
    """A request's body that reports how much of it was read."""

    def __init__(self, body: Any, total: int, emit: Emit, on_first_block: Callable[[], None] | None) -> None:
        self._body, self._total, self._emit, self._on_first_block = body, total, emit, on_first_block
        self._done, self._reported, self._shown = 0, 0.0, 0

    @property
    def amount(self) -> str:
        """How much was sent, as in `UnclearResponse.sent`."""
        return "nothing" if not self._done else "all" if self._done >= self._total else "some"

    def read(self, size: int = -1) -> bytes:
        """A block, larger than requested: http.client requests small ones, which take longer.

        The time-out applies to each block.
        """
        if self._done and self._on_first_block is not None:
            begin, self._on_first_block = self._on_first_block, None
            begin()
        block: bytes = self._body.read(max(size, 64 * 1024) if size >= 0 else size)
        self._done += len(block)
        now = time.monotonic()
        due = now - self._reported >= 0.1  # noqa: PLR2004 - seconds between two progress events
        if due or (not block and self._done != self._shown):
            self._reported, self._shown = now, self._done
            self._emit({"is": "progress", "done": self._done, "total": self._total})
        return block

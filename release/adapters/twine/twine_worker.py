"""The child process that uploads: twine's package and repository layers, one attempt at a time.

Reads orders from stdin and writes events to stdout, one JSON object a line:

    → {"do": "login", "url", "username", "password", "proxies", "ca"}     (no answer)
    → {"do": "send", "path", "sha256", "timeout": [connect, read], "attestations": […]}   (seconds; JSON texts)
    ← {"is": "ready"}                          twine is imported
    ← {"is": "progress", "done", "total"}      bytes of the request's body
    ← {"is": "reply", "status", "reason", "headers", "body"}
    ← {"is": "failure", "kind", "detail", "sent"}   no reply; `kind` as in `http_errors.kind`; `sent` as in `Unclear`
    ← {"is": "changed", "sha256"}              not the bytes that were asked for; nothing was sent
    ← {"is": "refused", "detail"}              twine does not take the file; nothing was sent

Ends when stdin does, in the middle of a request if need be: it never outlives its parent.

Used of twine, and held by a contract test: `settings.Settings(…).create_repository()`,
`package.PackageFile.from_filename`, `.sha2_digest`, `.attestations`, `repository.Repository.session`, `.upload`,
`.close`. Observed: twine 7.0.0, 2026-11 — `upload(package, max_redirects=1)` makes one attempt.
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
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.adapters.http import errors as http_errors

if TYPE_CHECKING:
    from requests import Response
    from twine.repository import Repository

#: seconds between two progress events
_EVERY = 0.1
#: bytes of a body that are handed to the connection at once; one block may be stuck for the time-out
_BLOCK = 64 * 1024
#: bytes of a reply's body that are handed on
_BODY = 20_000

Emit = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until stdin ends; does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    try:
        _serve(_emitter())
    except BaseException:  # noqa: BLE001 - the parent reads the last line, and a thread that reads stdin can't be ended
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _serve(emit: Emit) -> None:
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(orders,), daemon=True).start()
    from twine import package, repository, settings  # noqa: F401 - imported now, while the parent is busy

    # What twine prints through rich goes nowhere; its first line costs 25 ms and 3 MB, and the first file goes alone.
    # Observed: twine 7.0.0, 2026-11 - rich loads its table of emoji for it.
    vars(repository)["print"] = lambda *_, **__: None
    emit({"is": "ready"})
    uploader = _Uploader(emit)
    while True:
        order = orders.get()
        if order.pop("do") == "login":
            uploader.login(**order)
        else:
            emit(uploader.send(**order))


def _read_orders(orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        orders.put(json.loads(line))
    os._exit(0)  # whatever the main thread is doing: nobody is there any more who could use it


def _emitter() -> Emit:
    """Takes stdout for events alone; what twine prints goes nowhere."""
    events = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for as long as the process lives

    def emit(event: dict[str, Any]) -> None:
        events.write(json.dumps(event).encode() + b"\n")

    return emit


class _Uploader:
    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._repository: Repository | None = None
        self._adapter: Any = None

    def login(self, *, url: str, username: str, password: str, proxies: dict[str, str], ca: str | None) -> None:
        """Make the session that later files share, connections included."""
        from twine.settings import Settings

        if self._repository is not None:
            self._repository.close()
        self._repository = Settings(
            repository_url=url,
            username=username,
            password=password,
            cacert=ca,
            non_interactive=True,
            disable_progress_bar=True,
        ).create_repository()
        session = self._repository.session
        session.trust_env = False  # no .netrc, no proxies but those given
        session.proxies.update(proxies)
        session.headers["Accept"] = "application/json"  # so that the server's words survive HTTP/2
        self._adapter = _adapter(self._emit)
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._adapter)

    def send(self, *, path: str, sha256: str, timeout: tuple[float, float], attestations: list[str]) -> dict[str, Any]:
        """One attempt; the event that tells how it ended."""
        from twine.package import PackageFile

        if self._repository is None:
            raise ValueError("login first")
        try:
            package = PackageFile.from_filename(path, None)
        except Exception as error:  # noqa: BLE001 - a broken archive raises anything: BadZipFile, ReadError, zlib.error, …
            return _changed(path, sha256) or {"is": "refused", "detail": f"{type(error).__name__}: {error}"}
        if package.sha2_digest != sha256:
            return {"is": "changed", "sha256": package.sha2_digest}
        if attestations:  # twine itself would read them from files beside the distribution
            package.attestations = [json.loads(one) for one in attestations]
        self._adapter.timeouts, self._adapter.body = tuple(timeout), None
        try:
            return _told(self._repository.upload(package, max_redirects=1))
        except UnicodeEncodeError:  # its text may hold what could not be encoded: the password
            return self._failure("garbage", "a header can't be encoded")
        except Exception as error:  # noqa: BLE001 - anything may come out of the network, and all of it is told
            return self._failure(http_errors.error_kind(error), _detail(error))

    def _failure(self, kind: str, detail: str) -> dict[str, Any]:
        body: _Counted | None = self._adapter.body
        return {"is": "failure", "kind": kind, "detail": detail, "sent": body.amount if body else "nothing"}


def _changed(path: str, sha256: str) -> dict[str, Any] | None:
    """Whether a file that twine can't read is the one that was asked for at all."""
    try:
        with Path(path).open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return {"is": "changed", "sha256": None, "detail": error.strerror}
    return {"is": "changed", "sha256": found} if found != sha256 else None


def _detail(error: Exception) -> str:
    inner = list(http_errors.exception_chain(error))[-1]
    return (
        http_errors.tls_reason(error) if http_errors.error_kind(error) == "tls" else f"{type(inner).__name__}: {inner}"
    )


def _told(response: Response) -> dict[str, Any]:
    return {
        "is": "reply",
        "status": response.status_code,
        "reason": response.reason or "",
        "headers": {name.lower(): value for name, value in response.headers.items()},
        # no guessing of encodings: that takes long for a long page, and an index speaks UTF-8
        "body": response.content[:_BODY].decode("utf-8", "replace"),
    }


def _adapter(emit: Emit) -> Any:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Injects the time-outs that twine does not set, and counts what is sent."""

        #: seconds to connect (and for each block of the body), seconds of silence in the answer
        timeouts = (10.0, 30.0)
        #: of the request under way; None before it begins
        body: _Counted | None = None

        def send(self, request: Any, *args: Any, **options: Any) -> Response:
            options["timeout"] = self.timeouts
            self.body = request.body = _Counted(request.body, int(request.headers["Content-Length"]), emit)
            return super().send(request, *args, **options)

    return Adapter(max_retries=0)


class _Counted:
    """A request's body that tells how much of it was read."""

    def __init__(self, body: Any, total: int, emit: Emit) -> None:
        self._body, self._total, self._emit = body, total, emit
        self._done, self._told = 0, 0.0

    @property
    def amount(self) -> str:
        """How much went out, in the words of `Unclear.sent`."""
        return "nothing" if not self._done else "all" if self._done >= self._total else "some"

    def read(self, size: int = -1) -> bytes:
        """A block, larger than asked for: http.client asks for little, and each block costs its time."""
        block: bytes = self._body.read(max(size, _BLOCK) if size >= 0 else size)
        self._done += len(block)
        now = time.monotonic()
        if now - self._told >= _EVERY or not block:
            self._told = now
            self._emit({"is": "progress", "done": self._done, "total": self._total})
        return block

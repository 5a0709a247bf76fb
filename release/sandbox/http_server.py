"""HTTP/1.1 on threads, one a connection: connections are kept, reason phrases are the application's own.

On werkzeug's development server, which closes the connection after each answer.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import socketserver
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator

from release.core.errors import UsageError
from release.sandbox.connection import CONNECTION_KEY, STEP, Connection, ConnectionDroppedError
from release.sandbox.faults import DropMode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: the first byte of a TLS handshake. Source: RFC 8446, 5.1
_TLS = b"\x16"
_NO_TLS = b"HTTP/1.1 400 This port speaks plain HTTP\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#: bytes of a body that nobody read and that are still waited for, so that the connection can be kept
_UNREAD = 1024 * 1024 * 1024
#: seconds that what is under way has to end when the server closes
_GRACE = 5
_BUFFER = 64 * 1024
#: statuses without a body. Source: RFC 9110, 6.4.1
_BODILESS = ("1", "204", "304")
_Headers = list[tuple[str, str]]


class Server(ThreadedWSGIServer):
    """Listens at once; `closing` is set as soon as it stops. Raises UsageError for a port that can't be used."""

    # on Windows the same word means that a port may be taken twice
    allow_reuse_address = os.name != "nt"

    def __init__(
        self, host: str, port: int, app: WSGIApplication, closing: threading.Event, clock: Callable[[], datetime]
    ) -> None:
        self.closing = closing
        self.clock = clock
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(host, port, app, handler=_Handler)

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

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread of its own."""
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name=f"sandbox client {client_address[1]}", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def server_close(self) -> None:
        """Stop listening, and end every connection."""
        super().server_close()
        self.closing.set()
        with self._lock:
            still = dict(self._open)
        for connection in still.values():
            with suppress(OSError):  # it may have ended by itself
                connection.shutdown(socket.SHUT_RDWR)
        for thread in still:
            thread.join(_GRACE)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """What broke a connection, for whoever listens."""
        logging.getLogger(__name__).error("a connection broke inside: %s", traceback.format_exc())


class _Body(io.RawIOBase):
    """The body of one request, and no byte of the next; a client that waits for leave gets it when this is read."""

    def __init__(self, stream: IO[bytes], length: int | None, wire: Connection, *, waits: bool) -> None:
        #: bytes that are still to come; None where they come in chunks, and where that has ended 0
        self.left = length
        #: whether the client waits for `100 Continue`
        self.waits = waits
        #: whether what was read so far was as it must be; if not, nobody knows where the next request begins
        self.sound = True
        self._stream, self._wire = stream, wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Raises ClientDisconnected where the client goes before the end, OSError for a broken chunk."""
        if self.left == 0:
            return 0
        if self.waits:
            self.waits = False
            self._wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        view, up = memoryview(buffer).cast("B"), self._wire.up
        view = view[: self.left][: up.step if up else None]
        self.sound = False
        count: int = self._stream.readinto(view)  # type: ignore[attr-defined] # both kinds of stream have it
        if self.left is None:
            self.left = None if count else 0
        elif count == 0:
            raise ClientDisconnected
        else:
            self.left -= count
        self.sound = True
        if up:
            up.moved(count)
        return count


class _Reply:
    """An answer on its way: its head goes out with the first piece of its body."""

    def __init__(self, method: str, send: Callable[[bytes], None], own_headers: Callable[[], _Headers]) -> None:
        self._method, self._send, self._own_headers = method, send, own_headers
        self.status = ""
        self._headers: _Headers = []
        self.begun = False
        #: bytes of the body that the head promises and that were not sent yet
        self.owed = 0

    def start(self, status: str, headers: _Headers, _: object = None) -> Callable[[bytes], object]:
        """WSGI's `start_response`."""
        self.status, self._headers = status, list(headers)
        return self.write

    def pieces(self, body: Iterable[bytes]) -> Iterable[bytes]:
        """The body, at least one piece, its length in the headers."""
        if self._length is None and not self._bodiless:
            whole = b"".join(body)
            self._headers.append(("Content-Length", str(len(whole))))
            return [whole]
        return body

    def write(self, data: bytes) -> None:
        """Send a piece; the first time, even an empty one, the head before it."""
        if self._bodiless:
            data = b""
        head = b""
        if not self.begun:
            self.begun = True
            self.owed = 0 if self._bodiless else self._length or 0
            lines = [f"HTTP/1.1 {self.status}"]
            lines += [f"{name}: {value}" for name, value in (*self._own_headers(), *self._headers)]
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.owed -= len(data)
        if head or data:
            self._send(head + data)

    @property
    def _bodiless(self) -> bool:
        return self._method == "HEAD" or self.status.startswith(_BODILESS)

    @property
    def _length(self) -> int | None:
        return next((int(value) for name, value in self._headers if name.lower() == "content-length"), None)


class _Handler(WSGIRequestHandler):
    """One connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.wire = Connection(self.connection, self.server.closing)

    def handle(self) -> None:
        """Until one side has enough of it; a client that goes away is no error."""
        with suppress(ConnectionError, TimeoutError, ClientDisconnected):
            BaseHTTPRequestHandler.handle(self)

    def handle_one_request(self) -> None:
        """One request, or a plain answer to a client that begins with TLS: for it, that is a failed handshake."""
        if self.rfile.peek(1)[:1] == _TLS:  # type: ignore[attr-defined] # a BufferedReader
            self.close_connection = True
            self.wire.send(_NO_TLS)
            return
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Not yet: `_Body` does so when the application reads."""
        return True

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.wire.next_request()
        self.close_connection |= self.request_version < "HTTP/1.1"
        self.environ = environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH", "") or "0"
        if not (length.isascii() and length.isdigit()):
            self.send_error(400, "Bad Content-Length")
            return
        chunked = "wsgi.input_terminated" in environ
        waits = self.headers.get("Expect", "").strip().lower() == "100-continue"
        body = _Body(environ["wsgi.input"], None if chunked else int(length), self.wire, waits=waits)
        environ["wsgi.input"] = io.BufferedReader(body, _BUFFER)
        environ["wsgi.input_terminated"] = True
        environ[CONNECTION_KEY] = self.wire
        try:
            self._answer(environ, body)
            self._pass_over(body)
        except ConnectionDroppedError as drop:
            self._drop(drop.how)

    def _answer(self, environ: WSGIEnvironment, body: _Body) -> None:
        reply = _Reply(self.command, self.wire.send, lambda: self._own_headers(body))
        try:
            with closing(ClosingIterator(self.server.app(environ, reply.start))) as pieces:
                for data in reply.pieces(pieces):
                    reply.write(data)
                if not reply.begun:
                    reply.write(b"")
        except (ConnectionError, TimeoutError, ClientDisconnected, ConnectionDroppedError):
            raise
        except Exception:
            logging.getLogger(__name__).exception("the application broke")
            self.close_connection = True
            if not reply.begun:
                reply.start("500 Internal Server Error", [("Content-Type", "text/plain; charset=UTF-8")])
                for data in reply.pieces([b"500 Internal Server Error\n"]):
                    reply.write(data)
        self.close_connection |= reply.owed != 0

    def _own_headers(self, body: _Body) -> _Headers:
        # a client that still waits for leave may send its body, or may not: no request can safely follow
        self.close_connection |= body.waits or not body.sound
        last = [("Connection", "close")] if self.close_connection else []
        return [("Server", "sandbox-index"), ("Date", format_datetime(self.server.clock(), usegmt=True)), *last]

    def _pass_over(self, body: _Body) -> None:
        """Read what nobody read, or the next request would begin with it."""
        room = _UNREAD
        while body.sound and not body.waits and body.left != 0 and room > 0 and (data := body.read(STEP)):
            room -= len(data)
        if body.left != 0:
            self.close_connection = True
            self.wire.part()

    def _drop(self, how: DropMode) -> None:
        self.close_connection = True
        self.wire.end(how)
        if how == "reset":  # before socketserver, whose way is to shut down first: FIN
            self.rfile.close()
            self.connection.close()

    def log_request(self, *_: object) -> None:
        """Nothing on stderr: the request log is elsewhere."""

    def log(self, *_: object) -> None:
        """Nothing either."""

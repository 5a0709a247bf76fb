"""HTTP/1.1 with one thread per connection: connections are kept alive, reason phrases are the application's.

Based on werkzeug's development server, which closes the connection after each response.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import socketserver
import ssl
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import datetime
from email.message import Message
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator

from release.core.errors import UsageError
from release.core.harmless import harmless_lines
from release.sandbox.connection import CHUNK, CONNECTION_KEY, Connection, ConnectionDroppedError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

#: the first byte of a TLS handshake. Source: RFC 8446, 5.1
_TLS_HANDSHAKE = b"\x16"
_NO_TLS = b"HTTP/1.1 400 This port speaks plain HTTP\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_NO_PLAIN_HTTP = _NO_TLS.replace(b"plain HTTP", b"HTTPS")
#: bytes of an unread body that are discarded so that the connection can be kept
_MAX_DISCARD = 1024 * 1024 * 1024
#: seconds for requests in progress to end when the server closes
_SHUTDOWN_TIME = 5
_BUFFER = 64 * 1024
_Headers = list[tuple[str, str]]
#: what breaks a connection without being an error of the application
_DISCONNECTED = (ConnectionError, TimeoutError, ClientDisconnected, ssl.SSLError)


class Server(ThreadedWSGIServer):
    """Listens at once; sets `closing` when it stops. Raises UsageError if the port cannot be used.

    With `tls`, each connection has its handshake in its own thread; a client that speaks plain HTTP gets a 400.
    """

    # on Windows, this option allows two servers on one port
    allow_reuse_address = os.name != "nt"

    def __init__(  # noqa: PLR0913 - all of them are parts of one server
        self,
        host: str,
        port: int,
        app: WSGIApplication,
        closing: threading.Event,
        clock: Callable[[], datetime],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.closing, self.clock = closing, clock
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(host, port, app, handler=_Handler)
        self.ssl_context = tls  # werkzeug would let the handshake of one client delay all others

    def server_bind(self) -> None:
        """Bind, without the reverse DNS lookup of the host, which can take many seconds.

        werkzeug prints and exits if the port is in use; here that is an error like others.
        """
        try:
            socketserver.TCPServer.server_bind(self)
        except OSError as error:
            raise UsageError(
                f"cannot use port {self.port}: {error}", remedy="choose another port, or none for a free one"
            ) from None
        self.server_name, self.server_port = self.host, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in its own thread."""
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name=f"sandbox client {client_address[1]}", daemon=True
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.process_request_thread(self._encrypted(request), client_address)
        except OSError as error:
            logging.getLogger(__name__).debug("no TLS handshake: %s", error)
        finally:
            with self._lock:
                connection = self._open.pop(threading.current_thread())
            self.shutdown_request(connection)

    def _encrypted(self, request: socket.socket) -> socket.socket:
        """Return the connection after its TLS handshake, if this server has TLS. Raises OSError if that fails."""
        if self.ssl_context is None:
            return request
        if request.recv(1, socket.MSG_PEEK) != _TLS_HANDSHAKE:
            plain = Connection(request, self.closing)
            plain.send(_NO_PLAIN_HTTP)
            plain.finish()
            raise ConnectionAbortedError
        encrypted = self.ssl_context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open[threading.current_thread()] = encrypted
        if self.closing.is_set():
            raise ConnectionAbortedError
        encrypted.do_handshake()
        return encrypted

    def shutdown_request(self, request: Any) -> None:
        """End a connection; one with TLS with `close_notify`, without which its end looks like an attack."""
        if isinstance(request, ssl.SSLSocket):
            with suppress(OSError, ValueError):  # the client's own is not waited for, or the connection is closed
                request.settimeout(0)
                request.unwrap()
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening and end every connection."""
        super().server_close()
        self.closing.set()
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            with suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not SSLSocket's: its thread still reads
        for thread in still_open:
            thread.join(_SHUTDOWN_TIME)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """Log what broke a connection."""
        logging.getLogger(__name__).error("a connection failed: %s", harmless_lines(traceback.format_exc()))


class _Body(io.RawIOBase):
    """The body of one request, without any byte of the next; reading it sends `100 Continue` to a waiting client."""

    def __init__(self, stream: IO[bytes], length: int | None, connection: Connection, *, waits: bool) -> None:
        #: bytes still to be read; None for a chunked body, and 0 after its end
        self.left = length
        #: whether the client waits for `100 Continue`
        self.waits = waits
        #: whether all data so far was well-formed; if not, the start of the next request is unknown
        self.valid = True
        self._stream, self._connection = stream, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Raises ClientDisconnected if the client disconnects before the end, OSError for a malformed chunk."""
        if self.left == 0:
            return 0
        if self.waits:
            self.waits = False
            self._connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        view, up = memoryview(buffer).cast("B"), self._connection.up
        view = view[: self.left][: up.chunk if up else None]
        self.valid = False
        try:
            count: int = self._stream.readinto(view)  # type: ignore[attr-defined] # both kinds of stream have it
        except ssl.SSLError:
            raise ClientDisconnected from None
        if self.left is None:
            self.left = None if count else 0
        elif count == 0:
            raise ClientDisconnected
        else:
            self.left -= count
        self.valid = True
        if up:
            up.wait(count)
        return count


class _ResponseWriter:
    """Sends a response; its head is sent together with the first piece of its body."""

    def __init__(self, method: str, send: Callable[[bytes], None], server_headers: Callable[[], _Headers]) -> None:
        self._method, self._send, self._server_headers = method, send, server_headers
        self.status = ""
        self._headers = Headers()
        self.started = False
        #: bytes of the body that the head announces and that are not sent yet
        self.missing = 0

    def start(self, status: str, headers: _Headers, _: object = None) -> Callable[[bytes], object]:
        """WSGI's `start_response`."""
        self.status, self._headers = status, Headers(headers)
        return self.write

    def write_all(self, body: Iterable[bytes]) -> None:
        """Send the body; without a Content-Length, join it first to know the length."""
        if "Content-Length" not in self._headers and not self._bodiless:
            whole = b"".join(body)
            self._headers["Content-Length"] = str(len(whole))
            body = [whole]
        for data in body:
            self.write(data)
        if not self.started:
            self.write(b"")

    def write(self, data: bytes) -> None:
        """Send a piece; the first time, even if it is empty, with the head before it."""
        if self._bodiless:
            data = b""
        head = b""
        if not self.started:
            self.started = True
            self.missing = 0 if self._bodiless else int(self._headers.get("Content-Length", 0))
            lines = [f"HTTP/1.1 {self.status}"]
            lines += [f"{name}: {value}" for name, value in (*self._server_headers(), *self._headers)]
            head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.missing -= len(data)
        if head or data:
            self._send(head + data)

    @property
    def _bodiless(self) -> bool:
        return self._method == "HEAD" or self.status.startswith(("1", "204", "304"))  # RFC 9110, 6.4.1


class _RequestHeaders(Message):
    """The headers of a request, without its body, which the parser of mails would look for parts in."""

    def get_content_maintype(self) -> str:
        """Claim to have no parts: the parser compiles a pattern for each new boundary, which takes 2 ms."""
        return "text"


class _Handler(WSGIRequestHandler):
    """Handles one connection, request by request."""

    protocol_version = "HTTP/1.1"
    MessageClass = _RequestHeaders
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.sandbox_connection = Connection(self.connection, self.server.closing)

    def handle(self) -> None:
        """Serve until one side closes; a client that disconnects is not an error."""
        with suppress(*_DISCONNECTED):
            BaseHTTPRequestHandler.handle(self)

    def handle_one_request(self) -> None:
        """Handle one request; send a plain response to a TLS client, so that its handshake fails at once."""
        if self.rfile.peek(1)[:1] == _TLS_HANDSHAKE:  # type: ignore[attr-defined] # a BufferedReader
            self.close_connection = True
            self.sandbox_connection.send(_NO_TLS)
            return
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Send nothing yet: `_Body` does when the application reads."""
        return True

    def run_wsgi(self) -> None:
        """Answer one request."""
        self.sandbox_connection.next_request()
        self.close_connection |= self.request_version < "HTTP/1.1"
        self.environ = environ = self.make_environ()
        length = environ.get("CONTENT_LENGTH", "") or "0"
        if not (length.isascii() and length.isdigit()):
            self.send_error(400, "Bad Content-Length")
            return
        chunked = "wsgi.input_terminated" in environ
        waits = self.headers.get("Expect", "").strip().lower() == "100-continue"
        stream = environ["wsgi.input"]
        body = _Body(stream, None if chunked else int(length), self.sandbox_connection, waits=waits)
        environ["wsgi.input"] = io.BufferedReader(body, _BUFFER)
        environ["wsgi.input_terminated"] = True
        environ[CONNECTION_KEY] = self.sandbox_connection
        try:
            self._respond(environ, body)
            self._discard_rest(body)
        except ConnectionDroppedError as drop:
            self.close_connection = True
            self.sandbox_connection.drop(drop.how)
            if drop.how == "reset":  # before socketserver, which shuts down first: FIN
                self.rfile.close()
                self.connection.close()

    def _respond(self, environ: WSGIEnvironment, body: _Body) -> None:
        writer = _ResponseWriter(self.command, self.sandbox_connection.send, lambda: self._server_headers(body))
        try:
            with closing(ClosingIterator(self.server.app(environ, writer.start))) as pieces:
                writer.write_all(pieces)
        except (*_DISCONNECTED, ConnectionDroppedError):
            raise
        except Exception:  # noqa: BLE001 - logged, with the words of a request in it
            text = harmless_lines(traceback.format_exc())
            logging.getLogger(__name__).error("the application failed: %s", text)  # noqa: TRY400 - it is in the text
            self.close_connection = True
            if not writer.started:
                writer.start("500 Internal Server Error", [("Content-Type", "text/plain; charset=UTF-8")])
                writer.write_all([b"500 Internal Server Error\n"])
        self.close_connection |= writer.missing != 0

    def _server_headers(self, body: _Body) -> _Headers:
        # a client that still waits for `100 Continue` may or may not send its body: no request can safely follow
        self.close_connection |= body.waits or not body.valid
        last = [("Connection", "close")] if self.close_connection else []
        return [("Server", "sandbox-index"), ("Date", format_datetime(self.server.clock(), usegmt=True)), *last]

    def _discard_rest(self, body: _Body) -> None:
        """Read the rest of the body, which would otherwise be taken for the next request."""
        left = _MAX_DISCARD
        while body.valid and not body.waits and body.left != 0 and left > 0 and (data := body.read(CHUNK)):
            left -= len(data)
        if body.left != 0:
            self.close_connection = True
            self.sandbox_connection.finish()

    def log(self, *_: object) -> None:
        """Write nothing to stderr: requests are logged by the request log."""

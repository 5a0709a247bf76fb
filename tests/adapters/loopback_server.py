"""A server on loopback whose responses a test determines, and which records the requests."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


@dataclass
class ReceivedRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    #: the client's port: tells one connection from another
    connection: int


@dataclass
class Server:
    url: str
    asked: list[ReceivedRequest] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Answer
    before_body = False
    server_record: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ValueError):
            self.close_connection = True

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = b"" if self.before_body else self.rfile.read(length)
        names = {name.lower(): value for name, value in self.headers.items()}
        self.server_record.asked.append(ReceivedRequest(self.command, self.path, names, body, self.client_address[1]))
        type(self).answer(self)

    do_GET = do_HEAD = do_POST = do_CONNECT = _handle  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        pass

    def reply(
        self,
        status: int,
        body: str | bytes = b"",
        *,
        reason: str | None = None,
        kind: str = "text/plain",
        **headers: str,
    ) -> None:
        """Send an ordinary response. `_` in a header name is sent as `-`."""
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status, reason)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def reset(self) -> None:
        """Reset the connection (RST)."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


@contextmanager
def loopback_server(answer: Answer, *, before_body: bool = False) -> Iterator[Server]:
    """A server that passes every request to `answer`; `before_body`: without reading its body first."""
    record = Server(url="")
    handler = type(
        "Bound", (Handler,), {"server_record": record, "before_body": before_body, "answer": staticmethod(answer)}
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        record.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield record
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

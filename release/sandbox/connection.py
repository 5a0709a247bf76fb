"""One connection, as far as faults affect it: its throughput, and how it ends."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from release.sandbox.faults import DropMode

#: where the server leaves the connection of a request for the middleware, in the WSGI environment
CONNECTION_KEY = "release.sandbox.connection"
#: bytes that are read or written at once
CHUNK = 256 * 1024
#: seconds that one chunk may take at a low rate
_CHUNK_TIME = 0.05
#: seconds of unused throughput that may be caught up on; more would lift the limit after a pause
_BURST = 0.1
#: seconds; schedulers cannot wait for less
_SHORTEST_WAIT = 0.0005
#: seconds between two checks whether a waiting client is still connected
_POLL = 0.05
#: seconds for which a client may go on sending after FIN
_LINGER_TIME = 2
#: what no client accepts as HTTP
_GARBAGE = b"\x00\xfe\xffthis is no answer\x00\r\n\x00\r\n\r\n" * 4

Sleep = Callable[[float], None]


class ConnectionDroppedError(Exception):
    """A fault ends this connection; the server does so when it receives this exception."""

    def __init__(self, how: DropMode) -> None:
        super().__init__(how)
        self.how = how


class Throttle:
    """Limits the rate in one direction, in bytes a second; `sleep` is trusted to take the requested time."""

    def __init__(self, rate: float, sleep: Sleep) -> None:
        #: bytes to transfer at once
        self.chunk = int(min(max(rate * _CHUNK_TIME, 1), CHUNK))
        self._rate, self._sleep = rate, sleep
        self._start = time.monotonic()
        #: seconds since the start: when the bytes so far are due, and the time slept
        self._due = self._slept = 0.0

    def wait(self, count: int) -> None:
        """Wait until `count` more bytes are due."""
        elapsed = max(time.monotonic() - self._start, self._slept)
        self._due = max(self._due, elapsed - _BURST) + count / self._rate
        wait = self._due - elapsed
        if wait > _SHORTEST_WAIT:
            self._sleep(wait)
            self._slept += wait


class Connection:
    """A connection of the server; the throttles are those of the current request."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection, self._closing = connection, closing
        #: number of the request on this connection, from 1
        self.number = 0
        self.up: Throttle | None = None
        self.down: Throttle | None = None

    def next_request(self) -> None:
        self.number += 1
        self.up = self.down = None

    def send(self, data: bytes) -> None:
        """Send all data, at the limited rate if there is one."""
        if self.down is None:
            self._connection.sendall(data)
            return
        for start in range(0, len(data), self.down.chunk):
            piece = data[start : start + self.down.chunk]
            self._connection.sendall(piece)
            self.down.wait(len(piece))

    def drop(self, how: DropMode) -> None:
        """Do what is needed before the connection is closed."""
        if how == "hang":
            self._wait_for_client()
        elif how == "reset":
            linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # on, with a time of zero: closing sends RST
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            self._connection.sendall(_GARBAGE if how == "garbage" else b"")
            self.finish()

    def finish(self) -> None:
        """Send FIN, then read what the client still sends: closing with unread bytes would send RST."""
        deadline = time.monotonic() + _LINGER_TIME
        with suppress(OSError):  # time is up, or the client has closed the connection
            self._connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv(CHUNK):
                    return

    def _wait_for_client(self) -> None:
        """Stay silent until the client disconnects, as far as that is detectable, or the server stops."""
        self._connection.settimeout(_POLL)
        while not self._closing.wait(_POLL):
            with suppress(TimeoutError):
                if not self._connection.recv(CHUNK):
                    return

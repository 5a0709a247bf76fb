"""One connection, as far as a fault may touch it: how fast it goes, and how it ends."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from release.sandbox.faults import DropMode

#: where the server leaves the connection of a request for the middleware
CONNECTION_KEY = "release.sandbox.connection"
#: bytes that are read or written at once
STEP = 256 * 1024
#: seconds that one step at a low rate may take
_PATIENCE = 0.05
#: seconds that are caught up on after a pause; no more, or a pause would lift the limit
_CREDIT = 0.1
#: waits that are shorter than a scheduler can be asked for, in seconds
_MOMENT = 0.0005
#: seconds between two looks at whether a client that is kept waiting is still there
_LOOK = 0.05
#: seconds for which a client may go on sending after FIN
_FAREWELL = 2
#: what no client takes for HTTP
_GARBAGE = b"\x00\xfe\xffthis is no answer\x00\r\n\x00\r\n\r\n" * 4
#: SO_LINGER, on and for no time: closing sends RST
_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)

Sleep = Callable[[float], None]


class ConnectionDroppedError(Exception):
    """A fault ends this connection; the server does so where this reaches it."""

    def __init__(self, how: DropMode) -> None:
        super().__init__(how)
        self.how = how


class Throttle:
    """A rate in one direction; `sleep` is trusted to take as long as it is asked to."""

    def __init__(self, rate: float, sleep: Sleep) -> None:
        #: bytes to move at once
        self.step = int(min(max(rate * _PATIENCE, 1), STEP))
        self._rate, self._sleep = rate, sleep
        self._begun = time.monotonic()
        #: seconds from the beginning: when the bytes so far are due, and what was slept
        self._due = self._slept = 0.0

    def moved(self, count: int) -> None:
        """Wait until so many bytes more are due."""
        gone = max(time.monotonic() - self._begun, self._slept)
        self._due = max(self._due, gone - _CREDIT) + count / self._rate
        wait = self._due - gone
        if wait > _MOMENT:
            self._sleep(wait)
            self._slept += wait


class Connection:
    """A connection of the server; its rates are those of the request that is under way."""

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
        """Send it all, at the pace that is set."""
        if self.down is None:
            self._connection.sendall(data)
            return
        for start in range(0, len(data), self.down.step):
            piece = data[start : start + self.down.step]
            self._connection.sendall(piece)
            self.down.moved(len(piece))

    def end(self, how: DropMode) -> None:
        """What happens before the connection is closed."""
        if how == "hang":
            self._keep_silent()
        elif how == "reset":
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        else:
            self._connection.sendall(_GARBAGE if how == "garbage" else b"")
            self.part()

    def part(self) -> None:
        """Send FIN, and hear the client out: closing on bytes that nobody read would send RST."""
        deadline = time.monotonic() + _FAREWELL
        with suppress(OSError):  # time is up, or it has gone already
            self._connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._connection.settimeout(left)
                if not self._connection.recv(STEP):
                    return

    def _keep_silent(self) -> None:
        """Until the client goes, as far as that can be seen, or the server does."""
        self._connection.settimeout(_LOOK)
        while not self._closing.wait(_LOOK):
            with suppress(TimeoutError):
                if not self._connection.recv(1, socket.MSG_PEEK):
                    return

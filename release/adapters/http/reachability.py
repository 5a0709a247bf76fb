"""Whether a host resolves and accepts connections, within a time limit."""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from release.adapters.http import errors as http_errors
from release.core.models.index import host_of

#: seconds to connect, seconds of silence in an answer
TIMEOUT = (10.0, 30.0)


#: seconds that name resolution, and each address, gets in the first look
_LOOK = 5.0


def check_reachable(url: str) -> None:
    """Resolve the host of a URL and connect to it. Raises `UnreachableError`, which says what failed."""
    host = host_of(url)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    failure: OSError = TimeoutError()
    deadline = time.monotonic() + 2 * _LOOK
    for family, kind, protocol, _, address in _resolve(host, port):
        try:
            with socket.socket(family, kind, protocol) as one:
                one.settimeout(max(0.1, min(_LOOK, deadline - time.monotonic())))
                one.connect(address)
                return
        except OSError as error:
            failure = error
    raise http_errors.connection_error(host, port, failure)


def _resolve(host: str, port: int) -> list[Any]:
    """Addresses of a host. The system's resolver knows no time limit, so it gets one here."""
    answers: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA can't encode
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_LOOK)
    except queue.Empty:
        answer = TimeoutError("the name server did not answer")
    if isinstance(answer, list):
        return answer
    raise http_errors.resolution_error(host, answer)

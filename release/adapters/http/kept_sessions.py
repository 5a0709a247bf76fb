"""Sessions that stay open after a request, so that the next one to the same host needs no new connection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests


class KeptSessions:
    """The open sessions of all threads that use them; each is in one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: scheme and host → the sessions that are in no request
        self._idle: dict[tuple[str, ...], list[requests.Session]] = {}

    @contextmanager
    def used_here(self) -> Iterator[Self]:
        """In this thread, `http_client.session` takes its sessions from here, until the end of the block."""
        before = KEPT.set(self)
        try:
            yield self
        finally:
            KEPT.reset(before)

    @contextmanager
    def session(self, url: str, make: Callable[[], requests.Session]) -> Iterator[requests.Session]:
        """An idle session for the host of `url`, or a new one. After an exception it is closed, and not used again."""
        key = urlsplit(url)[:2]
        with self._lock:
            idle = self._idle.setdefault(key, [])
            taken = idle.pop() if idle else None
        session = taken if taken is not None else make()
        try:
            yield session
        except BaseException:
            session.close()
            raise
        session.cookies.clear()  # each request is the first one to its host
        with self._lock:
            idle.append(session)

    def close(self) -> None:
        """Close the sessions that are in no request."""
        with self._lock:
            sessions = [one for idle in self._idle.values() for one in idle]
            self._idle.clear()
        for one in sessions:
            one.close()


#: the sessions that this thread uses; None: each request has a session of its own
KEPT: ContextVar[KeptSessions | None] = ContextVar("kept_sessions", default=None)

"""Connections that are kept, for whoever asks the same few hosts thousands of things; and manners towards the hosts.

In a thread that is inside of `keeping`, `release.adapters.http.http_client.session` hands out one session again and
again. Every request then waits for its turn at its host, and a host that is gone is left alone for a while.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from release.core.errors import UnreachableError
from release.core.models.index import host_of

if TYPE_CHECKING:
    import requests

#: failures of a host, one after the other, until it is left alone
_ENOUGH = 3
#: seconds until one request tries again whether it is back
_REST = 5.0
#: seconds; the longest that a host's Retry-After holds everybody back
_LONGEST_HOLD = 60.0
#: of the time between two requests to a host, how much of it may be added by chance
_JITTER = 0.1
_TOO_MANY, _BUSY = 429, 503


@dataclass(slots=True)
class _Host:
    """What is known of one host."""

    #: when the next request may go; by the monotonic clock, like all of these
    free: float = 0.0
    failures: int = 0
    #: when somebody last tried though it had failed
    tried: float = 0.0
    #: what its failure was
    error: UnreachableError | None = None
    looked_at: bool = False
    #: one at a time may go
    gate: threading.Lock = field(default_factory=threading.Lock)
    #: one at a time finds out whether it is there at all
    looking: threading.Lock = field(default_factory=threading.Lock)


class Manners:
    """How all threads together treat the hosts: `rate` requests a second to each."""

    def __init__(
        self, rate: float, *, sleep: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._between = 1 / rate
        self._sleep, self._clock = sleep, clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def arrive(self, url: str, look: Callable[[str], None]) -> None:
        """Before a session for `url`: once, `look` whether anybody is there. Raises `UnreachableError`."""
        host = self._host(url)
        self._refuse_if_gone(host)
        with host.looking:
            if host.looked_at:
                return
            self._refuse_if_gone(host)
            try:
                look(url)
            except UnreachableError as error:
                self.failed(url, error, at_once=True)
                raise
            host.looked_at = True

    def wait(self, url: str) -> None:
        """Until it is this request's turn. Raises `UnreachableError` where the host is gone for now."""
        host = self._host(url)
        self._refuse_if_gone(host)
        with host.gate:  # whoever waits keeps the others behind: two late sleepers never go at the same time
            rest = host.free - self._clock()
            if rest > 0:
                self._sleep(rest)
            jitter = 1 + random.random() * _JITTER  # noqa: S311 - manners, no secret
            host.free = max(host.free, self._clock() + self._between * jitter)

    def answered(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        """It is there; where it asks for patience, everybody has it."""
        host = self._host(url)
        hold = 0.0
        if status in {_TOO_MANY, _BUSY}:
            with suppress(ValueError):
                hold = min(float(headers.get("Retry-After", "")), _LONGEST_HOLD)
        with self._lock:
            host.failures, host.error = 0, None
            host.free = max(host.free, self._clock() + hold)

    def failed(self, url: str, error: UnreachableError, *, at_once: bool = False) -> None:
        """It did not answer; `at_once`: and need not be tried any more for now."""
        host = self._host(url)
        with self._lock:
            host.failures = _ENOUGH if at_once else host.failures + 1
            host.error, host.tried = error, self._clock()

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(urlsplit(url).netloc.rpartition("@")[2].lower(), _Host())

    def _refuse_if_gone(self, host: _Host) -> None:
        with self._lock:
            if host.error is None or host.failures < _ENOUGH:
                return
            if self._clock() - host.tried < _REST:
                raise UnreachableError(host.error.message, remedy=host.error.remedy, cause=host.error.cause)
            host.tried = self._clock()  # this one finds out; the others go on waiting


class Keeper:
    """The sessions of one thread, one for each host."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self._sessions: dict[str, requests.Session] = {}

    def session(self, url: str, make: Callable[[Any], requests.Session]) -> requests.Session:
        """The one for `url`'s host; `make` makes it, of the adapter that minds the manners."""
        where = urlsplit(url)
        key = f"{where.scheme}://{where.netloc}"
        if key not in self._sessions:
            self._sessions[key] = make(_adapter(self.manners))
        return self._sessions[key]

    def close(self) -> None:
        for one in self._sessions.values():
            one.close()


_HERE: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


def here() -> Keeper | None:
    """The keeper of this thread; None: every question gets a connection of its own."""
    return _HERE.get()


@contextmanager
def keeping(manners: Manners) -> Iterator[None]:
    """In this thread, keep connections until the end of the block."""
    keeper = Keeper(manners)
    before = _HERE.set(keeper)
    try:
        yield
    finally:
        _HERE.reset(before)
        keeper.close()


def _adapter(manners: Manners) -> Any:
    import requests
    from requests.adapters import HTTPAdapter

    from release.adapters.http import errors as http_errors
    from release.adapters.http import reachability

    class Polite(HTTPAdapter):
        """Waits for its turn, and tells how it went. A mere look is tried twice: a kept connection may be stale."""

        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            options["timeout"] = options.get("timeout") or reachability.TIMEOUT
            url = request.url or ""
            for last in (request.method not in {"GET", "HEAD"}, True):
                manners.wait(url)
                try:
                    response = super().send(request, *args, **options)
                except requests.RequestException as error:
                    if not last and http_errors.error_kind(error) == "connection":
                        continue
                    manners.failed(url, http_errors.request_error(url, error))
                    raise
                manners.answered(url, response.status_code, response.headers)
                return response
            raise AssertionError(f"the last attempt at {host_of(url)} returns or raises")

    return Polite(max_retries=0, pool_connections=1, pool_maxsize=1)

"""A rate limit and a circuit breaker for each host, shared by all threads that send many requests."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from release.core.errors import UnreachableError

#: consecutive failures of a host after which requests to it are refused
_MAX_FAILURES = 3
#: seconds until one request may test whether the host is back
_RETEST_AFTER = 5.0
#: seconds; the longest delay that a host's Retry-After can cause
_MAX_DELAY = 60.0
#: the random addition to the time between two requests, as a part of it
_JITTER = 0.1
_TOO_MANY, _BUSY = 429, 503


@dataclass(slots=True)
class _Host:
    """The state of one host; times are those of the monotonic clock."""

    #: when the next request may be sent
    next_request: float = 0.0
    failures: int = 0
    last_attempt: float = 0.0
    error: UnreachableError | None = None
    reachable: bool = False
    #: serializes delayed requests
    turn: threading.Lock = field(default_factory=threading.Lock)
    #: serializes the test whether the host can be reached at all
    test: threading.Lock = field(default_factory=threading.Lock)


class RateLimit:
    """Allows `rate` requests a second to each host, and none for a while to a host that is down."""

    def __init__(
        self, rate: float, *, sleep: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / rate
        self._sleep, self._clock = sleep, clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def test_once(self, url: str, test: Callable[[str], None]) -> None:
        """Call `test` for the first request to a host. Raises `UnreachableError`."""
        host = self._host(url)
        self._refuse_if_down(host)
        with host.test:
            if host.reachable:
                return
            self._refuse_if_down(host)
            try:
                test(url)
            except UnreachableError as error:
                self.failed(url, error, failures=_MAX_FAILURES)
                raise
            host.reachable = True

    def wait(self, url: str) -> None:
        """Sleep until the request may be sent. Raises `UnreachableError` while the host is down."""
        host = self._host(url)
        self._refuse_if_down(host)
        with host.turn:  # held while sleeping, so that two delayed requests are never sent at once
            delay = host.next_request - self._clock()
            if delay > 0:
                self._sleep(delay)
            jitter = 1 + random.random() * _JITTER  # noqa: S311 - not for cryptography
            host.next_request = max(host.next_request, self._clock() + self._interval * jitter)

    def answered(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        """Record a response; its Retry-After delays all threads."""
        host = self._host(url)
        delay = 0.0
        if status in {_TOO_MANY, _BUSY}:
            with suppress(ValueError):
                delay = min(float(headers.get("Retry-After", "")), _MAX_DELAY)
        with self._lock:
            host.failures, host.error = 0, None
            host.next_request = max(host.next_request, self._clock() + delay)

    def failed(self, url: str, error: UnreachableError, *, failures: int = 1) -> None:
        """Record that no response came; it counts as so many `failures`."""
        host = self._host(url)
        with self._lock:
            host.failures += failures
            host.error, host.last_attempt = error, self._clock()

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(urlsplit(url).netloc.rpartition("@")[2].lower(), _Host())

    def _refuse_if_down(self, host: _Host) -> None:
        with self._lock:
            if host.error is None or host.failures < _MAX_FAILURES:
                return
            if self._clock() - host.last_attempt < _RETEST_AFTER:
                raise UnreachableError(host.error.message, remedy=host.error.remedy, cause=host.error.cause)
            host.last_attempt = self._clock()  # this request tests the host; others are still refused

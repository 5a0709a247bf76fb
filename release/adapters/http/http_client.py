"""The HTTP client: limits of size and time, retries, and optionally shared sessions with a rate limit per host.

A request never carries a credential that its caller did not add, and every failure is an `UnreachableError`. Every
request of this program goes through `session`, but for those of twine's child, which uses the same adapter, and of
other programs and libraries: `tests/adapters/http/test_single_client.py` lists them.
"""

from __future__ import annotations

import os
import queue
import random
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from release.adapters.http import errors as http_errors
from release.adapters.http import response_limits
from release.adapters.http.kept_sessions import KEPT
from release.adapters.http.response_limits import ResponseLimits
from release.adapters.system import debug_log
from release.core.errors import UnreachableError
from release.core.models.index import host_of, is_loopback
from release.core.struct_fields import repr_without

if TYPE_CHECKING:
    import requests


#: seconds to connect, seconds without data while a response is read
TIMEOUT = (10.0, 25.0)
#: retries of a GET by default, after 0.5, 1, 2, 4 s and up to 0.5 s more
_RETRIES = 4
_RETRIED_STATUSES = (429, 500, 502, 503, 504)
#: methods that are safe to retry
_RETRIED_METHODS = ("GET", "HEAD")
#: seconds for name resolution, and for each address, before anything is imported
_TEST_TIME = 5.0
#: variables of common tools that name a CA bundle, by precedence
_CA_VARIABLES = ("TWINE_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: consecutive failures of a host after which requests to it are refused
_MAX_FAILURES = 3
_VERSION_LOCK = threading.Lock()
#: seconds until one request may test whether the host is back
_RETEST_AFTER = 5.0


class Route(Struct, frozen=True, kw_only=True):
    """How a URL is reached from this machine."""

    #: scheme → address of the proxy, which may hold a password; empty: no proxy
    proxies: Mapping[str, str]
    #: file or directory of CA certificates; None: those that come with requests
    ca: str | None

    def __repr__(self) -> str:
        return repr_without(self, "proxies")


def route(url: str) -> Route:
    """Proxies and CA certificates for a URL, from the environment and the system's settings.

    Loopback addresses use no proxy. Raises `UnreachableError` where a CA bundle or SOCKS support is missing.
    """
    ca = next((value for name in _CA_VARIABLES if (value := os.environ.get(name))), None)
    if ca is not None and not Path(ca).exists():
        raise http_errors.missing_ca_bundle(ca)
    netloc = urlsplit(url).netloc.rpartition("@")[2]
    if is_loopback(host_of(url)) or urllib.request.proxy_bypass(netloc):
        return Route(proxies={}, ca=ca)
    known = urllib.request.getproxies()
    proxies = {scheme: proxy for scheme in ("http", "https") if (proxy := known.get(scheme) or known.get("all"))}
    if any(proxy.startswith("socks") for proxy in proxies.values()) and find_spec("socks") is None:
        raise http_errors.missing_socks_support()
    return Route(proxies=proxies, ca=ca)


@contextmanager
def session(
    url: str, *, retries: int | None = None, limits: ResponseLimits = response_limits.ANSWER
) -> Iterator[requests.Session]:
    """A `requests.Session` for `url` and its redirects; exceptions of requests become `UnreachableError`.

    A response that exceeds the `limits` is one too, and is not requested again. The host is tested before requests is
    imported, so that a command fails at once without a network. Inside `shared_sessions`, the session is the thread's
    own, stays open, and has the retries of the rate limit. Where `KeptSessions` are used, it may be one of them.
    """
    with ExitStack() as stack:
        if shared := _SHARED.get():
            limit, sessions = shared
            key = urlsplit(url)[:2]
            opened = sessions.get(key) or sessions.setdefault(key, _open(url, limit=limit))
        elif retries is None and (kept := KEPT.get()) is not None:  # only a retry can replace a connection that broke
            opened = stack.enter_context(kept.session(url, lambda: _open(url, retries=_RETRIES)))
        else:
            opened = stack.enter_context(_open(url, retries=_RETRIES if retries is None else retries))
        import requests

        from release.adapters.http.bounded_response import LIMITS

        before = LIMITS.set(limits)
        stack.callback(LIMITS.reset, before)
        try:
            yield opened
        except requests.RequestException as error:
            raise http_errors.request_error(url, error) from error


#: the rate limit of all threads, and the sessions of this one by scheme and host
_SHARED: ContextVar[tuple[RateLimit, dict[tuple[str, ...], requests.Session]] | None]
_SHARED = ContextVar("shared_sessions", default=None)


@contextmanager
def shared_sessions(limit: RateLimit) -> Iterator[None]:
    """In this thread, `session` returns one session for each host, until the end of the block."""
    sessions: dict[tuple[str, ...], requests.Session] = {}
    before = _SHARED.set((limit, sessions))
    try:
        yield
    finally:
        _SHARED.reset(before)
        for one in sessions.values():
            one.close()


def _open(url: str, *, retries: int = 0, limit: RateLimit | None = None) -> requests.Session:
    """A session for `url`, once the host is known to be reachable.

    A GET or HEAD without a response, or with a status of `_RETRIED_STATUSES`, is retried. With a rate limit, it is
    retried once, and only where the connection broke: the server may have closed one that was kept open.
    """
    way = route(url)
    if urlsplit(url).scheme not in way.proxies:
        test = limit.test_once if limit else check_reachable
        test(url)
    from release.adapters.http.bounded_adapter import BoundedSession

    made = BoundedSession()
    made.proxies.update(way.proxies)
    made.verify = way.ca or True
    made.headers["User-Agent"] = user_agent()
    adapter = _adapter(retries, limit)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def _adapter(retries: int, limit: RateLimit | None) -> Any:
    import requests

    from release.adapters.http.bounded_adapter import BoundedAdapter
    from release.adapters.http.bounded_retry import BoundedRetry

    class Adapter(BoundedAdapter):
        """Sets the time limits, and sends requests within the rate limit."""

        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            options["timeout"] = options.get("timeout") or TIMEOUT
            if limit is None:
                return self._send(request, *args, **options)
            url, retry = request.url or "", request.method in _RETRIED_METHODS
            while True:
                limit.wait(url)
                try:
                    response = self._send(request, *args, **options)
                except requests.RequestException as error:
                    if retry and http_errors.error_kind(error) == "connection":
                        retry = False
                        continue
                    limit.failed(url, http_errors.request_error(url, error))
                    raise
                except UnreachableError as error:
                    limit.failed(url, error)
                    raise
                limit.answered(url, response.status_code, response.headers)
                return response

        def _send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            """Send it once, and record it for `--debug`: without headers, queries and credentials."""
            what = f"{request.method} {(request.url or '').partition('?')[0]}"
            try:
                response = super().send(request, *args, **options)
            except requests.RequestException as error:
                debug_log.record(f"{what}: {type(error).__name__}: {error}")
                raise
            debug_log.record(f"{what}: {response.status_code} {response.reason}")
            return response

    if limit is not None:
        return Adapter(max_retries=0, pool_connections=1, pool_maxsize=1)
    retry = BoundedRetry(
        total=retries, backoff_factor=0.5, backoff_jitter=0.5, status_forcelist=_RETRIED_STATUSES,
        allowed_methods=_RETRIED_METHODS, raise_on_status=False, retry_after_max=86_400,
    )  # fmt: skip
    return Adapter(max_retries=retry)


def encode_form(fields: Iterable[tuple[str, str | tuple[str, bytes, str]]]) -> tuple[bytes, str]:
    """A multipart form, and its type. A value is a text, or a file's name, bytes and type."""
    from urllib3.filepost import encode_multipart_formdata

    return encode_multipart_formdata(list(fields))


def user_agent() -> str:
    """The `User-Agent` of all requests."""
    with _VERSION_LOCK:  # else all threads of a pool search for the version at the same time
        return _user_agent()


@lru_cache(maxsize=1)
def _user_agent() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"pypi-preflight/{version('pypi-preflight')}"
    except PackageNotFoundError:
        return "pypi-preflight/0"


def check_reachable(url: str) -> None:
    """Resolve the host of a URL and connect to it. Raises `UnreachableError`."""
    host, parts = host_of(url), urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    failure: OSError = TimeoutError()
    deadline = time.monotonic() + 2 * _TEST_TIME
    for family, kind, protocol, _, address in _addresses(host, port):
        try:
            with socket.socket(family, kind, protocol) as one:
                one.settimeout(max(0.1, min(_TEST_TIME, deadline - time.monotonic())))
                one.connect(address)
                return
        except OSError as error:
            failure = error
    raise http_errors.connection_error(host, port, failure)


def _addresses(host: str, port: int) -> list[Any]:
    """The addresses of a host. The system's resolver has no time limit, so it runs in a thread."""
    answers: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that IDNA cannot encode
            answers.put(error)

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=_TEST_TIME)
    except queue.Empty:
        answer = TimeoutError("the name server did not answer")
    if isinstance(answer, list):
        return answer
    raise http_errors.resolution_error(host, answer)


class _Host(Struct):
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
    """Allows `rate` requests a second of all threads to each host, and none for a while to a host that is down."""

    def __init__(
        self, rate: float, *, sleep: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / rate
        self._sleep, self._clock = sleep, clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def test_once(self, url: str) -> None:
        """Test before the first request to a host that it can be reached. Raises `UnreachableError`."""
        host = self._host(url)
        self._refuse_if_down(host)
        with host.test:
            if host.reachable:
                return
            self._refuse_if_down(host)
            try:
                check_reachable(url)
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
            jitter = 1 + random.random() * 0.1  # noqa: S311 - not for cryptography
            host.next_request = max(host.next_request, self._clock() + self._interval * jitter)

    def answered(self, url: str, status: int, headers: Mapping[str, str]) -> None:
        """Record a response; its Retry-After delays all threads."""
        host = self._host(url)
        delay = 0.0
        if status in {429, 503}:
            asked = headers.get("Retry-After", "").strip()
            delay = min(float(asked[:10]), response_limits.LONGEST_WAIT) if asked.isascii() and asked.isdigit() else 0.0
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
        name = urlsplit(url).netloc.rpartition("@")[2].lower()
        return self._hosts.get(name) or self._hosts.setdefault(name, _Host())  # which is atomic

    def _refuse_if_down(self, host: _Host) -> None:
        with self._lock:
            if host.error is None or host.failures < _MAX_FAILURES:
                return
            if self._clock() - host.last_attempt < _RETEST_AFTER:
                raise UnreachableError(host.error.message, remedy=host.error.remedy, cause=host.error.cause)
            host.last_attempt = self._clock()  # this request tests the host; others are still refused

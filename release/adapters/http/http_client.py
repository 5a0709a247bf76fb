"""How anything is asked for over HTTP: time-outs always, no credentials ever, errors in our own words."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from release.adapters.http import errors as http_errors
from release.adapters.http import rate_limit
from release.adapters.http.reachability import TIMEOUT, check_reachable
from release.core.errors import UnreachableError
from release.core.models.index import host_of, is_loopback

if TYPE_CHECKING:
    import requests

#: how often a GET is tried again, after 0.5, 1, 2, 4 s and up to 0.5 s more
RETRIES = 4
#: seconds; the longest wait that a server's Retry-After can ask for
LONGEST_WAIT = 120
_AGAIN = (429, 500, 502, 503, 504)
#: what points the common tools to other certificate authorities, strongest first
_CA_VARIABLES = ("TWINE_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a URL is reached from this machine."""

    #: scheme → address of the proxy, which may hold a password; empty: straight
    proxies: Mapping[str, str] = field(repr=False)
    #: file or directory of certificate authorities; None: those that come with requests
    ca: str | None


def route(url: str) -> Route:
    """Proxies and certificate authorities for a URL, from environment and system settings.

    Loopback is reached straight. Raises `UnreachableError` where what they name is not there.
    """
    ca = next((value for name in _CA_VARIABLES if (value := os.environ.get(name))), None)
    if ca is not None and not Path(ca).exists():
        raise http_errors.missing_ca_bundle(ca)
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    if is_loopback(host_of(url)) or urllib.request.proxy_bypass(netloc):
        return Route(proxies={}, ca=ca)
    known = urllib.request.getproxies()
    proxies = {scheme: proxy for scheme in ("http", "https") if (proxy := known.get(scheme) or known.get("all"))}
    if any(proxy.startswith("socks") for proxy in proxies.values()) and find_spec("socks") is None:
        raise http_errors.missing_socks_support()
    return Route(proxies=proxies, ca=ca)


@contextmanager
def session(url: str, *, retries: int = RETRIES) -> Iterator[requests.Session]:
    """A `requests.Session` for `url` and what it redirects to; closed at the end.

    Before anything is imported, the host is looked at: without network this fails at once. In the
    block, whatever requests raises comes out as an `UnreachableError`, as is raised here. Inside of
    `release.adapters.http.rate_limit.keeping`, the thread's own session is kept instead, and `retries` is its affair.
    """
    way = route(url)
    with ExitStack() as stack:
        made = _kept(url, way) or stack.enter_context(_fresh(url, way, retries))
        import requests

        try:
            yield made
        except requests.RequestException as error:
            raise http_errors.request_error(url, error) from error


def _kept(url: str, way: Route) -> requests.Session | None:
    """The session of this thread's keeper; None where it has none."""
    keeper = rate_limit.here()
    if keeper is None:
        return None
    if urlsplit(url).scheme not in way.proxies:
        keeper.manners.arrive(url, check_reachable)
    return keeper.session(url, lambda adapter: _session(way, adapter))


def _fresh(url: str, way: Route, retries: int) -> requests.Session:
    if urlsplit(url).scheme not in way.proxies:
        check_reachable(url)
    import urllib3

    return _session(
        way,
        _adapter(
            urllib3.Retry(
                total=retries,
                backoff_factor=0.5,
                backoff_jitter=0.5,
                status_forcelist=_AGAIN,
                allowed_methods=("GET", "HEAD"),
                raise_on_status=False,
                retry_after_max=LONGEST_WAIT,
            )
        ),
    )


def _session(way: Route, adapter: Any) -> requests.Session:
    import requests

    made = requests.Session()
    made.trust_env = False  # no .netrc: nothing but an upload is ever asked with a password
    made.proxies.update(way.proxies)
    made.verify = way.ca or True
    made.headers["User-Agent"] = user_agent()
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def _adapter(retry: Any) -> Any:
    from requests.adapters import HTTPAdapter

    class Timed(HTTPAdapter):
        def send(self, *args: Any, **options: Any) -> requests.Response:
            options["timeout"] = options.get("timeout") or TIMEOUT
            return super().send(*args, **options)

    return Timed(max_retries=retry)


@lru_cache(maxsize=1)
def user_agent() -> str:
    """How this program names itself to servers."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"pypi-preflight/{version('pypi-preflight')}"
    except PackageNotFoundError:
        return "pypi-preflight/0"


def unusable_response(url: str, what: str, *, cause: str | None = None, remedy: str = "") -> UnreachableError:
    """The error for an answer that came and can't be used: "answers 503 Service Unavailable"."""
    return UnreachableError(
        f"{host_of(url)!r} {what}",
        remedy=remedy or f"look at {url} in a browser, then run it again",
        cause=cause,
    )

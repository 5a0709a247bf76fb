"""An adapter for requests that holds every response to the limits of its kind, before and after decompression.

Observed: urllib3 2.8.0, requests 2.34.2, 2026-11 - urllib3 decompresses only as much at a time as it is asked for;
requests reads the whole body of a redirect.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from release.adapters.http import errors as http_errors
from release.adapters.http import response_limits
from release.adapters.http.bounded_response import LIMITS, URL, BoundedResponse


class BoundedSession(requests.Session):
    """Limits the number of redirects, and the time for all of them.

    It has no parameters, hooks and settings of the environment to be merged into each request, which takes requests as
    long as to send it. Cookies are those of the session.
    """

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = response_limits.MAX_REDIRECTS
        self.trust_env = False  # no .netrc: only uploads carry a password

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method, url=request.url, headers={**self.headers, **request.headers}, files=request.files,
            data=request.data, json=request.json, params=request.params, auth=request.auth, cookies=self.cookies,
            hooks=request.hooks,
        )  # fmt: skip
        return prepared

    def merge_environment_settings(self, _: Any, proxies: Any, stream: bool | None, verify: Any, cert: Any) -> Any:
        """Return the settings of this session: `http_client.route` has read the environment."""
        settings = {"proxies": proxies or self.proxies, "stream": bool(stream)}
        return settings | {"verify": self.verify if verify is None else verify, "cert": cert}

    def resolve_redirects(self, *args: Any, **options: Any) -> Iterator[requests.Response]:
        begun = time.monotonic()
        for response in super().resolve_redirects(*args, **options):
            seconds = time.monotonic() - begun
            # With yield_requests, it is the next request, which is not sent.
            if isinstance(response, requests.Response) and response.is_redirect and seconds > response_limits.SECONDS:
                response.close()
                raise http_errors.too_slow_response(response.url, "its redirects", 0, seconds)
            yield response


class BoundedAdapter(HTTPAdapter):
    """Raises `ResponseLimitError` where a response exceeds `LIMITS`, and closes its connection."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        before = URL.set(request.url or "")
        try:
            return super().send(request, *args, **options)
        finally:
            URL.reset(before)

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _bounded_connection(pool.ConnectionCls)
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        decoded, limits, url = resp.stream, LIMITS.get(), response.url

        def stream(amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
            count = 0
            for piece in decoded(amt, decode_content):
                count += len(piece)
                if count > limits.decoded:
                    resp.close()
                    raise http_errors.too_large_response(url, limits.kind, limits.decoded)
                yield piece

        resp.stream = stream
        return response


@cache
def _bounded_connection(kind: type[Any]) -> type[Any]:
    """The same class of connections, whose responses are bounded; through a proxy, also the proxy's."""
    if issubclass(kind.response_class, BoundedResponse):
        return kind
    return type(kind.__name__, (kind,), {"response_class": BoundedResponse, "__module__": kind.__module__})

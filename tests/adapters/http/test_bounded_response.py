"""Responses that libraries read with clients of their own: `id` with urllib3, sigstore with requests."""

from __future__ import annotations

import gzip
import os
import threading

import pytest
import urllib3
from msgspec.structs import replace

from release.adapters.http import response_limits
from release.adapters.http.bounded_response import limited_clients
from release.adapters.http.errors import ResponseLimitError
from release.adapters.oidc import provider
from release.adapters.system.system import real_system
from tests.adapters import hostile_server
from tests.adapters.hostile_server import Sound
from tests.adapters.loopback_server import loopback_server

TOKEN = Sound(body=b'{"value": "a.b.c"}', kind="application/json")
SMALL = response_limits.ANSWER._replace(wire=100_000, decoded=1_032 * 100)


@pytest.mark.parametrize(
    "answer", ["gzip bomb", "gzip in gzip in gzip", "endless chunks", "endless 100 Continue", "endless header"]
)
def test_a_client_of_others_is_limited(answer: str) -> None:
    with (
        loopback_server(lambda h: hostile_server.ANSWERS[answer](h, TOKEN)) as server,
        limited_clients(SMALL),
        pytest.raises((ResponseLimitError, urllib3.exceptions.HTTPError)),
    ):
        urllib3.request("GET", server.url, retries=False, timeout=5)


def test_what_is_small_is_read_compressed_or_not() -> None:
    with (
        loopback_server(lambda h: h.reply(200, gzip.compress(TOKEN.body), Content_Encoding="gzip")) as server,
        limited_clients(SMALL),
    ):
        assert urllib3.request("GET", server.url).data == TOKEN.body


def test_other_threads_and_later_requests_are_not_limited() -> None:
    """A task runner, or a test suite, has requests of its own in this process."""
    body, sizes = b"x" * 300_000, list[int]()
    with loopback_server(lambda h: h.reply(200, body)) as server:
        thread = threading.Thread(target=lambda: sizes.append(len(urllib3.request("GET", server.url).data)))
        with limited_clients(SMALL):
            thread.start()
            thread.join()
        sizes.append(len(urllib3.request("GET", server.url).data))
    assert sizes == [300_000, 300_000]


def test_an_identity_provider_can_not_fill_the_memory() -> None:
    """Through the real child, with the real limits."""
    with loopback_server(lambda h: hostile_server.ANSWERS["endless body"](h, TOKEN)) as server:
        job = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
            "ACTIONS_ID_TOKEN_REQUEST_URL": server.url,
        }
        system = replace(real_system(), env={**os.environ, **job})
        with pytest.raises(provider.NoIdentityError, match="sends more than 4 MB") as caught:
            provider.request_identity(system, "pypi")
    assert caught.value.remedy

"""Why a request failed: the cause that a user can act on, wherever in the chain it is, and no password."""

from __future__ import annotations

import errno
import ssl
from itertools import pairwise

import pytest
import requests
import urllib3

from release.adapters.http import errors
from release.core.errors import UnreachableError

URL = "https://index.example/simple/"


def chained(*found: BaseException) -> BaseException:
    """The first exception, caused by the second, and so on."""
    for outer, inner in pairwise(found):
        outer.__cause__ = inner
    return found[0]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (chained(requests.ConnectionError("x"), TimeoutError()), "timeout"),
        (chained(requests.ConnectionError("x"), ConnectionResetError()), "connection"),
        (chained(requests.exceptions.ProxyError("x"), TimeoutError()), "proxy"),
        (chained(requests.exceptions.SSLError("x"), ssl.SSLCertVerificationError()), "tls"),
        (chained(requests.exceptions.SSLError("x"), TimeoutError()), "timeout"),
        (requests.ConnectionError(urllib3.exceptions.NameResolutionError("h", None, OSError())), "dns"),  # type: ignore[arg-type] # no connection
        (requests.ConnectionError(urllib3.exceptions.ProtocolError("x", ConnectionResetError())), "connection"),
        (requests.exceptions.InvalidHeader("x"), "garbage"),
        (ValueError("x"), "garbage"),
    ],
)
def test_the_kind_of_a_failure_anywhere_in_its_chain(error: BaseException, kind: str) -> None:
    assert errors.error_kind(error) == kind


def test_a_chain_that_is_a_circle_ends() -> None:
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert list(errors.exception_chain(one)) == [one, other]
    assert list(errors.exception_chain(None)) == []


@pytest.mark.parametrize(
    ("error", "message", "cause"),
    [
        (TimeoutError(), "timed out", errors.TIMEOUT),
        (ConnectionRefusedError(), "connection refused", errors.OFFLINE),
        (ConnectionResetError(), "was reset", errors.TIMEOUT),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "network is unreachable", errors.OFFLINE),
        (OSError(errno.EACCES, "Permission denied"), "permission denied", errors.TIMEOUT),
        (OSError(), "oserror", errors.TIMEOUT),
    ],
)
def test_a_connection_that_fails(error: OSError, message: str, cause: str) -> None:
    found = errors.connection_error("index.example", 443, error)
    assert message in found.message.lower()
    assert "'index.example', port 443" in found.message
    assert (found.cause, bool(found.remedy)) == (cause, True)


def test_a_password_of_a_proxy_is_not_repeated() -> None:
    """The texts of these exceptions have the address of the proxy."""
    text = "Cannot connect to proxy http://user:hunter2@proxy.example:8080"
    for error in (
        requests.exceptions.ProxyError(text), requests.ConnectionError(text), requests.exceptions.SSLError(text),
        requests.exceptions.InvalidURL(text), requests.Timeout(text),
    ):  # fmt: skip
        found = errors.request_error("https://user:hunter2@index.example/simple/", error)
        assert isinstance(found, UnreachableError)
        assert "hunter2" not in found.message
        assert "index.example" in found.message


def test_the_reason_of_openssl_is_shown() -> None:
    error = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1016)"
    )
    found = errors.request_error(URL, chained(requests.exceptions.SSLError("x"), error))  # type: ignore[arg-type] # an exception
    assert found.message.endswith("certificate verify failed: self-signed certificate")
    assert errors.tls_reason(ssl.SSLError()) == "the handshake failed"


def test_a_response_that_cannot_be_used() -> None:
    found = errors.unusable_response(URL, "answers 503 Service Unavailable", cause="net.proxy")
    assert (found.message, found.cause) == ("'index.example' answers 503 Service Unavailable", "net.proxy")
    assert URL in found.remedy
    assert errors.unusable_response(URL, "x", remedy="wait").remedy == "wait"

from __future__ import annotations

import importlib.metadata
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client, response_limits
from release.core.errors import UnreachableError
from tests.adapters.loopback_server import Handler, closed_port, loopback_server

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, *http_client._CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def failure(url: str, **options: Any) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught, http_client.session(url, retries=0) as session:
        session.get(url, **options)
    return caught.value


def test_a_refused_connection_names_host_and_port() -> None:
    port = closed_port()
    error = failure(f"http://127.0.0.1:{port}/")
    assert error.message == f"connection refused by '127.0.0.1', port {port}"
    assert error.cause == "net.dns-offline"
    assert str(port) in error.remedy


def test_an_unknown_host_is_a_failure_of_name_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    error = failure("https://index.invalid/simple/")
    assert error.message == "no address for 'index.invalid': name resolution failed"
    assert error.cause == "net.dns-offline"


def test_a_silent_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_TEST_TIME", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    assert (
        failure("https://index.invalid/").message == "no address for 'index.invalid': the name server does not answer"
    )


@pytest.mark.parametrize(
    ("error", "message", "cause"),
    [
        (TimeoutError(), "no answer from 'h', port 1: timed out", "net.timeout-reset"),
        (ConnectionResetError(), "connection to 'h', port 1 was reset", "net.timeout-reset"),
        (
            OSError(101, "Network is unreachable"),
            "cannot connect to 'h', port 1: network is unreachable",
            "net.dns-offline",
        ),
    ],
)
def test_a_failed_connection_says_what_failed(error: OSError, message: str, cause: str) -> None:
    told = http_errors.connection_error("h", 1, error)
    assert (told.message, told.cause) == (message, cause)


def test_without_network_no_client_is_imported() -> None:
    """What is unreachable is told before the cost of importing an HTTP client."""
    code = f"""
import sys
from release.adapters.index import simple_api as index_api
from release.core.errors import UnreachableError
from release.core.models.index import Index
url = "http://127.0.0.1:{closed_port()}/"
try:
    index_api.fetch_listing(Index(name="x", upload_url=url, simple_url=url), "acme")
except UnreachableError:
    assert not {{"requests", "urllib3"}} & set(sys.modules)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240, cwd=Path(__file__).parents[3])


def test_a_session_carries_no_credential_whatever_netrc_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with loopback_server(lambda h: h.reply(200)) as server, http_client.session(server.url) as session:
        session.get(server.url)
    headers = server.asked[-1].headers
    assert "authorization" not in headers
    assert headers["user-agent"].startswith("pypi-preflight/")


def test_loopback_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    with loopback_server(lambda h: h.reply(200)) as server, http_client.session(server.url) as session:
        assert session.get(server.url).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_used_and_blamed_without_its_password(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with loopback_server(lambda h: h.reply(407)) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy.url.replace("//", "//bob:hunter2@"))
        if scheme == "https":  # over plain http the 407 is an ordinary answer
            error = failure("https://index.invalid/simple/")
            assert error.cause == "net.proxy"
            assert "hunter2" not in error.message + error.remedy
        else:
            with http_client.session("http://index.invalid/", retries=0) as session:
                assert session.get("http://index.invalid/").status_code == 407
    assert len(proxy.asked) == 1


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("NO_PROXY", "index.invalid")
    assert http_client.route("https://index.invalid/").proxies == {}
    assert http_client.route("https://other.invalid/").proxies == {"https": "http://proxy.invalid:1"}
    assert "proxy.invalid" not in repr(http_client.route("https://other.invalid/"))


def test_missing_authorities_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(UnreachableError, match=r"none\.pem") as caught:
        http_client.route("https://index.invalid/")
    assert caught.value.cause == "net.tls"


def test_a_server_without_tls_is_a_failure_of_tls() -> None:
    with loopback_server(lambda h: h.reply(200)) as server:
        error = failure(server.url.replace("http:", "https:"))
    assert error.cause == "net.tls"
    assert error.message.startswith("no trusted TLS connection to '127.0.0.1': ")


def test_the_reason_of_a_certificate_is_openssls() -> None:
    error = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1000)"
    )
    assert http_errors.tls_reason(error) == "certificate verify failed: self-signed certificate"
    assert http_errors.request_error("https://h/", error).cause == "net.tls"


def test_silence_ends_in_a_time_out() -> None:
    with loopback_server(lambda _: time.sleep(30)) as server:
        error = failure(server.url, timeout=(30, 0.1))
    assert (error.message, error.cause) == ("no answer from '127.0.0.1' in time", "net.timeout-reset")


def test_every_request_has_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", (30, 0.1))
    with loopback_server(lambda _: time.sleep(30)) as server:
        assert failure(server.url).cause == "net.timeout-reset"


def garble(h: Handler) -> None:
    h.wfile.write(b"what?\r\n\r\n")


def test_a_broken_connection_and_garbage_differ() -> None:
    with loopback_server(lambda h: h.reset()) as server:
        assert failure(server.url).message == "connection to '127.0.0.1' was reset"
    with loopback_server(garble) as server:
        assert "invalid response" in failure(server.url).message


def test_a_get_is_tried_again_after_the_time_that_the_server_asks_for() -> None:
    answers = iter([503, 429, 200])
    with (
        loopback_server(lambda h: h.reply(next(answers), Retry_After="0")) as server,
        http_client.session(server.url, retries=2) as session,
    ):
        assert session.get(server.url).status_code == 200
    assert len(server.asked) == 3


@pytest.mark.parametrize("after", ["7200", "9" * 5_000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_host_that_asks_to_wait_for_hours_is_not_asked_again(after: str) -> None:
    """Its response is returned, which says so."""
    with (
        loopback_server(lambda h: h.reply(503, Retry_After=after)) as server,
        http_client.session(server.url) as session,
    ):
        assert session.get(server.url).headers["Retry-After"] == after
    assert len(server.asked) == 1


def test_a_silent_host_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", (30, 0.1))
    with (
        loopback_server(lambda _: time.sleep(0.5)) as server,
        pytest.raises(UnreachableError, match="in time") as caught,
        http_client.session(server.url) as session,
    ):
        session.get(server.url)
    assert caught.value.cause == "net.timeout-reset"
    assert len(server.asked) == 1


def test_redirects_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is quick enough to be no time-out."""

    def answer(h: Handler) -> None:
        time.sleep(0.05)
        h.reply(302, Location="/again")

    monkeypatch.setattr(response_limits, "SECONDS", 0.1)
    monkeypatch.setattr(response_limits, "MAX_REDIRECTS", 1_000)
    with (
        loopback_server(answer) as server,
        pytest.raises(UnreachableError, match="sends its redirects too slowly"),
        http_client.session(server.url) as session,
    ):
        session.get(server.url)


def test_a_rate_is_kept_by_all_threads_together() -> None:
    """Ten a second: between two requests lies a tenth of a second and a little more, whoever sends them."""
    now, sent = [0.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    limit = http_client.RateLimit(10, sleep=sleep, clock=lambda: now[0])

    def send() -> None:
        limit.wait("https://a.test/legacy/")
        sent.append(now[0])

    threads = [threading.Thread(target=send) for _ in range(11)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 1.0 <= max(sent) <= 1.1
    assert len(set(sent)) == 11
    before = now[0]
    limit.wait("https://another.test/legacy/")
    assert now[0] == before


def test_a_shared_session_finds_its_way_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, route = [], http_client.route

    def count(url: str) -> http_client.Route:
        found.append(url)
        return route(url)

    monkeypatch.setattr(http_client, "route", count)
    with (
        loopback_server(lambda handler: handler.reply(200)) as server,
        http_client.shared_sessions(http_client.RateLimit(1000)),
    ):
        for _ in range(3):
            with http_client.session(server.url) as session:
                session.get(server.url)
    assert found == [server.url]
    assert len({one.connection for one in server.asked}) == 1


def test_threads_that_begin_at_once_search_for_the_version_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def version(name: str) -> str:
        searched.append(name)
        time.sleep(0.1)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    http_client._user_agent.cache_clear()
    try:
        threads = [threading.Thread(target=http_client.user_agent) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert searched == ["pypi-preflight"]
    finally:
        http_client._user_agent.cache_clear()


def test_the_headers_of_a_request_replace_those_of_its_session() -> None:
    with loopback_server(lambda handler: handler.reply(200)) as server, http_client.session(server.url) as session:
        session.headers.update({"Accept": "text/html", "X-Both": "yes"})
        session.get(server.url, headers={"accept": "application/json"}, params={"fresh": "1"})
    (asked,) = server.asked
    assert asked.path == "/?fresh=1"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["x-both"] == "yes"
    assert asked.headers["user-agent"] == http_client.user_agent()


def test_a_host_that_asks_for_patience_gets_it() -> None:
    slept: list[float] = []
    limit = http_client.RateLimit(1000, sleep=slept.append, clock=lambda: 0.0)
    limit.answered("https://a.test/", 200, {})
    limit.wait("https://a.test/x")
    limit.answered("https://a.test/", 429, {"Retry-After": "7"})
    limit.wait("https://a.test/x")
    limit.answered("https://b.test/", 503, {"Retry-After": "99999"})
    limit.wait("https://b.test/x")
    assert slept == [7.0, 60.0]


def test_a_host_that_is_gone_is_not_asked_at_once_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request tests it every five seconds; all others fail at once, with the reason of the first."""
    now, tested = [100.0], list[str]()

    def gone(url: str) -> None:
        tested.append(url)
        raise UnreachableError("no address for 'a'", remedy="check the network", cause="net.dns-offline")

    monkeypatch.setattr(http_client, "check_reachable", gone)
    limit = http_client.RateLimit(10, sleep=lambda _: None, clock=lambda: now[0])
    for ask in (limit.test_once, limit.test_once, limit.wait, limit.wait):
        with pytest.raises(UnreachableError, match="no address for 'a'") as failed:
            ask("http://a/x")
        assert (failed.value.remedy, failed.value.cause) == ("check the network", "net.dns-offline")
    assert tested == ["http://a/x"]
    now[0] += 4.9
    with pytest.raises(UnreachableError):
        limit.wait("http://a/y")
    now[0] += 0.2
    limit.wait("http://a/y")  # this request tests the host
    with pytest.raises(UnreachableError):
        limit.wait("http://a/z")
    limit.answered("http://a/y", 200, {})
    limit.wait("http://a/z")
    limit.wait("http://b/")  # another host is not affected


def test_a_host_is_down_after_three_failures_in_a_row() -> None:
    limit = http_client.RateLimit(10, sleep=lambda _: None, clock=lambda: 0.0)
    error = UnreachableError("reset", remedy="")
    for _ in range(2):
        limit.failed("http://a/", error)
    limit.wait("http://a/")
    limit.answered("http://a/", 500, {})
    for _ in range(2):
        limit.failed("http://a/", error)
    limit.wait("http://a/")
    limit.failed("http://user@A/", error)
    with pytest.raises(UnreachableError, match="reset"):
        limit.wait("http://a/")

"""Connections that are kept: one after another, many at once, and never out of step."""

from __future__ import annotations

import email.feedparser
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests

from release.sandbox import server
from tests.patience import PATIENCE
from tests.sample_distributions import fields, form, wheel, wheel_name
from tests.sandbox.sandbox_client import SandboxClient, basic_auth, sandbox_client


@contextmanager
def connected(pypi: SandboxClient) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(pypi.site).netloc, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def plugged(pypi: SandboxClient) -> Iterator[socket.socket]:
    where = urlsplit(pypi.site)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=PATIENCE) as plug:
        yield plug


def ask(connection: http.client.HTTPConnection, method: str, path: str, **more: object) -> tuple[int, str, bytes]:
    connection.request(method, path, **more)  # type: ignore[arg-type] # body and headers, as they come
    answer = connection.getresponse()
    return answer.status, answer.reason, answer.read()


def upload(pypi: SandboxClient, version: str = "1.0") -> tuple[bytes, dict[str, str]]:
    """Body and headers of an upload."""
    content, name = wheel(version=version), wheel_name(version=version)
    body, kind = form(fields(content, name, version=version), filename=name, content=content)
    return body, {"Content-Type": kind, "Authorization": basic_auth(pypi.token())}


def everything(plug: socket.socket) -> bytes:
    """Until the server closes."""
    return b"".join(iter(lambda: plug.recv(65536), b""))


def test_one_connection_serves_request_after_request() -> None:
    """Accepted, refused, read, not found: none of them ends the connection."""
    with sandbox_client() as pypi, connected(pypi) as connection:
        for version in ("1.0", "1.1"):
            body, headers = upload(pypi, version)
            assert ask(connection, "POST", "/legacy/", body=body, headers=headers)[:2] == (200, "OK")
            mine = connection.sock
            assert mine is not None
        assert ask(connection, "POST", "/legacy/", body=body, headers=headers | {"Authorization": ""})[0] == 403
        assert ask(connection, "HEAD", "/simple/acme-widget/")[2] == b""
        assert ask(connection, "GET", "/nothing")[0] == 404
        status, _, page = ask(connection, "GET", "/simple/acme-widget/")
        assert (status, page.count(b"<a href")) == (200, 2)
        assert connection.sock is mine


@pytest.mark.parametrize("path", ["/", "/simple/", "/nothing", "/legacy/", "/pypi/nothing/json", "/simple/Acme_Widget"])
def test_every_answer_says_how_long_it_is(path: str) -> None:
    with sandbox_client() as pypi:
        reply = pypi.ask("GET", path)
    assert int(reply.headers["Content-Length"]) == len(reply.body)
    assert "Transfer-Encoding" not in reply.headers
    assert reply.headers.get("Connection") is None


def test_the_index_keeps_its_own_reason_phrases() -> None:
    with sandbox_client() as pypi, connected(pypi) as connection:
        status, reason, _ = ask(connection, "POST", "/legacy", body=b"x=1")
        assert (status, reason[:26]) == (308, "An upload was attempted to")


CLOSING = {
    "asked for": b"GET /simple/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET /simple/ HTTP/1.0\r\n\r\n",
    "HTTP/1.0, asked to stay": b"GET /simple/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "no length": b"POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: some\r\n\r\n",
    "negative length": b"POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
}


@pytest.mark.parametrize("row", CLOSING)
def test_a_connection_that_cannot_be_kept_is_closed_after_its_answer(row: str) -> None:
    with sandbox_client() as pypi, plugged(pypi) as plug:
        plug.sendall(CLOSING[row])
        told = everything(plug)
    assert told.split(b" ", 2)[1] == (b"400" if "length" in row else b"200")
    assert b"\r\nConnection: close\r\n" in told


def test_a_body_may_come_in_chunks() -> None:
    with sandbox_client() as pypi, connected(pypi) as connection:
        body, headers = upload(pypi)
        pieces = (body[start : start + 100] for start in range(0, len(body), 100))
        assert ask(connection, "POST", "/legacy/", body=pieces, headers=headers)[0] == 200
        mine = connection.sock
        assert ask(connection, "GET", "/simple/acme-widget/")[0] == 200
        assert connection.sock is mine


def test_a_broken_chunk_is_answered_and_ends_the_connection() -> None:
    with sandbox_client() as pypi, plugged(pypi) as plug:
        head = f"POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Type: {upload(pypi)[1]['Content-Type']}\r\n"
        plug.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        told = everything(plug)
    assert told.startswith(b"HTTP/1.1 400 Bad Request")
    assert b"Invalid Form Data." in told


def test_no_pattern_is_compiled_for_the_boundary_of_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(email.feedparser, "re", SimpleNamespace(compile=compiled.append))
    with sandbox_client() as pypi, connected(pypi) as connection:
        body, headers = upload(pypi)
        assert ask(connection, "POST", "/legacy/", body=body, headers=headers)[:2] == (200, "OK")
    assert compiled == []


def test_leave_to_send_is_given_once_and_when_the_body_is_wanted() -> None:
    with sandbox_client() as pypi, plugged(pypi) as plug:
        body, headers = upload(pypi)
        head = "POST /legacy/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        plug.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert plug.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plug.sendall(body)
        assert plug.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_was_given_no_leave_is_answered_and_closed() -> None:
    """Whether its body follows can't be known, and so not what the next bytes would be."""
    with sandbox_client() as pypi, plugged(pypi) as plug:
        plug.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        told = everything(plug)
    assert told.startswith(b"HTTP/1.1 404 ")
    assert b"\r\nConnection: close\r\n" in told


def test_a_body_that_nobody_wants_is_passed_over() -> None:
    with sandbox_client() as pypi, connected(pypi) as connection:
        mine = None
        for _ in range(3):
            assert ask(connection, "POST", "/nothing", body=b"GET / HTTP/1.1\r\n" * 100_000)[0] == 404
            assert mine in {None, connection.sock}
            mine = connection.sock


def test_requests_that_are_sent_at_once_are_answered_in_turn() -> None:
    with sandbox_client() as pypi, plugged(pypi) as plug:
        one = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
        plug.sendall(
            one % b"simple/" + one % b"nothing" + (one % b"").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        told = everything(plug)
    assert [part[:3] for part in told.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


def test_sixty_four_connections_are_served_at_once() -> None:
    """Each holds its connection while the others are served."""
    with sandbox_client() as pypi:
        body, headers = upload(pypi)
        together = threading.Barrier(64)

        def work(number: int) -> set[int]:
            with connected(pypi) as connection:
                together.wait(PATIENCE)
                pages = {ask(connection, "GET", "/simple/")[0] for _ in range(3)}
                together.wait(PATIENCE)
                return pages | {ask(connection, "POST", "/legacy/", body=body, headers=headers)[0] for _ in [number]}

        with ThreadPoolExecutor(64) as pool:
            assert set().union(*pool.map(work, range(64))) == {200}
        assert len(pypi.files()) == 1
        assert len([one for one in pypi.sandbox.log if one.method == "POST"]) == 64


def test_no_answer_waits_for_an_acknowledgement() -> None:
    """A client that sends head and body apart is answered in less than the 40 ms of a delayed acknowledgement."""
    with sandbox_client() as pypi, connected(pypi) as connection:
        ask(connection, "GET", "/simple/")

        def seconds() -> float:
            begun = time.perf_counter()
            for _ in range(25):
                ask(connection, "POST", "/nothing", body=b"x" * 2000)
            return time.perf_counter() - begun

        assert any(seconds() < 25 * 0.04 for _ in range(40)), "a busy machine is quick now and then"


def test_a_requests_session_has_one_connection() -> None:
    with sandbox_client() as pypi, requests.Session() as session:
        for version in ("1.0", "1.1", "1.2"):
            body, headers = upload(pypi, version)
            assert (
                session.post(pypi.sandbox.upload_url, data=body, headers=headers, timeout=PATIENCE).status_code == 200
            )
        assert session.get(pypi.sandbox.simple_url, timeout=PATIENCE).status_code == 200
        clients = [thread for thread in threading.enumerate() if thread.name.startswith("sandbox client")]
    assert len(clients) == 1


def test_tls_fails_at_once() -> None:
    """The address with https: the handshake fails, nothing hangs."""
    with (
        sandbox_client() as pypi,
        plugged(pypi) as plug,
        pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number"),
    ):
        ssl.create_default_context().wrap_socket(plug, server_hostname="localhost")


def test_an_application_that_breaks_is_a_500_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> object:
        def serve(*_: object) -> object:
            raise RuntimeError("inside")

        return serve

    with sandbox_client(around=broken) as pypi, caplog.at_level(logging.ERROR):
        reply = pypi.ask("GET", "/simple/")
        (logged,) = pypi.sandbox.log
    assert reply.line == "500 Internal Server Error"
    assert (logged.status, logged.reason) == (500, "Internal Server Error")
    assert "RuntimeError: inside" in caplog.text


def test_closing_ends_connections_that_are_idle_or_half_way() -> None:
    sandbox = server.start_sandbox()
    pypi = SandboxClient(sandbox=sandbox)
    with connected(pypi) as idle, plugged(pypi) as half_way:
        ask(idle, "GET", "/simple/")
        half_way.sendall(b"POST /legacy/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 10)
        time.sleep(0.05)
        sandbox.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("sandbox ")]
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(idle, "GET", "/simple/")

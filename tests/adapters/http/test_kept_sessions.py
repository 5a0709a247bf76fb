"""Sessions that stay open: what is reused, by whom, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from release.adapters.http import http_client
from release.adapters.http.kept_sessions import KeptSessions
from release.core.errors import UnreachableError
from tests.adapters.loopback_server import Handler, Server, loopback_server


@pytest.fixture
def kept() -> Iterator[KeptSessions]:
    with closing(KeptSessions()) as made:
        yield made


def ask(server: Server, path: str = "", *, retries: int | None = None) -> int:
    with http_client.session(server.url, retries=retries) as session:
        return session.get(server.url + path).status_code


def connections(server: Server) -> list[int]:
    """The requests' connections, numbered in their order."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(one.connection, len(numbers)) for one in server.asked]


def test_requests_in_turn_have_one_connection(kept: KeptSessions) -> None:
    """Also those of another thread; cookies are not sent with the next request."""
    with loopback_server(lambda h: h.reply(200, "yes", Set_Cookie="a=b")) as server:
        with kept.used_here():
            assert [ask(server), ask(server)] == [200, 200]

        def in_thread() -> None:
            with kept.used_here():
                ask(server)

        thread = threading.Thread(target=in_thread)
        thread.start()
        thread.join()
        assert connections(server) == [0, 0, 0]
        assert not any("cookie" in one.headers for one in server.asked)
        ask(server)
        assert connections(server) == [0, 0, 0, 1], "outside of the block, a session of its own"


def test_requests_at_a_time_have_a_session_each(kept: KeptSessions) -> None:
    both = threading.Barrier(2)

    def answer(handler: Handler) -> None:
        both.wait(60)
        handler.reply(200)

    with loopback_server(answer) as server:

        def work() -> None:
            with kept.used_here():
                ask(server)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(connections(server)) == [0, 1]


def test_a_session_whose_request_failed_is_not_used_again(kept: KeptSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one tests first whether the host can be reached, as without kept sessions."""
    tested: list[str] = []
    monkeypatch.setattr(http_client, "check_reachable", tested.append)
    monkeypatch.setattr(http_client, "_RETRIES", 0)

    def answer(handler: Handler) -> None:
        if handler.path == "/broken":
            handler.wfile.write(b"no HTTP\r\n\r\n")
            handler.close_connection = True
        else:
            handler.reply(200)

    with loopback_server(answer) as server, kept.used_here():
        ask(server)
        with pytest.raises(UnreachableError):
            ask(server, "broken")
        assert tested == [server.url]
        assert ask(server) == 200
        assert tested == [server.url] * 2


def test_a_connection_that_the_server_has_closed_is_replaced(kept: KeptSessions) -> None:
    def answer(handler: Handler) -> None:
        handler.reply(200)
        handler.close_connection = True  # without a word

    with loopback_server(answer) as server, kept.used_here():
        assert [ask(server), ask(server)] == [200, 200]
        assert connections(server) == [0, 1]


def test_what_is_not_retried_gets_a_new_connection(kept: KeptSessions) -> None:
    """A kept connection may have been closed meanwhile, which only a retry can mend."""
    with loopback_server(lambda h: h.reply(200)) as server, kept.used_here():
        assert [ask(server), ask(server, retries=0)] == [200, 200]
        assert connections(server) == [0, 1]

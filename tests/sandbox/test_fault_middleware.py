"""Faults on demand: what the client meets, and what is on the index afterwards."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import shake_256
from typing import Any
from urllib.parse import urlsplit

import pytest

from release.sandbox import server
from release.sandbox.faults import CannedResponse, Clash, DiskFull, Drop, Effect, Fault, RequestFilter, Slow, Stale
from release.sandbox.seed import SeedData
from tests.patience import PATIENCE, wait_until
from tests.sample_distributions import fields, form, sdist_name, wheel, wheel_name
from tests.sandbox.sandbox_client import Clock, SandboxClient, basic_auth, sandbox_client

UPLOADS = RequestFilter(method="POST")


@dataclass
class Naps:
    """Waits that take no time, and are remembered."""

    taken: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def on(what: Effect, **when: Any) -> Fault:
    return Fault(what=what, when=RequestFilter(**({"method": "POST"} | when)))


def request(pypi: SandboxClient, version: str = "1.0", content: bytes | None = None) -> bytes:
    """A whole upload, as it goes over the wire."""
    content, name = wheel(version=version) if content is None else content, wheel_name(version=version)
    body, kind = form(fields(content, name, version=version), filename=name, content=content)
    head = f"POST /legacy/ HTTP/1.1\r\nHost: x\r\nAuthorization: {basic_auth(pypi.token())}\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def outcome(pypi: SandboxClient, data: bytes, *, timeout: float = PATIENCE) -> tuple[bytes, str]:
    """What came back, and how the connection ended: "reset", "closed", "silent"."""
    where = urlsplit(pypi.site)
    told = b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=timeout) as plug:
        try:
            plug.sendall(data)
            while piece := plug.recv(65536):
                told += piece
        except TimeoutError:
            return told, "silent"
        except ConnectionError:
            return told, "reset"
        return told, "closed"


def until_silent(pypi: SandboxClient, data: bytes, met: Callable[[bytes], object]) -> tuple[bytes, str]:
    """The same of a client that waits until `met` of what came back, and then a moment longer for the rest."""
    where = urlsplit(pypi.site)
    told = b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=0.1) as plug:
        plug.sendall(data)
        for _ in range(1200):
            enough = met(told)
            try:
                piece = plug.recv(65536)
            except TimeoutError:
                if enough:
                    return told, "silent"
            else:
                told += piece
                if not piece:
                    return told, "closed"
    return told, "never met"


# -- another answer


def test_the_nth_request_is_answered_otherwise_and_nothing_of_it_is_stored() -> None:
    answer = CannedResponse(status=503, reason="Out of Order", headers=(("X-Why", "a test"),), body="<p>later</p>")
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(answer, nth=2))
        lines = [pypi.upload(version=version).line for version in ("1.0", "1.1", "1.2")]
        assert lines == ["200 OK", "503 Out of Order", "200 OK"]
        assert pypi.files() == [wheel_name(version="1.0"), wheel_name(version="1.2")]
        logged = [(one.status, one.reason, one.faults) for one in pypi.sandbox.log if one.method == "POST"]
        assert logged == [(200, "OK", ()), (503, "Out of Order", ("answer 503",)), (200, "OK", ())]
        assert pypi.upload(version="1.1").line == "200 OK"


def test_an_answer_is_what_it_was_told_to_be() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=503, headers=(("X-Why", "a test"),), body="<p>later</p>")))
        reply = pypi.upload()
        assert (reply.line, reply.headers["X-Why"], reply.body) == (
            "503 Service Unavailable",
            "a test",
            b"<p>later</p>",
        )
        assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"
        pypi.sandbox.clear_faults()
        pypi.sandbox.inject(on(CannedResponse(status=999)))
        reply = pypi.upload()
        assert (reply.line, reply.body) == ("999 Unknown", b"999 Unknown\n")


RETRY_AFTER: dict[str, tuple[dict[str, Any], str | None]] = {
    "seconds": ({"retry_after": 2}, "2"),
    "a fraction": ({"retry_after": 0.5}, "0.5"),
    "none": ({}, None),
    "negative": ({"retry_after": -1}, "-1"),
    "a year": ({"retry_after": 31_536_000}, "31536000"),
    "a word": ({"retry_after": "soon"}, "soon"),
    "empty": ({"retry_after": ""}, ""),
}


@pytest.mark.parametrize("row", RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 503])
def test_when_to_come_again_is_told_in_every_form(status: int, row: str) -> None:
    given, header = RETRY_AFTER[row]
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=status, **given)))
        reply = pypi.upload()
        assert (reply.status, reply.headers.get("Retry-After")) == (status, header)
        assert pypi.files() == []


@pytest.mark.parametrize("seconds", [30, -30])
def test_when_to_come_again_may_be_a_date_of_the_sandboxs_clock(seconds: int) -> None:
    clock = Clock(now=datetime(2027, 1, 31, 12, tzinfo=UTC))
    with sandbox_client(clock=clock) as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=429, retry_date=seconds)))
        told = pypi.upload().headers["Retry-After"]
    assert told.endswith(" GMT")
    assert (parsedate_to_datetime(told) - clock.now).total_seconds() == seconds


@pytest.mark.parametrize("status", [502, 500, 504, 408, 200])
def test_accepted_and_told_otherwise(status: int) -> None:
    """A proxy's page for an upload that the index took: the file is there, and sending it again is no harm."""
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=status, body="<html>proxy</html>", stored=True), nth=1))
        assert (reply := pypi.upload()).status == status
        assert reply.body == b"<html>proxy</html>"
        assert pypi.files() == [wheel_name()]
        assert pypi.sandbox.log[0].faults == (f"answer {status}, stored",)
        assert pypi.upload().line == "200 OK"
        assert pypi.files() == [wheel_name()]


@pytest.mark.parametrize("body", ["<html><body>Please log in</body></html>", "\x00\x01\ufffd not what you asked for"])
def test_a_success_that_is_none(body: str) -> None:
    """A captive portal, or garbage, with 200: for uploads and for pages alike."""
    portal = CannedResponse(status=200, headers=(("Content-Type", "text/html"),), body=body)
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=portal))
        for reply in (pypi.upload(), pypi.ask("GET", "/simple/"), pypi.ask("GET", "/pypi/acme-widget/json")):
            assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "text/html", body.encode())
        pypi.sandbox.clear_faults()
        assert pypi.files() == []


def test_a_head_has_no_body_and_204_neither() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=CannedResponse(status=500)))
        assert pypi.ask("HEAD", "/simple/").body == b""
        pypi.sandbox.clear_faults()
        pypi.sandbox.inject(Fault(what=CannedResponse(status=204)))
        assert pypi.ask("GET", "/simple/").body == b""


# -- broken connections

#: place → whether the file is stored, whether the request log has a status
PLACES = {
    "before-body": (False, False),
    "in-body": (False, False),
    "after-body": (False, False),
    "after-work": (True, False),
    "in-reply": (True, True),
}


@pytest.mark.parametrize("how", ["reset", "close", "garbage"])
@pytest.mark.parametrize("at", PLACES)
def test_a_connection_breaks_where_it_is_told_to(at: Any, how: Any) -> None:
    stored, answered = PLACES[at]
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(Drop(at=at, how=how), nth=1))
        told, end = outcome(pypi, request(pypi))
        assert end == ("reset" if how == "reset" else "closed")
        if how != "reset":  # a reset may take with it what was sent before
            assert told.startswith(b"HTTP/1.1 200 OK\r\n") == answered
            assert (b"this is no answer" in told) == (how == "garbage")
        assert pypi.files() == ([wheel_name()] if stored else [])
        assert not list(pypi.sandbox._store.incoming.iterdir())
        first = pypi.sandbox.log[0]
        assert (first.status, first.faults) == (200 if answered else None, (f"{how} {at}",))
        assert pypi.upload().line == "200 OK"
        assert pypi.files() == [wheel_name()]


def test_half_a_reply_is_half_of_its_body() -> None:
    with sandbox_client() as pypi:
        whole = pypi.ask("GET", "/simple/").body
        pypi.sandbox.inject(Fault(what=Drop(at="in-reply", how="close")))
        told, _ = outcome(pypi, b"GET /simple/ HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = told.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert body == whole[: len(whole) // 2]


def test_half_a_reply_of_half_a_file_too() -> None:
    """What an installer meets whose download breaks."""
    content = wheel(files={"blob": b"0123456789abcdef" * 20_000})
    with sandbox_client() as pypi:
        pypi.upload(content=content)
        url = pypi.listing()["files"][0]["url"]
        pypi.sandbox.inject(Fault(what=Drop(at="in-reply", how="close"), when=RequestFilter(filename="*.whl")))
        with pytest.raises(http.client.IncompleteRead) as caught:
            pypi.ask("GET", urlsplit(url).path)
    assert caught.value.partial == content[: len(content) // 2]


@pytest.mark.parametrize("at", ["before-body", "in-body"])
def test_a_large_body_meets_the_break_while_it_is_sent(at: Any) -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(Drop(at=at), nth=1))
        assert outcome(pypi, request(pypi, content=bytes(20 * 1024 * 1024))) == (b"", "reset")
        assert pypi.files() == []


@pytest.mark.parametrize("at", PLACES)
def test_silence_lasts_until_the_client_has_enough(at: Any) -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(Drop(at=at, how="hang"), nth=1))
        stored, told_some = PLACES[at]
        told, end = until_silent(
            pypi, request(pypi), lambda told: struck(pypi) and bool(told) == told_some and bool(pypi.files()) == stored
        )
        assert (bool(told), end) == (at == "in-reply", "silent")
        assert pypi.files() == ([wheel_name()] if PLACES[at][0] else [])
        assert pypi.upload().line == "200 OK"


def test_a_client_that_has_gone_is_kept_waiting_no_longer() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(Drop(at="after-work", how="hang")))
        assert until_silent(pypi, request(pypi), lambda _: struck(pypi))[1] == "silent"
        assert wait_until(lambda: not _clients())


def struck(pypi: SandboxClient) -> bool:
    """Whether a request has met a fault."""
    return any(one.applied for one in pypi.sandbox._faults.counts())


def _clients() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("sandbox client")]


def test_another_answer_breaks_too() -> None:
    """Accepted, told 502, and of that only the half."""
    with sandbox_client() as pypi:
        answer = CannedResponse(status=502, body="0123456789", stored=True)
        pypi.sandbox.inject(on(answer), on(Drop(at="in-reply", how="close")))
        told, end = outcome(pypi, request(pypi))
        assert (told[:24], told[-9:], end) == (b"HTTP/1.1 502 Bad Gateway", b"\r\n\r\n01234", "closed")
        assert pypi.files() == [wheel_name()]
        assert pypi.sandbox.log[0].faults == ("answer 502, stored", "close in-reply")


@pytest.mark.parametrize("when", [{}, {"filename": "*"}])
def test_a_client_that_leaves_half_way_is_told_nothing(when: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=503), **when))
        where = urlsplit(pypi.site)
        with socket.create_connection((where.hostname or "", where.port or 0)) as plug:
            plug.sendall(request(pypi)[:-40])
        assert wait_until(lambda: pypi.sandbox.log)
        assert [one.status for one in pypi.sandbox.log] == [None]
        assert pypi.files() == []
    assert not caplog.records


# -- slowness


def test_waits_are_those_that_were_asked_for() -> None:
    naps = Naps()
    with sandbox_client(sleep=naps) as pypi:
        pypi.sandbox.inject(on(Slow(connection=7, answer=5, work=3)), on(Slow(work=0.5)))
        data = request(pypi)
        outcome(pypi, data + data.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n"))
        assert [one.status for one in pypi.sandbox.log] == [200, 200]
        pypi.ask("GET", "/simple/")
    assert naps.taken == [7, 3.5, 5, 3.5, 5], "connection, work, answer; the connection is set up once"


@pytest.mark.parametrize("rate", [1e6, 64e3])
def test_a_rate_holds_in_each_direction(rate: float) -> None:
    naps = Naps()
    content = wheel(files={"blob": shake_256(b"").digest(200_000)})
    with sandbox_client(sleep=naps) as pypi:
        pypi.sandbox.inject(Fault(what=Slow(up=rate), when=UPLOADS))
        assert pypi.upload(content=content).line == "200 OK"
        sent = len(request(pypi, content=content)) / rate
        assert sum(naps.taken) == pytest.approx(sent, rel=0.2)
        assert max(naps.taken) < 0.3
        naps.taken.clear()
        url = pypi.listing()["files"][0]["url"]
        assert naps.taken == []
        pypi.sandbox.inject(Fault(what=Slow(down=rate), when=RequestFilter(method="GET")))
        assert pypi.ask("GET", urlsplit(url).path).body == content
        assert sum(naps.taken) == pytest.approx(len(content) / rate, rel=0.2)


def test_waits_really_take_their_time() -> None:
    """20 kB at 200 kB/s, over a new connection with a round trip of 50 ms: 0.2 s at least."""
    content = wheel(files={"blob": shake_256(b"").digest(20_000)})
    with sandbox_client() as pypi:
        pypi.upload(version="0.9")
        pypi.sandbox.inject(on(Slow(connection=0.05, answer=0.05, up=200e3)))
        begun = time.perf_counter()
        assert pypi.upload(content=content).line == "200 OK"
        assert time.perf_counter() - begun > 0.19


def test_a_slow_answer_trickles() -> None:
    naps = Naps()
    with sandbox_client(sleep=naps) as pypi:
        pypi.sandbox.inject(on(Slow(down=2)))
        reply = pypi.upload()
        assert reply.line == "200 OK"
        assert min(naps.taken) > 0.3, "byte by byte"
        assert len(naps.taken) > len(reply.body)


def test_connections_are_slow_side_by_side() -> None:
    """Work that takes long on one connection keeps no other one waiting."""
    together = threading.Barrier(6)
    with sandbox_client(sleep=lambda _: together.wait(PATIENCE)) as pypi:
        pypi.upload(version="0.1")
        pypi.sandbox.inject(on(Slow(work=0.3)))
        with ThreadPoolExecutor(6) as pool:
            lines = list(pool.map(lambda number: pypi.upload(version=f"1.{number}").line, range(6)))
        assert lines == ["200 OK"] * 6, "each waits for the others"


def test_closing_waits_for_no_fault() -> None:
    sandbox = server.start_sandbox(SeedData(faults=(Fault(what=Slow(answer=3600)),)))
    pypi = SandboxClient(sandbox=sandbox)
    asking = threading.Thread(target=outcome, args=(pypi, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    asking.start()
    assert wait_until(_clients)
    sandbox.close()
    asking.join(PATIENCE)
    assert not asking.is_alive()


# -- what the index shows, and what it keeps


def pages(pypi: SandboxClient, name: str, version: str) -> dict[str, int]:
    paths = {
        "simple": f"/simple/{name}/", "json": f"/pypi/{name}/json", "release": f"/pypi/{name}/{version}/json",
    }  # fmt: skip
    return {view: pypi.ask("GET", path).status for view, path in paths.items()}


def test_pages_show_an_earlier_state_for_a_while() -> None:
    """A new project is not there yet; ten seconds after its first file it is."""
    clock = Clock()
    with sandbox_client(clock=clock) as pypi:
        pypi.sandbox.inject(Fault(what=Stale(seconds=10)))
        assert pypi.upload("probe-new").line == "200 OK"
        assert set(pages(pypi, "probe-new", "1.0").values()) == {404}
        assert b"probe-new" not in pypi.ask("GET", "/simple/").body
        clock.advance(seconds=9)
        assert pypi.files("probe-new") == []
        clock.advance(seconds=1)
        assert set(pages(pypi, "probe-new", "1.0").values()) == {200}
        assert pypi.files("probe-new") == [wheel_name("probe-new")]


def test_an_earlier_state_is_that_of_each_moment() -> None:
    """An older release stays to be seen, and a project that was always there."""
    clock = Clock()
    with sandbox_client(clock=clock) as pypi:
        pypi.sandbox.inject(Fault(what=Stale(seconds=10)))
        assert pypi.ask("GET", "/simple/acme-widget/").status == 200
        pypi.upload(version="1.0")
        clock.advance(seconds=10)
        pypi.upload(version="2.0")
        assert pypi.files() == [wheel_name(version="1.0")]
        assert pypi.ask("GET", "/pypi/acme-widget/json").json["info"]["version"] == "1.0"
        assert pages(pypi, "acme-widget", "2.0") == {"simple": 200, "json": 200, "release": 404}
        clock.advance(seconds=10)
        assert pypi.files() == [wheel_name(version="1.0"), wheel_name(version="2.0")]


@pytest.mark.parametrize(("path", "late"), [("/simple/*", {"simple"}), ("/pypi/*", {"json", "release"})])
def test_one_view_may_be_late_and_another_not(path: str, late: set[str]) -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=Stale(seconds=60), when=RequestFilter(path=path)))
        pypi.upload("probe-new")
        seen = pages(pypi, "probe-new", "1.0")
        assert {view for view, status in seen.items() if status == 404} == late


@pytest.mark.parametrize("status", [507, 500])
def test_a_full_disk_keeps_nothing(status: int) -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(DiskFull(status=status), nth=1))
        reply = pypi.upload(content=wheel(files={"blob": bytes(3_000_000)}))
        assert reply.status == status
        assert pypi.files() == []
        assert not list(pypi.sandbox._store.incoming.iterdir())
        assert not list(pypi.sandbox._store.files.iterdir())
        assert pypi.upload().line == "200 OK"


def test_first_files_at_once_get_into_each_others_way() -> None:
    """One is accepted, the others end in a 500 and leave nothing; once the release is there, all go side by side."""
    names = {wheel_name(), sdist_name(), wheel_name(tag="py2-none-any"), wheel_name(tag="cp311-none-any")}

    def send(name: str) -> int:
        source = name.endswith(".tar.gz")
        if source:
            return pypi.upload(source=True).status
        return pypi.upload(filename=name, content=wheel(files={"mark": name})).status

    with sandbox_client() as pypi, ThreadPoolExecutor(4) as pool:
        pypi.sandbox.inject(on(Clash()), on(Slow(work=0.2)))
        statuses = dict(zip(sorted(names), pool.map(send, sorted(names)), strict=True))
        accepted = [name for name, status in statuses.items() if status == 200]
        assert sorted(statuses.values()) == [200, 500, 500, 500]
        assert pypi.files() == accepted
        rest = sorted(names - set(accepted))
        assert list(pool.map(send, rest)) == [200, 200, 200]
        assert set(pypi.files()) == names


def test_first_files_one_after_the_other_do_not() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(Clash()))
        assert [pypi.upload().status, pypi.upload(source=True).status, pypi.upload(version="2.0").status] == [200] * 3


# -- which requests


def test_a_fault_strikes_the_requests_that_fit() -> None:
    """By the name of the project or the file, in a form as in an address."""
    fault = CannedResponse(status=503)
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=fault, when=RequestFilter(project="Acme.Gadget")))
        assert [pypi.upload("acme-widget").status, pypi.upload("acme-gadget").status] == [200, 503]
        assert pypi.ask("GET", "/simple/acme-gadget/").status == 503
        assert pypi.ask("GET", "/pypi/acme_gadget/1.0/json").status == 503
        assert pypi.ask("GET", "/simple/acme-widget/").status == 200
        pypi.sandbox.clear_faults()
        url = urlsplit(pypi.listing()["files"][0]["url"]).path
        pypi.sandbox.inject(Fault(what=fault, when=RequestFilter(filename="*.whl")))
        assert [pypi.upload().status, pypi.upload(source=True).status] == [503, 200]
        assert [pypi.ask("GET", url).status, pypi.ask("GET", f"{url}.metadata").status] == [503, 503]
        assert pypi.ask("GET", "/simple/").status == 200


def test_the_file_arrives_whole_where_a_fault_has_looked_into_the_form() -> None:
    """A long description, that speaks of forms, in front of a large file."""
    content = wheel(files={"blob": bytes(1_000_000)})
    changes = {"description": 'name="content"; filename="other-1.0.tar.gz"\r\n' * 20_000}
    with sandbox_client() as pypi:
        pypi.sandbox.inject(
            on(CannedResponse(status=503), filename="other*"), on(CannedResponse(status=502), project="other")
        )
        assert pypi.upload(content=content, changes=changes).line == "200 OK"
        assert pypi.ask("GET", urlsplit(pypi.listing()["files"][0]["url"]).path).body == content
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        assert pypi.ask("POST", "/legacy/", body=b"no form", headers=kind).status == 405
        assert pypi.ask("POST", "/legacy/", body=b"a=1").status == 405


NUMBERS: dict[str, tuple[Any, list[int]]] = {
    "all": ((1, None), [1, 2, 3, 4, 5]),
    "the third": (3, [3]),
    "some": ((2, 4), [2, 3, 4]),
    "from then on": ((4, None), [4, 5]),
}


@pytest.mark.parametrize("row", NUMBERS)
def test_requests_are_counted_from_one(row: str) -> None:
    nth, struck = NUMBERS[row]
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path="/simple/", nth=nth)))
        for _ in range(5):
            pypi.ask("GET", "/")
        statuses = [pypi.ask("GET", "/simple/").status for _ in range(5)]
    assert [number for number, status in enumerate(statuses, 1) if status == 503] == struck


def test_each_fault_counts_for_itself_and_the_first_answer_counts() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(on(CannedResponse(status=500), nth=1), on(CannedResponse(status=429), nth=(1, 2)))
        assert [pypi.upload().status for _ in range(3)] == [500, 429, 200]
        assert [one.faults for one in pypi.sandbox.log] == [("answer 500", "answer 429"), ("answer 429",), ()]


def test_a_name_is_what_the_log_calls_it() -> None:
    with sandbox_client() as pypi:
        pypi.sandbox.inject(Fault(what=CannedResponse(status=500), name="bad day"))
        pypi.upload()
        assert pypi.sandbox.log[0].faults == ("bad day",)


def test_faults_go_when_they_are_cleared_and_while_none_fit_nothing_is_changed() -> None:
    with sandbox_client() as pypi:
        fault = on(CannedResponse(status=500))
        pypi.sandbox.inject(fault)
        assert list(pypi.sandbox.faults) == [fault]
        assert pypi.ask("GET", "/simple/").status == 200
        assert pypi.upload().status == 500
        pypi.sandbox.clear_faults()
        assert not pypi.sandbox.faults
        assert pypi.upload().status == 200

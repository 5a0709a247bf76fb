from __future__ import annotations

import base64
import contextlib
import hashlib
import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import requests

from release.adapters.twine import twine_packages, twine_process, twine_worker
from release.adapters.twine.twine_process import NotSentError, UploadLimits, Worker
from release.core.errors import ReleaseError
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import Index
from release.core.models.probe import ServerResponse
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.core.tokens.macaroon import create_macaroon, to_text
from tests.adapters.loopback_server import Answer as Serve
from tests.adapters.loopback_server import Handler, ReceivedRequest, Server, closed_port, loopback_server
from tests.patience import PATIENCE

TOKEN = to_text(create_macaroon("127.0.0.1", b"some-identifier", b"k" * 32))
SHORT = UploadLimits(connect=0.5, read=0.5, total=20)


def wheel(
    directory: Path, *, size: int = 10, metadata: str = "Summary: A widget\nClassifier: Topic :: Utilities\n"
) -> Distribution:
    path = directory / "acme_widget-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("acme_widget.py", os.urandom(size))
        archive.writestr(
            "acme_widget-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: acme-widget\nVersion: 1.0\n{metadata}\nLong words\n",
        )
        archive.writestr("acme_widget-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return distribution(path)


def distribution(path: Path) -> Distribution:
    data = path.read_bytes()
    return Distribution(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def credential(password: str = TOKEN, username: str = "__token__") -> Credential:
    origin = EnvironmentVariable(name="TWINE_PASSWORD")
    return Credential(username=username, username_origin=origin, password=Secret(password), origin=origin)


def index(url: str, kind: Literal["warehouse", "other"] = "warehouse") -> Index:
    return Index(name="test", upload_url=url, simple_url=url, kind=kind)


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    """One child for many cases: it starts anew where one of them ends it."""
    with twine_process.Worker(env=os.environ) as worker:
        yield worker


@pytest.fixture(scope="module")
def hasty() -> Iterator[Worker]:
    """One for servers that never answer; a busy machine may not answer in time, either."""
    with twine_process.Worker(env=os.environ, limits=SHORT) as worker:
        yield worker


def send(
    worker: Worker, directory: Path, answer: Serve, *, kind: Literal["warehouse", "other"] = "warehouse", **options: Any
) -> tuple[UploadResult, Server]:
    with loopback_server(answer, **options) as server:
        worker.login(index(server.url, kind), credential())
        return worker.send(wheel(directory)), server


def test_a_file_is_sent_as_the_user_asked(shared: Worker, tmp_path: Path) -> None:
    """Basic authentication with the token, JSON wanted, progress in bytes up to the end."""
    seen: list[tuple[int, int]] = []
    file = wheel(tmp_path, size=3_000_000)
    with loopback_server(lambda h: h.reply(200)) as server:
        shared.login(index(server.url), credential())
        answer = shared.send(file, on_progress=lambda done, total: seen.append((done, total)))
    assert answer == Receipt(filename=file.filename, sha256=file.sha256)
    (asked,) = server.asked
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(f'__token__:{TOKEN}'.encode()).decode()}"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["content-length"] == str(len(asked.body))
    assert seen[-1] == (len(asked.body), len(asked.body))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


OK_PAGE = (
    "<html>\n <head>\n  <title>200 OK</title>\n </head>\n <body>\n  <h1>200 OK</h1>\n  <br/><br/>\n </body>\n</html>"
)
OK_JSON = json.dumps({"message": "\n\n\n\n\n", "code": "200 OK", "title": "OK"})


@pytest.mark.parametrize(
    ("kind", "body", "content_type", "taken"),
    [
        ("warehouse", OK_JSON, "application/json", True),
        ("warehouse", OK_PAGE, "text/html; charset=UTF-8", True),
        ("warehouse", "", "text/plain", True),
        ("warehouse", "<html><form>Sign in</form></html>", "text/html", False),
        ("warehouse", '{"code": "403 Forbidden"}', "application/json", False),
        ("warehouse", "\0\1\2", "application/octet-stream", False),
        ("other", "uploaded", "text/plain", True),
        ("other", '{"ok": true}', "application/json", True),
        ("other", "<html><form>Sign in</form></html>", "text/html", False),
    ],
)
def test_only_the_indexs_own_200_is_success(
    tmp_path: Path, kind: Literal["warehouse", "other"], body: str, content_type: str, taken: bool
) -> None:
    reply = ServerResponse(status=200, reason="OK", body=body, headers={"content-type": content_type})
    answer = twine_process.evaluate_response(reply, wheel(tmp_path), index("http://127.0.0.1/", kind))
    assert isinstance(answer, Receipt if taken else UnclearResponse)


@pytest.mark.parametrize("status", [202, 201, 204, 429, 500, 502, 503, 408, 407, 999])
def test_what_decides_nothing_is_unclear(shared: Worker, tmp_path: Path, status: int) -> None:
    """One request and no more: another attempt is the caller's to make, once it has asked the index."""
    answer, server = send(shared, tmp_path, lambda h: h.reply(status, reason="Some Words"))
    assert isinstance(answer, UnclearResponse)
    assert answer.summary == ("proxy" if status == 407 else f"status {status}")
    assert answer.detail == "Some Words"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 59.0),
        ("Fri, 31 Dec 1999 23:00:00 GMT", 0.0),
        ("soon", None),
        (None, None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_kept(tmp_path: Path, value: str | None, seconds: float | None) -> None:
    headers = {"date": "Fri, 31 Dec 1999 23:59:00 GMT"} | ({"retry-after": value} if value else {})
    answer = twine_process.evaluate_response(
        ServerResponse(status=429, headers=headers), wheel(tmp_path), index("http://127.0.0.1/")
    )
    assert isinstance(answer, UnclearResponse)
    assert answer.retry_after == seconds


WORDS = "Invalid or non-existent authentication information. See http://h/help/#invalid-auth for more information."


@pytest.mark.parametrize(
    ("reason", "body", "content_type"),
    [
        (WORDS, "", "text/html"),
        ("Forbidden", json.dumps({"message": "Access was denied", "code": f"403 {WORDS}"}), "application/json"),
        ("", json.dumps({"detail": WORDS}), "application/json"),
        ("Forbidden", WORDS, "text/plain"),
        ("Forbidden", f"<html><title>403</title><style>a{{}}</style><p>{WORDS}</p></html>", "text/html"),
    ],
)
def test_a_refusal_carries_the_servers_own_words(
    shared: Worker, tmp_path: Path, reason: str, body: str, content_type: str
) -> None:
    """Wherever they stand: over HTTP/2 there is no reason phrase."""
    answer, _ = send(shared, tmp_path, lambda h: h.reply(403, body, reason=reason, kind=content_type))
    assert answer == Rejection(filename="acme_widget-1.0-py3-none-any.whl", status=403, message=WORDS)


def test_a_refusal_without_words_has_the_standard_ones(shared: Worker, tmp_path: Path) -> None:
    answer, _ = send(shared, tmp_path, lambda h: h.reply(400))
    assert isinstance(answer, Rejection)
    assert answer.message == "Bad Request"


def test_no_control_character_comes_through() -> None:
    assert ServerResponse(status=400, reason="a\x1b[2Jb", headers={}).message() == "a[2Jb"


@pytest.mark.parametrize("status", [301, 302, 308])
def test_a_redirect_is_refused_and_explained(shared: Worker, tmp_path: Path, status: int) -> None:
    answer, server = send(shared, tmp_path, lambda h: h.reply(status, Location="http://elsewhere.invalid/legacy/"))
    assert isinstance(answer, Rejection)
    assert answer.status == status
    assert "'http://elsewhere.invalid/legacy/'" in answer.message
    assert len(server.asked) == 1


def lost(h: Handler) -> None:
    h.close_connection = True


def half(h: Handler) -> None:
    h.send_response(200)
    h.send_header("Content-Length", "1000")
    h.end_headers()
    h.wfile.write(b"half")
    h.close_connection = True


def trickle(h: Handler) -> None:
    h.send_response(200)
    h.send_header("Content-Length", "1000")
    h.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(60):
            h.wfile.write(b" ")
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "before_body", "what"),
    [
        (lambda h: h.reset(), True, "connection"),
        (lambda h: h.reset(), False, "connection"),
        (lost, False, "connection"),
        (half, False, "connection"),
        (lambda h: h.wfile.write(b"what?\r\n\r\n"), False, "garbage"),
        (lambda _: time.sleep(30), False, "timeout"),
        (trickle, False, "timeout"),
    ],
    ids=["reset before the body", "reset", "lost", "half a reply", "garbage", "silence", "slow loris"],
)
def test_whatever_breaks_is_unclear_and_ends_in_time(
    *, shared: Worker, hasty: Worker, tmp_path: Path, answer: Serve, before_body: bool, what: str
) -> None:
    told, server = send(hasty if what == "timeout" else shared, tmp_path, answer, before_body=before_body)
    assert isinstance(told, UnclearResponse)
    assert told.summary == what
    assert told.detail
    assert len(server.asked) == 1


def test_a_reset_in_the_middle_of_the_body_is_unclear(shared: Worker, tmp_path: Path) -> None:
    def some(h: Handler) -> None:
        h.rfile.read(100_000)
        h.reset()

    with loopback_server(some, before_body=True) as server:
        shared.login(index(server.url), credential())
        answer = shared.send(wheel(tmp_path, size=20_000_000))
    assert isinstance(answer, UnclearResponse)
    assert answer.summary == "connection"


def test_an_answer_before_the_end_of_the_body_is_heard(shared: Worker, tmp_path: Path) -> None:
    """A server that has read enough to refuse may close at once; what it said counts."""

    def early(h: Handler) -> None:
        h.rfile.read(100_000)
        h.reply(403, reason="No")
        h.rfile.read(int(h.headers["Content-Length"]) - 100_000)

    with loopback_server(early, before_body=True) as server:
        shared.login(index(server.url), credential())
        answer = shared.send(wheel(tmp_path, size=3_000_000))
    assert answer == Rejection(filename="acme_widget-1.0-py3-none-any.whl", status=403, message="No")


@pytest.mark.parametrize(("scheme", "what"), [("http", "connection"), ("https", "tls")])
def test_nobody_there_and_no_tls_are_told_apart(shared: Worker, tmp_path: Path, scheme: str, what: str) -> None:
    with loopback_server(lambda h: h.reply(200)) as server:
        port = closed_port() if scheme == "http" else int(server.url.rsplit(":", 1)[1].strip("/"))
        shared.login(index(f"{scheme}://127.0.0.1:{port}/"), credential())
        answer = shared.send(wheel(tmp_path))
    assert isinstance(answer, UnclearResponse)
    assert answer.summary == what


@pytest.mark.parametrize("cookie", [None, "backend=7"])
def test_each_request_is_like_the_first_but_for_its_body(shared: Worker, tmp_path: Path, cookie: str | None) -> None:
    """The server's cookies are sent back; no other file's."""
    headers = {} if cookie is None else {"Set_Cookie": cookie}
    with loopback_server(lambda h: h.reply(200, **headers)) as server:
        shared.login(index(server.url), credential())
        files = []
        for size in (10, 20_000, 200):
            (directory := tmp_path / str(size)).mkdir()
            files.append(wheel(directory, size=size))
            assert isinstance(shared.send(files[-1]), Receipt)
    first, *others = server.asked
    assert "cookie" not in first.headers
    of_body = {"content-length", "content-type"}
    common = {name: value for name, value in first.headers.items() if name not in of_body}
    assert "authorization" in common
    for asked in others:
        more = {} if cookie is None else {"cookie": cookie}
        assert {name: value for name, value in asked.headers.items() if name not in of_body} == common | more
    for file, asked in zip(files, server.asked, strict=True):
        assert asked.headers["content-length"] == str(len(asked.body))
        assert any(value == file.path.read_bytes() for _, value in fields(asked))


def test_only_the_first_request_is_prepared_wholly_unless_there_are_cookies() -> None:
    session = requests.Session()
    prepared: list[requests.Request] = []
    whole = session.prepare_request

    def count(request: requests.Request) -> requests.PreparedRequest:
        prepared.append(request)
        return whole(request)

    vars(session)["prepare_request"] = count
    prepare = twine_worker._Preparation(session)
    body: Any = SimpleNamespace(len=1, read=lambda _size: b"x")
    first, second, third = (requests.Request("POST", "http://127.0.0.1/", data=body) for _ in range(3))
    prepare(first)
    prepare(second)
    assert prepared == [first]
    session.cookies.set("backend", "7", domain="127.0.0.1")
    prepare(third)
    assert prepared == [first, third]


def test_connections_are_kept_from_file_to_file(shared: Worker, tmp_path: Path) -> None:
    with loopback_server(lambda h: h.reply(200)) as server:
        for _ in range(3):
            shared.login(index(server.url), credential())
            assert isinstance(shared.send(wheel(tmp_path)), Receipt)
    assert len({asked.connection for asked in server.asked}) == 1


def test_a_worker_that_dies_is_unclear_and_the_next_file_has_another(tmp_path: Path) -> None:
    killed = threading.Event()

    def answer(h: Handler) -> None:
        if not killed.is_set():
            killed.set()
            worker._pipe._process.kill()  # type: ignore[union-attr] # it is running
            return
        h.reply(200)

    with loopback_server(answer) as server, twine_process.Worker(env=os.environ, limits=SHORT) as worker:
        worker.login(index(server.url), credential())
        first = worker.send(wheel(tmp_path))
        assert isinstance(first, UnclearResponse)
        assert first.summary == "worker died"
        assert isinstance(worker.send(wheel(tmp_path)), Receipt)


def test_a_worker_that_died_between_two_files_is_no_failure(tmp_path: Path) -> None:
    with loopback_server(lambda h: h.reply(200)) as server, twine_process.Worker(env=os.environ) as worker:
        worker.login(index(server.url), credential())
        worker.send(wheel(tmp_path))
        process = worker._pipe._process  # type: ignore[union-attr] # it is running
        process.kill()
        process.wait()
        assert isinstance(worker.send(wheel(tmp_path)), Receipt)


def test_a_worker_that_can_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "twine.py").write_text("raise ImportError('no twine here')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with twine_process.Worker(env=env) as worker:
        worker.login(index("http://127.0.0.1:9/"), credential())
        with pytest.raises(NotSentError, match="no twine here"):
            worker.send(wheel(tmp_path))


def test_a_project_in_the_current_directory_is_not_taken_for_twine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requests.py").write_text("raise ImportError('shadowed')")
    monkeypatch.chdir(tmp_path)
    with twine_process.Worker(env=os.environ) as worker:
        assert isinstance(send(worker, tmp_path, lambda h: h.reply(200))[0], Receipt)


def test_bytes_that_changed_are_never_sent(shared: Worker, tmp_path: Path) -> None:
    """Whether they are another archive, none at all, or gone."""
    file = wheel(tmp_path)
    with loopback_server(lambda h: h.reply(200)) as server:
        shared.login(index(server.url), credential())
        for change in (lambda: wheel(tmp_path), lambda: file.path.write_bytes(b"x"), file.path.unlink):
            change()
            with pytest.raises(NotSentError, match="changed since it was built"):
                shared.send(file)
    assert server.asked == []


def _uploader(url: str) -> Any:
    """What the child uploads with, in this process."""
    made = twine_worker._Uploader(lambda _event: None)
    made.login(url=url, username="__token__", password="x", proxies={}, ca=None)
    return made


def _sending(file: Distribution, upcoming: Distribution | None = None) -> dict[str, Any]:
    more = {"upcoming": str(upcoming.path)} if upcoming else {}
    return {"path": str(file.path), "sha256": file.sha256, "timeout": (PATIENCE, PATIENCE), "attestations": [], **more}


def _reading(file: Distribution) -> dict[str, str]:
    return {"path": str(file.path), "sha256": file.sha256}


@pytest.mark.parametrize(("limit", "value", "times"), [("", 0, 1), ("_SMALL", 10, 2), ("_KEPT", 0, 2)])
def test_a_small_file_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, times: int
) -> None:
    """With its digests, before any is sent; it takes memory until it is sent."""
    from twine.wheel import Wheel

    file, read = other_wheel(tmp_path, 1), list[str]()
    whole = Wheel.read

    def count(self: Any) -> Any:
        read.append(self.filename)
        return whole(self)

    monkeypatch.setattr(Wheel, "read", count)
    if limit:
        monkeypatch.setattr(twine_packages, limit, value)
    with loopback_server(lambda h: h.reply(200)) as server:
        uploader = _uploader(server.url)
        assert uploader.read(files=[_reading(file)]) == {"is": "readable"}
        assert bool(uploader._packages._text) == (times == 1)
        uploader.prepare(path=str(file.path))
        if times == 1:
            assert uploader._packages._prepared is None
        assert uploader.send(**_sending(file))["status"] == 200
        uploader._repository.close()
    assert (read, uploader._packages._text) == ([str(file.path)] * times, 0)


def test_of_files_that_are_read_at_a_time_the_first_refused_one_is_named(shared: Worker, tmp_path: Path) -> None:
    files = [other_wheel(tmp_path, number) for number in range(3)]
    assert shared.read(files) is None
    files[1].path.write_bytes(b"no archive")
    broken = distribution(files[1].path)
    found = shared.read([files[0], broken, files[2]])
    assert found is not None
    assert found[0] is broken
    assert f"twine does not accept {broken.filename!r}" in found[1].message
    found = shared.read(files)
    assert found is not None
    assert "has changed since it was built" in found[1].message


class _Fatal:
    """A child that ends with one file."""

    alive = True

    def __init__(self, name: str, requests: list[list[str]], before: Callable[[], object]) -> None:
        self._name, self._requests, self._before = name, requests, before
        self._started = False

    def write(self, request: dict[str, Any]) -> None:
        self._requests.append([Path(one["path"]).name for one in request["files"]])

    def read(self, _timeout: float) -> dict[str, Any]:
        if not self._started:
            self._started = True
            return {"is": "ready"}
        self._before()
        if self._name in self._requests[-1]:
            raise EOFError
        return {"is": "readable"}

    def last_error_line(self) -> str:
        return "Segmentation fault"

    def kill(self) -> None: ...
    def close(self) -> None: ...


@pytest.mark.parametrize("killed", [False, True])
def test_a_file_with_which_the_child_ends_is_found_among_those_that_it_reads(tmp_path: Path, killed: bool) -> None:
    """Each is read on its own then; a child that was killed on purpose is no reason for that."""
    files = [other_wheel(tmp_path, number) for number in range(3)]
    names, requests = [one.filename for one in files], list[list[str]]()

    def start() -> Any:
        return _Fatal(names[1], requests, lambda: worker.kill() if killed else None)

    with Worker(env=os.environ, start=start) as worker:
        found = worker.read(files)
    assert found is not None
    assert found[0] is files[0 if killed else 1]
    assert found[1].message == f"cannot read {found[0].filename!r} with twine: Segmentation fault"
    assert requests == ([names] if killed else [names, names[:1], names[1:2]])


def test_a_small_file_is_one_line_of_progress(tmp_path: Path) -> None:
    """Before its bytes are sent, so that a child that ends later may have sent it."""
    told: list[dict[str, Any]] = []
    with loopback_server(lambda h: h.reply(200)) as server:
        uploader = twine_worker._Uploader(told.append)
        uploader.login(url=server.url, username="__token__", password="x", proxies={}, ca=None)
        uploader.send(**_sending(wheel(tmp_path)))
    length = int(server.asked[0].headers["content-length"])
    assert told == [{"is": "progress", "done": length, "total": length}]


def test_the_next_file_is_read_while_the_one_before_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is read once: the next one after the first block was sent, before the response comes."""
    read: list[str] = []
    began = threading.Event()
    files = [other_wheel(tmp_path, number) for number in range(3)]
    package = twine_packages._package

    def count(path: str) -> Any:
        read.append(path)
        if path == str(files[1].path):
            began.set()
        return package(path)

    def answer(h: Handler) -> None:
        assert began.wait(PATIENCE)
        h.reply(200)

    monkeypatch.setattr(twine_packages, "_package", count)
    with loopback_server(answer) as server:
        uploader = _uploader(server.url)
        for file, upcoming in ((files[0], files[1]), (files[1], None), (files[2], None)):
            assert uploader.send(**_sending(file, upcoming))["status"] == 200
        uploader._repository.close()
    assert read == [str(file.path) for file in files]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("change", ["written", "replaced", "removed", "touched"])
def test_bytes_that_changed_after_they_were_read_ahead_are_never_sent(tmp_path: Path, change: str, kept: bool) -> None:
    """Also where size and time of modification are as before; a file with the same bytes is read again, and sent."""
    first, second = other_wheel(tmp_path, 1), other_wheel(tmp_path, 2)
    with loopback_server(lambda h: h.reply(200)) as server:
        uploader = _uploader(server.url)
        if kept:
            assert uploader.read(files=[_reading(second)]) == {"is": "readable"}
        uploader.send(**_sending(first, second))
        if kept:
            assert str(second.path) in uploader._packages._kept
        else:
            uploader._packages._prepared._thread.join(PATIENCE)
            assert uploader._packages._prepared.found(str(second.path)) is not None
        before, data = second.path.stat(), second.path.read_bytes()
        time.sleep(0.05)  # clocks of file systems tick less often than others
        if change == "written":
            second.path.write_bytes(data[:-1] + b"x")
            os.utime(second.path, ns=(before.st_atime_ns, before.st_mtime_ns))
        elif change == "replaced":
            new = tmp_path / "new"
            new.write_bytes(data[:-1] + b"x")
            os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
            new.replace(second.path)
        elif change == "removed":
            second.path.unlink()
        else:
            second.path.touch()
        event = uploader.send(**_sending(second))
        uploader._repository.close()
    assert (event["is"], len(server.asked)) == (("reply", 2) if change == "touched" else ("changed", 1))


def test_another_file_than_the_one_read_ahead_is_read_itself(tmp_path: Path) -> None:
    files = [other_wheel(tmp_path, number) for number in range(3)]
    with loopback_server(lambda h: h.reply(200)) as server:
        uploader = _uploader(server.url)
        uploader.prepare(path=str(files[0].path))
        assert uploader.send(**_sending(files[1], files[2]))["is"] == "reply"
        (tmp_path / files[2].filename).write_bytes(b"no archive")
        assert uploader.send(**_sending(files[2]))["is"] == "changed"
        uploader._repository.close()
    assert files[1].sha256.encode() in server.asked[0].body


def test_a_child_is_told_the_file_to_read_ahead(shared: Worker, tmp_path: Path) -> None:
    files = [other_wheel(tmp_path, number) for number in range(3)]
    with loopback_server(lambda h: h.reply(200)) as server:
        shared.login(index(server.url), credential())
        shared.prepare(files[0])
        for file, upcoming in ((files[0], files[1]), (files[1], files[2]), (files[2], None)):
            assert isinstance(shared.send(file, upcoming=upcoming), Receipt)
    assert [file.sha256.encode() in asked.body for file, asked in zip(files, server.asked, strict=True)] == [True] * 3


def other_wheel(directory: Path, number: int) -> Distribution:
    made = wheel(directory)
    path = made.path.with_name(f"acme_widget-1.0-{number}-py3-none-any.whl")
    return distribution(made.path.rename(path))


def test_what_twine_refuses_is_never_sent(shared: Worker, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    broken = tmp_path / "other" / "acme_widget-1.0-py3-none-any.whl"
    broken.write_bytes(b"no archive")
    with loopback_server(lambda h: h.reply(200)) as server:
        shared.login(index(server.url), credential())
        for file in (distribution(broken), wheel(tmp_path, metadata="License-Expression: Any\n")):
            with pytest.raises(NotSentError, match="twine does not accept"):
                shared.send(file)
    assert server.asked == []


@pytest.mark.parametrize(
    ("password", "code"), [(f"{TOKEN}\u200b", "U+200B"), (f"\ufeff{TOKEN}", "U+FEFF as character 1")]
)
def test_a_password_that_no_header_can_carry_is_named_but_not_shown(shared: Worker, password: str, code: str) -> None:
    """twine ends in a UnicodeEncodeError that holds the whole token."""
    with pytest.raises(ReleaseError) as caught:
        shared.login(index("http://127.0.0.1:9/"), credential(password))
    assert code in caught.value.message
    assert "$TWINE_PASSWORD" in caught.value.message
    assert TOKEN not in caught.value.message
    assert TOKEN not in repr(caught.value.__cause__)


def test_a_token_that_a_server_repeats_is_not_passed_on(shared: Worker, tmp_path: Path) -> None:
    def repeat(h: Handler) -> None:
        words = f"{TOKEN} {h.headers['Authorization']}"
        h.reply(301, words, reason=words, Location=f"http://u:{TOKEN}@h/")

    answer, _ = send(shared, tmp_path, repeat)
    assert TOKEN not in repr(answer)
    assert base64.b64encode(f"__token__:{TOKEN}".encode()).decode() not in repr(answer)


def test_the_child_has_no_credential_in_arguments_or_environment(tmp_path: Path) -> None:
    env = {**os.environ, "TWINE_PASSWORD": TOKEN, "ODD_NAME": TOKEN}
    with twine_process.Worker(env=env) as worker:
        send(worker, tmp_path, lambda h: h.reply(200))
        process = worker._pipe._process  # type: ignore[union-attr] # it is running
        assert TOKEN not in str(process.args)
        assert TOKEN not in str(worker._env)
        with contextlib.suppress(FileNotFoundError):  # Linux alone shows both
            for name in ("cmdline", "environ"):
                assert TOKEN.encode() not in Path(f"/proc/{process.pid}/{name}").read_bytes()


def test_an_interrupt_ends_what_is_under_way(tmp_path: Path) -> None:
    """The request is broken off at once; the worker serves again."""

    def interrupt(done: int, total: int) -> None:
        if done < total:
            raise KeyboardInterrupt

    with loopback_server(lambda h: h.reply(200)) as server, twine_process.Worker(env=os.environ) as worker:
        worker.login(index(server.url), credential())
        with pytest.raises(KeyboardInterrupt):
            worker.send(wheel(tmp_path, size=20_000_000), on_progress=interrupt)
        assert isinstance(worker.send(wheel(tmp_path)), Receipt)


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_the_child_ends_with_its_parent_even_in_the_middle_of_a_request(tmp_path: Path) -> None:
    """A parent that is killed leaves nobody behind who goes on uploading."""
    arrived, over = threading.Event(), threading.Event()

    def hold(h: Handler) -> None:
        arrived.set()
        with contextlib.suppress(OSError):
            over.wait(PATIENCE) if h.connection.recv(1) else over.set()

    code = f"""
import os, sys
from tests.adapters.twine.test_twine_process import *
with twine_process.Worker(env=os.environ) as worker:
    worker.login(index(sys.argv[1]), credential())
    worker.send(wheel(Path({str(tmp_path)!r})))
"""
    with loopback_server(hold) as server:
        parent = subprocess.Popen([sys.executable, "-c", code, server.url], cwd=Path(__file__).parents[3])
        assert arrived.wait(PATIENCE)
        parent.send_signal(signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
        parent.wait()
        assert over.wait(PATIENCE), "the connection is closed once the child is gone"


# -- the contract with twine ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "parameters"),
    [
        ("repository:Repository", {"repository_url", "username", "password", "disable_progress_bar"}),
        ("repository:Repository.set_certificate_authority", {"self", "cacert"}),
        ("package:PackageFile.from_filename", {"filename", "comment"}),
        ("repository:Repository.upload", {"self", "package", "max_redirects"}),
        ("repository:Repository.close", {"self"}),
    ],
)
def test_twine_has_what_is_used_of_it(where: str, parameters: set[str]) -> None:
    module, _, path = where.partition(":")
    found: Any = __import__(f"twine.{module}", fromlist=["_"])
    for name in path.split("."):
        found = getattr(found, name)
    assert parameters <= set(inspect.signature(found).parameters)


def test_twine_reads_what_is_used_of_a_package(tmp_path: Path) -> None:
    from twine.package import PackageFile
    from twine.repository import Repository

    file = wheel(tmp_path)
    assert PackageFile.from_filename(str(file.path), None).sha2_digest == file.sha256
    with contextlib.closing(Repository("http://127.0.0.1:9/", "u", "p")) as repository:
        assert repository.session.auth == ("u", "p")


def test_the_child_imports_nothing_that_an_upload_does_not_need() -> None:
    """Neither the progress bar nor keyring; what stands in for modules is gone, so that others can import them."""
    code = """
import json, sys
from release.adapters.twine.twine_import import import_twine
import_twine()
unused = {"rich", "rfc3986", "keyring", "docutils", "msgspec"}
unused |= {"charset_normalizer", "configparser", "idna", "requests_toolbelt"}
loaded = [name for name in sys.modules if name.partition(".")[0] in unused]
import charset_normalizer, configparser, requests, requests_toolbelt, rfc3986, rich.progress
request = requests.Request("GET", "http://b\u00fccher.example/").prepare()
real = rich.progress.Progress, rfc3986.urlparse, configparser.Error, charset_normalizer.detect
print(json.dumps([loaded, request.url, *(one.__module__ for one in (*real, requests_toolbelt.MultipartEncoder))]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=Path(__file__).parents[3], capture_output=True, check=True
    )
    loaded, address, *real = json.loads(done.stdout)
    assert set(loaded) <= {"rich", "rich._extension", "requests_toolbelt.utils", "requests_toolbelt.utils.user_agent"}
    assert address == "http://xn--bcher-kva.example/"
    modules = ["rich.progress", "rfc3986.api", "configparser", "charset_normalizer.legacy"]
    assert real == [*modules, "requests_toolbelt.multipart.encoder"]


@pytest.mark.parametrize(
    "use",
    [
        "utils.rfc3986.urlparse",
        "utils.configparser.ConfigParser",
        "repository.rich.progress.track",
        "repository.rich.console",
        "repository.requests_toolbelt.SSLAdapter",
        "repository.requests.compat.chardet.detect",
    ],
)
def test_another_use_of_what_is_not_imported_is_an_error(use: str) -> None:
    """A later version of twine must not find that a validation, say, always succeeds."""
    code = f"""
from release.adapters.twine.twine_import import import_twine
import_twine()
from twine import repository, utils
with repository.rich.progress.Progress(repository.rich.progress.BarColumn(), disable=True) as progress:
    progress.update(progress.add_task("", total=1), completed=1)
print("known")
{use}
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False, text=True)
    assert (done.stdout, done.returncode) == ("known\n", 1)
    assert "AttributeError" in done.stderr


def test_the_form_is_that_of_twines_own_command(shared: Worker, tmp_path: Path) -> None:
    file = wheel(
        tmp_path,
        metadata="Summary: Ä\nProject-URL: Home, http://h/\nRequires-Dist: x\nRequires-Dist: y\nKeywords: a,b\n",
    )
    env = {**os.environ, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN}
    with loopback_server(lambda h: h.reply(200)) as server:
        shared.login(index(server.url), credential())
        shared.send(file)
        command = [
            sys.executable,
            "-m",
            "twine",
            "upload",
            "--non-interactive",
            "--repository-url",
            server.url,
            str(file.path),
        ]
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=240)
    ours, theirs = server.asked
    assert sorted(fields(ours)) == sorted(fields(theirs))
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert ours.headers["user-agent"] == theirs.headers["user-agent"]


def fields(asked: ReceivedRequest) -> list[tuple[str, bytes]]:
    """Each part's disposition and type, and its value."""
    message = message_from_bytes(b"Content-Type: " + asked.headers["content-type"].encode() + b"\n\n" + asked.body)
    return [
        (f"{part['Content-Disposition']} {part['Content-Type']}", value)
        for part in message.walk()
        if isinstance(value := part.get_payload(decode=True), bytes)
    ]

"""The server as its users hold it: started, stopped, continued, watched."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import UsageError
from release.sandbox import server
from release.sandbox.seed import SeedData, seed_for_project
from tests.patience import PATIENCE, wait_until
from tests.sample_distributions import fields, form, wheel, wheel_name
from tests.sandbox.sandbox_client import SandboxClient, basic_auth, sandbox_client

ROOT = Path(__file__).parents[2]


def test_without_a_world_there_is_a_user_who_owns_nothing_and_an_account_wide_token() -> None:
    with server.start_sandbox() as sandbox:
        pypi = SandboxClient(sandbox=sandbox)
        assert list(sandbox.tokens) == ["account"]
        assert pypi.upload().line == "200 OK"
        assert pypi.upload(source=True).line == "200 OK"
        found = sandbox.index()
    assert (found.kind, found.ephemeral, found.loopback, found.name) == ("warehouse", True, True, "sandbox")
    assert found.token_location == "127.0.0.1"
    assert found.json_url == sandbox.json_url


def test_a_world_for_a_project_that_exists_has_it() -> None:
    with server.start_sandbox(seed_for_project("argparse")) as sandbox:
        assert SandboxClient(sandbox=sandbox).upload("argparse").status == 400
    with server.start_sandbox(seed_for_project("argparse", exists=True)) as sandbox:
        assert SandboxClient(sandbox=sandbox).upload("argparse").status == 200


def test_the_log_tells_each_request_and_no_secret() -> None:
    with sandbox_client() as pypi:
        pypi.upload("Acme-Gadget")
        pypi.upload(authorization=basic_auth("pypi-bogus"))
        pypi.ask("GET", "/simple/acme-gadget/?secret=hunter2")
        first, second, third = pypi.sandbox.log
        tokens = [pypi.token(name) for name in pypi.sandbox.tokens]
        written = pypi.sandbox._store.requests.read_text(encoding="utf-8")
    assert (first.method, first.path, first.status, first.reason) == ("POST", "/legacy/", 200, "OK")
    assert (first.project, first.filename, first.username) == (
        "Acme-Gadget",
        "acme_gadget-1.0-py3-none-any.whl",
        "alice",
    )
    assert (second.status, second.username) == (403, None)
    assert (third.method, third.path, third.project) == ("GET", "/simple/acme-gadget/", "acme-gadget")
    assert first.time.tzinfo is not None
    assert not any(token in written for token in [*tokens, "hunter2", "bogus"])


def test_a_state_directory_outlives_the_server(tmp_path: Path) -> None:
    """Files, names, tokens, the log and the spent quota go on."""
    state = tmp_path / "state"
    with sandbox_client(state=state) as pypi:
        pypi.upload("probe-new")
        before = {name: pypi.token(name) for name in pypi.sandbox.tokens}
    with sandbox_client(state=state) as pypi:
        assert {name: pypi.token(name) for name in pypi.sandbox.tokens} == before
        assert pypi.files("probe-new") == [wheel_name("probe-new")]
        assert pypi.upload("probe-new").line == "200 OK"
        assert 'user";r=3;' in pypi.upload("probe-more").headers["RateLimit"]
    with server.start_sandbox(state=state) as sandbox:
        assert SandboxClient(sandbox=sandbox).files("probe-more") == [wheel_name("probe-more")]
        assert sandbox.tokens["account"].reveal() == before["account"]
        assert [one.project for one in sandbox.log if one.method == "POST"] == ["probe-new", "probe-new", "probe-more"]


def test_a_world_laid_over_a_state_changes_what_it_names(tmp_path: Path) -> None:
    with sandbox_client(state=tmp_path) as pypi:
        pypi.upload()
    with sandbox_client({"flags": ["read-only"]}, state=tmp_path) as pypi:
        assert pypi.upload(version="2.0").status == 403
        assert pypi.files() == [wheel_name()]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_the_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    with sandbox_client(state=tmp_path) as pypi:
        pypi.upload()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("sandbox.sqlite3*")}
    assert modes
    assert set(modes.values()) == {0o600}


SERVE = """
import sys
from pathlib import Path
from release.sandbox import server
server.serve_in_foreground(None, 0, Path(sys.argv[1]), lambda line: (sys.stdout.write(line), sys.stdout.flush()))
"""


def test_two_processes_serve_one_state(tmp_path: Path) -> None:
    with server.start_sandbox(state=tmp_path) as here:
        words = [sys.executable, "-c", SERVE, str(tmp_path)]
        child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None
            there: Any = json.loads(child.stdout.readline())
            assert there["tokens"] == {"account": here.tokens["account"].reveal()}
            pypi = SandboxClient(sandbox=here)
            elsewhere = SandboxClient(sandbox=_Elsewhere(there))  # type: ignore[arg-type] # only what `ask` needs of it
            assert elsewhere.upload().line == "200 OK"
            assert pypi.files() == [wheel_name()]
            assert pypi.upload(version="2.0").line == "200 OK"
            assert len(elsewhere.files()) == 2
        finally:
            child.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
            child.communicate(timeout=PATIENCE)
    assert child.returncode == 0 or os.name == "nt"


class _Elsewhere:
    """A sandbox that runs in another process, as far as `Index` needs one."""

    def __init__(self, told: dict[str, Any]) -> None:
        from release.core.secret import Secret

        self.simple_url = told["simple_url"]
        self.tokens = {name: Secret(token) for name, token in told["tokens"].items()}


def test_the_foreground_verb_tells_where_and_with_what_and_stops_at_ctrl_c() -> None:
    lines: list[str] = []

    def write(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    server.serve_in_foreground(None, 0, None, write)
    told = json.loads(lines[0])
    keys = {"upload_url", "simple_url", "json_url", "control_url", "tokens", "ambient", "ca_file", "ca_environment"}
    assert set(told) == keys
    assert told["upload_url"].endswith("/legacy/")
    assert told["tokens"]["account"].startswith("pypi-")


def test_starting_is_quick_and_stopping_too() -> None:
    starts, stops = [], []
    for _ in range(5):
        begun = time.process_time()
        with server.start_sandbox():
            starts.append(time.process_time() - begun)
            up = time.process_time()
        stops.append(time.process_time() - up)
    assert min(starts) < 0.1, "measured: 15 ms"
    assert min(stops) < 0.2, "measured: 20 ms"


def test_uploads_at_once_are_all_kept() -> None:
    with sandbox_client() as pypi, ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(lambda n: pypi.upload(version=f"1.{n}").line, range(24)))
        assert lines == ["200 OK"] * 24
        assert len(pypi.files()) == 24
        assert len([one for one in pypi.sandbox.log if one.method == "POST"]) == 24


def test_one_file_sent_by_many_at_once_is_kept_once() -> None:
    with sandbox_client() as pypi, ThreadPoolExecutor(8) as pool:
        lines = set(pool.map(lambda _: pypi.upload("probe-new").line, range(8)))
        assert lines == {"200 OK"}
        assert pypi.files("probe-new") == [wheel_name("probe-new")]


def test_a_large_upload_takes_no_memory() -> None:
    """60 MB arrive in pieces, in this very process, and the server holds none of them for long."""
    size = 60 * 1024 * 1024
    with sandbox_client() as pypi:
        head, kind = form(fields(b"", wheel_name(), sha256_digest="0" * 64), filename=wheel_name(), content=b"@")
        before, after = head.split(b"@")
        host, port = pypi.site.removeprefix("http://").split(":")
        length = len(before) + size + len(after)
        request = (
            f"POST /legacy/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: {basic_auth(pypi.token())}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()
        chunk = bytes(1024 * 1024)
        tracemalloc.start()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request + before)
            for _ in range(size // len(chunk)):
                connection.sendall(chunk)
            connection.sendall(after)
            answer = connection.makefile("rb").readline()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert b" 400 The digest supplied" in answer
        assert peak < 12 * 1024 * 1024


def test_a_client_that_goes_away_leaves_nothing() -> None:
    with sandbox_client() as pypi:
        content = wheel()
        body, kind = form(fields(content, wheel_name()), filename=wheel_name(), content=content)
        host, port = pypi.site.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /legacy/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: {basic_auth(pypi.token())}\r\n"
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:-40])
        assert wait_until(lambda: pypi.sandbox.log)
        assert [one.status for one in pypi.sandbox.log] == [400]
        assert pypi.files() == []
        assert not list(pypi.sandbox._store.incoming.iterdir())


def test_something_may_stand_between_client_and_index() -> None:
    """The place for faults: a middleware that answers for the index."""

    def broken(application: Any) -> Any:
        def serve(environ: Any, start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] == "POST":
                start_response("503 Out of Order", [("Content-Length", "0")])
                return [b""]
            return application(environ, start_response)

        return serve

    with sandbox_client(around=broken) as pypi:
        assert pypi.upload().line == "503 Out of Order"
        assert pypi.sandbox.log[0].reason == "Out of Order"
        assert pypi.ask("GET", "/simple/").status == 200


def test_ipv6_and_localhost_are_this_machine_too() -> None:
    for host in ("localhost", "::1"):
        with server.start_sandbox(host=host) as sandbox:
            assert SandboxClient(sandbox=sandbox).upload().line == "200 OK"
            assert sandbox.index().loopback


def test_nothing_is_left_behind() -> None:
    sandbox = server.start_sandbox(SeedData())
    directory = sandbox._store.directory
    assert directory.exists()
    sandbox.close()
    sandbox.close()
    assert not directory.exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sandbox ")]


def _a_file(path: Path) -> Path:
    path.write_text("x", encoding="utf-8")
    return path


def _no_database(path: Path) -> Path:
    path.mkdir()
    (path / "sandbox.sqlite3").write_bytes(b"no database " * 100)
    return path


@pytest.mark.parametrize("make", [_a_file, _no_database])
def test_a_state_that_cannot_be_used_is_a_clear_refusal(tmp_path: Path, make: Any) -> None:
    with pytest.raises(UsageError, match=r"cannot use the state directory .*state'") as caught:
        server.start_sandbox(state=make(tmp_path / "state"))
    assert caught.value.remedy


def test_another_host_and_a_port_that_is_taken_are_clear_refusals() -> None:
    with pytest.raises(UsageError, match=r"serves this machine only, not '0.0.0.0'"):
        server.start_sandbox(host="0.0.0.0")  # noqa: S104 - that it is refused is the point
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=r"cannot use port"):
            server.start_sandbox(port=taken.getsockname()[1])
    with pytest.raises(UsageError, match=r"port 70000 does not exist"):
        server.start_sandbox(port=70000)

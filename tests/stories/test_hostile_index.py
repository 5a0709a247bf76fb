"""The program against a hostile index, with its real limits: status, time and memory of each run.

The index is the embedded one, behind a server that spoils one kind of its answers.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from release.sandbox import server
from release.sandbox.seed import seed_for_project
from tests.adapters import hostile_server
from tests.adapters.hostile_server import Hostile, Sound
from tests.adapters.loopback_server import Handler, loopback_server
from tests.sample_distributions import wheel, wheel_name
from tests.sandbox.sandbox_client import SandboxClient
from tests.stories.project import UserProject

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs the peak memory that Linux reports"),
]

#: writes the status, seconds and peak memory in KiB of a program with its children; a process of its own, because a
#: child inherits the peak of the one that starts it
MEASURE = """
import json, os, sys, time
begun, pid = time.monotonic(), os.fork()
if not pid:
    os.execv(sys.executable, [sys.executable, "-m", "release", *sys.argv[2:]])
_, status, usage = os.wait4(pid, 0)
result = [os.waitstatus_to_exitcode(status), time.monotonic() - begun, usage.ru_maxrss]
json.dump(result, open(sys.argv[1], "w"))
"""
#: what is spoilt → paths
TARGETS: Mapping[str, str] = {
    "simple": r"GET /simple/acme-widget/",
    "json": r"GET /pypi/",
    "file": r"GET /.*\.(whl|tar\.gz)$",
    "upload": r"POST /legacy/",
}
EVERYTHING: Mapping[str, Hostile] = {
    **hostile_server.ANSWERS, **hostile_server.SLOW_ANSWERS, **hostile_server.ODD_ANSWERS, **hostile_server.DOCUMENTS,
}  # fmt: skip
#: none of these needs the spoilt answer, so that a run may be done in spite of it
HARMLESS = {**hostile_server.ODD_ANSWERS, "UTF-16": None, "bad UTF-8": None, "longer than its length": None}


@contextmanager
def front(index: server.Sandbox, target: str, hostile: Hostile, *, stored: bool) -> Iterator[str]:
    """The address of a server that passes requests on, but spoils those of the target.

    `stored`: the index gets the upload first.
    """
    behind = urlsplit(index.simple_url).netloc

    def answer(h: Handler) -> None:
        request = h.server_record.asked[-1]
        spoilt = re.match(TARGETS[target], f"{h.command} {h.path.partition('?')[0]}") is not None
        spoilt = spoilt and (h.command != "POST" or b'filename="acme_widget' in request.body)
        if not spoilt or h.command != "POST" or stored:
            headers = {name: value for name, value in h.headers.items() if name.lower() != "accept-encoding"}
            with closing(http.client.HTTPConnection(behind)) as connection:
                connection.request(h.command, h.path, request.body or None, headers)
                reply = connection.getresponse()
                body = reply.read()
            if not spoilt:
                kind = reply.headers.get("Content-Type", "text/plain")
                body = body.replace(behind.encode(), h.headers["Host"].encode())
                h.reply(reply.status, b"" if h.command == "HEAD" else body, reason=reply.reason, kind=kind)
                return
            hostile(h, Sound(body=body, kind=reply.headers.get("Content-Type", ""), status=reply.status))
        else:
            hostile(h, Sound(body=b"OK", kind="text/plain"))

    with loopback_server(answer) as running:
        yield running.url


def run(tmp_path: Path, url: str, token: str, words: Sequence[str]) -> tuple[int, float, float, str]:
    """Status, seconds, megabytes, and the output."""
    machine = UserProject(root=tmp_path / "elsewhere", home=tmp_path / "home")
    machine.home.mkdir()
    machine.env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token, "PYPI_PREFLIGHT_OFFLINE": ""}
    table = (
        f'[tool.release.indexes.lab]\nupload-url = "{url}legacy/"\nsimple-url = "{url}simple/"\nkind = "warehouse"\n'
    )
    machine.write("preflight.toml", table)
    measured = tmp_path / "measured.json"
    argv = [sys.executable, "-c", MEASURE, str(measured), "--config", "preflight.toml", *words]
    done = subprocess.run(
        argv, cwd=machine.root, env=machine.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert measured.exists(), done.stderr
    status, seconds, kilobytes = json.loads(measured.read_text())
    return status, seconds, kilobytes / 1024, done.stdout + done.stderr


PUBLISH = ("publish", "--index", "lab", "--yes", "--dry-run-on", "none", "--files", "wheelhouse")
#: name → target, command, whether the release is there before, statuses
RUNS: Mapping[str, tuple[str, Sequence[str], bool, set[int]]] = {
    "confirm, simple": ("simple", ("confirm", "--index", "lab", "acme-widget==1.0"), True, {1}),
    "confirm, json": ("json", ("confirm", "--index", "lab", "acme-widget==1.0"), True, {0, 1}),
    "confirm, file": ("file", ("confirm", "--index", "lab", "acme-widget==1.0"), True, {1}),
    "verify, simple": ("simple", ("verify", "--index", "lab", "--project", "acme-widget"), True, {1, 6}),
    "verify, json": ("json", ("verify", "--index", "lab", "--project", "acme-widget"), True, {0}),
    "inspect, simple": ("simple", ("inspect", "--index", "lab", f"wheelhouse/{wheel_name()}"), True, {1}),
    "publish, simple": ("simple", PUBLISH, False, {1}),
    "publish, upload stored": ("upload", PUBLISH, False, {0, 1}),
    "publish, upload lost": ("upload", PUBLISH, False, {3, 4}),
}


REDIRECTS = {"endless redirects", "redirect to file:"}
#: those for which a second command with the same reader is run
WORST = ("gzip bomb", "endless chunks", "a byte now and then", "a header now and then", "[ 200,000 times", "null")


def cases() -> Iterator[tuple[str, str]]:
    for name, (target, *_) in RUNS.items():
        for answer in EVERYTHING:
            again = target == "simple" and not name.startswith("confirm")
            if answer in WORST or not (again or (answer in hostile_server.DOCUMENTS and target in {"file", "upload"})):
                yield name, answer


@pytest.mark.parametrize(("name", "answer"), list(cases()))
def test_a_hostile_answer_ends_in_time_and_in_little_memory(name: str, answer: str, tmp_path: Path) -> None:
    target, words, there, statuses = RUNS[name]
    (tmp_path / "elsewhere" / "wheelhouse").mkdir(parents=True)
    (tmp_path / "elsewhere" / "wheelhouse" / wheel_name()).write_bytes(wheel())
    with server.start_sandbox(seed_for_project("acme-widget", exists=True)) as index:
        if there:
            assert SandboxClient(sandbox=index).upload(content=wheel()).line == "200 OK"
        with front(index, target, EVERYTHING[answer], stored=name.endswith("stored")) as url:
            status, seconds, megabytes, text = run(tmp_path, url, index.tokens["account"].reveal(), words)
    assert "Traceback" not in text
    assert "internal error" not in text
    allowed = set(statuses) | ({0} if answer in HARMLESS else set())
    if target == "upload" and answer in REDIRECTS:  # a refusal, as a redirect is not followed with the token
        allowed = {3}
    assert status in allowed, text
    assert seconds < 60, text
    assert megabytes < 100, text

"""Measure how fast many tokens are checked, compared with a bare connection pool, and in how much memory.

1,000 tokens: the embedded index answers after 100 ms. The bare pool is requests with 32 kept-alive connections that
sends the same, prepared requests and does not parse the responses. All three run in processes of their own.

10,000 tokens: an index that repeats what the embedded one answered for one of them, at once; the embedded one would
take minutes. The memory is that of a run that finds the results of the one before in its history.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.table import Row, process, ratio, seconds
from release.adapters.system import state_directory
from release.core.child_environment import without_credentials
from release.core.models import probe
from release.core.secret import Secret
from release.core.tokens import caveats, macaroon
from release.core.tokens.token import expired_copy, limited_copy
from release.sandbox.fault_json import fault_to_json
from release.sandbox.faults import Fault, Slow

CONNECTIONS = 32
LATENCY = 0.1
ROUNDS = 3
FEW, MANY = 1_000, 10_000
OURS = str(Path(sys.executable).with_name("pypi-preflight"))


# -- the indexes, each in a process of its own -------------------------------------------------------


@contextmanager
def running(words: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run an index and yield what it prints when it is ready: its URLs and tokens."""
    index = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert index.stdout is not None
        yield json.loads(index.stdout.readline())
    finally:
        index.terminate()
        index.wait()


@contextmanager
def embedded_index(directory: Path, tokens: int, latency: float) -> Iterator[dict[str, Any]]:
    """Run the embedded index with as many projects, each with a token."""
    names = [f"acme-{number}" for number in range(tokens)]
    world = {
        "users": [{"name": "alice"}],
        "projects": [{"name": name, "owners": ["alice"]} for name in names],
        "tokens": [{"name": name, "user": "alice", "scope": [name]} for name in names],
        "faults": [fault_to_json(Fault(what=Slow(answer=latency)))],
    }
    file = directory / "world.json"
    file.write_text(json.dumps(world))
    with running(["release", "sandbox", "--world", str(file), "--state", str(directory / "index")]) as place:
        yield place


@contextmanager
def repeating_index(directory: Path, tokens: int) -> Iterator[dict[str, Any]]:
    """Run an index that repeats the answers of the embedded one, with tokens that it would have issued."""
    import requests

    with embedded_index(directory, 1, 0) as place, requests.Session() as session:
        session.trust_env = False
        secret = Secret(place["tokens"]["acme-0"])
        sent = [session.prepare_request(one) for one in requests_for(place, "acme-0", secret, datetime.now(UTC))]
        sent[0].headers["Accept"] = "application/vnd.pypi.simple.v1+json"
        answers = [session.send(one, timeout=60) for one in sent]
        location = macaroon.deserialize(macaroon.decode_base64(secret.reveal().partition("-")[2]))[0].location
        kinds = [one.headers["Content-Type"] for one in answers]
    recorded = [[one.status_code, kind, one.text] for one, kind in zip(answers, kinds, strict=True)]
    file = directory / "answers.json"
    file.write_text(json.dumps(recorded))
    with running(["benchmarks.health", "--repeat", str(file)]) as own:
        made: dict[str, str] = {}
        for project in (f"acme-{number}" for number in range(tokens)):
            issued = macaroon.create_macaroon(location, str(uuid4()).encode(), os.urandom(32))
            made[project] = macaroon.to_text(issued.attenuate(caveats.project_names(project)))
        yield own | {"tokens": made}


def repeat(answers: Sequence[tuple[int, str, str]]) -> None:
    """Answer each request like the one of its kind: the simple API, the JSON API, and the two forms."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer(0 if self.path.startswith("/simple/") else 1)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(3 if b'name="content"' in body else 2)

        def _answer(self, kind: int) -> None:
            status, content_type, text = answers[kind]
            name = self.path.rstrip("/").split("/")[2] if kind < 2 else ""
            data = text.replace("acme-0", name or "acme-0").encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 2 * CONNECTIONS

    with Server(("127.0.0.1", 0), Handler) as server:
        root = f"http://127.0.0.1:{server.server_address[1]}"
        paths = {"upload_url": "/legacy/", "simple_url": "/simple/", "json_url": "/pypi/"}
        print(json.dumps({name: root + path for name, path in paths.items()}), flush=True)
        server.serve_forever()


def fleet(place: dict[str, Any], directory: Path) -> Path:
    """Write all tokens to files, and a fleet file that lists them."""
    lines = ["rate = 10000", f"concurrency = {CONNECTIONS}", "[indexes.pypi]"]
    lines += [f'{key}-url = "{place[f"{key}_url"]}"' for key in ("upload", "simple")]
    (directory / "tokens").mkdir()
    for project, token in place["tokens"].items():
        path = directory / "tokens" / project
        path.touch(mode=0o600)
        path.write_text(token)
        lines += ["[[tokens]]", f'project = "{project}"', f'file = "tokens/{project}"']
    file = directory / "fleet.toml"
    file.write_text("\n".join(lines))
    return file


# -- the bare pool -----------------------------------------------------------------------------------


def bare(place: dict[str, Any]) -> None:
    """Send the same requests, and do nothing else; runs in its own process."""
    import requests

    now = datetime.now(UTC)
    jobs: deque[list[requests.Request]] = deque(
        requests_for(place, project, Secret(token), now) for project, token in place["tokens"].items()
    )

    def work() -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                try:
                    job = jobs.popleft()
                except IndexError:
                    return
                for one in job:
                    session.send(session.prepare_request(one), timeout=30).content  # noqa: B018 - reads the answer

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def requests_for(place: dict[str, Any], project: str, token: Secret, now: datetime) -> list[Any]:
    """Return the requests that a check of the token sends."""
    import requests

    copies = (
        expired_copy(token),
        limited_copy(token, project, now=now, lasts=timedelta(hours=1)),
    )
    forms = probe.identity_form(), probe.permission_form(project, "0")
    made = [
        requests.Request("GET", f"{place['simple_url']}{project}/"),
        requests.Request("GET", f"{place['json_url']}{project}/json"),
    ]
    for copy, form in zip(copies, forms, strict=True):
        parts: list[Any] = [(name, (None, value)) for name, value in form.fields]
        if form.content is not None:
            parts.append(("content", (*form.content, "application/octet-stream")))
        made.append(requests.Request("POST", place["upload_url"], files=parts, auth=("__token__", copy.reveal())))
    return made


# -- what is measured --------------------------------------------------------------------------------

#: runs a module, and prints the peak memory of its process and of any child, in MB; Linux
_MEASURED = """
import json, resource, runpy, sys
path, sys.argv = sys.argv[1], sys.argv[2:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    if end.code:
        raise
with open("/proc/self/status") as lines:
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
peak += resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(path, "w") as file:
    json.dump(peak / 1024, file)
"""


def checking(file: Path, directory: Path, *options: str) -> tuple[Callable[[], str], dict[str, str], list[str]]:
    """Return what checks a fleet, its environment and its words."""
    env = without_credentials(os.environ) | {state_directory.STATE_VARIABLE: str(directory / "state")}
    words = ["tokens", "--fleet", str(file), "--json", *options]
    return process([OURS, *words], env=env), env, words


def peak_memory(file: Path, directory: Path) -> float:
    """Check a fleet once, and return the peak memory of the whole program in MB."""
    _, env, words = checking(file, directory)
    result = directory / "peak.json"
    process([sys.executable, "-c", _MEASURED, str(result), "pypi_preflight", *words], env=env)()
    return float(json.loads(result.read_text()))


def compared_with_bare_pool() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with embedded_index(directory, FEW, LATENCY) as place:
            known = directory / "place.json"
            known.write_text(json.dumps(place, default=str))
            file = fleet(place, directory)
            ours, env, _ = checking(file, directory)
            peer = process([sys.executable, "-m", "benchmarks.health", "--bare", str(known)], env=env)
            peer_name = "a bare pool that sends the same requests"
            yield ratio(Row(work=f"`tokens`, {FEW:,} of them", goal=1.0, peer=peer_name), ours, peer, ROUNDS)
            peak = peak_memory(file, directory)
            yield Row(work=f"memory of `tokens`, {FEW:,} of them", goal=60, measured=peak, unit="MB")


def of_many() -> Iterator[Row]:
    took: dict[int, float] = {}
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            with repeating_index(directory, count) as place:
                file = fleet(place, directory)
                checking(file, directory, "--offline")[0]()  # so that the history knows them
                peaks: list[float] = []
                took[count] = seconds(lambda file=file, to=peaks, at=directory: to.append(peak_memory(file, at)))  # type: ignore[misc] # bound
    details = f"{took[MANY]:.1f} s"
    yield Row(work=f"memory of `tokens`, {MANY:,} of them", goal=100, measured=peaks[0], unit="MB", details=details)
    times, details = MANY // FEW, f"{took[MANY]:.1f} s and {took[FEW]:.1f} s"
    work, peer = f"time of `tokens`, {MANY:,} of them", f"{times} times that of {FEW:,}"
    yield Row(work=work, goal=1.2, measured=took[MANY] / took[FEW] / times, peer=peer, details=details)


def rows() -> Iterator[Row]:
    yield from compared_with_bare_pool()
    yield from of_many()


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    if sys.argv[1] == "--bare":
        bare(given)
    else:
        repeat(given)

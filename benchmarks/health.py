"""Measure how fast many tokens are checked, compared with a bare connection pool, and reading a year of history.

    python -m benchmarks.health [--tokens 1000] [--rounds 3] [--days 365] [--only fleet | rate | history]

The index answers after 100 ms. The bare pool is requests with 32 kept-alive connections that sends the same,
prepared requests and does not parse the responses. Both run in their own processes, and so does the index.
The history has 10,000 changes a day.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from release.adapters.system import state_directory
from release.core.models import probe
from release.core.secret import Secret
from release.core.tokens.token import expired_copy, limited_copy
from release.sandbox.fault_json import fault_to_json
from release.sandbox.faults import Fault, Slow
from release.token_health import health_history

CONNECTIONS = 32
LATENCY = 0.1
#: requests a second and host, when the rate is measured
RATE = 100
#: the limits: ratio, memory in MB, seconds
RATIO, MEMORY, SECOND = 1.25, 80, 1.0
CHANGES_A_DAY = 10_000


# -- the index, in a process of its own -------------------------------------------------------------


@contextmanager
def index(directory: Path, tokens: int) -> Iterator[dict[str, Any]]:
    """Run an index with as many projects, each with a token, that answers with a delay; yield its URLs and its log."""
    world = {
        "users": [{"name": "alice"}],
        "projects": [{"name": f"acme-{number}", "owners": ["alice"]} for number in range(tokens)],
        "tokens": [
            {"name": f"token-{number}", "user": "alice", "scope": [f"acme-{number}"]} for number in range(tokens)
        ],
        "faults": [fault_to_json(Fault(what=Slow(answer=LATENCY)))],
    }
    file, state = directory / "world.json", directory / "index"
    file.write_text(json.dumps(world))
    process = subprocess.Popen(
        [sys.executable, "-m", "release", "sandbox", "--world", str(file), "--state", str(state)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()) | {"log": state / "requests.jsonl"}
    finally:
        process.terminate()
        process.wait()


def fleet(place: dict[str, Any], directory: Path, *, rate: float) -> Path:
    """Write a fleet file with all tokens, in environment variables."""
    lines = [f"rate = {rate}", f"concurrency = {CONNECTIONS}", "[indexes.pypi]"]
    lines += [f'{key}-url = "{place[f"{key}_url"]}"' for key in ("upload", "simple")]
    for number in range(len(place["tokens"])):
        lines += ["[[tokens]]", f'project = "acme-{number}"', f'env = "TOKEN_{number}"']
    path = directory / "fleet.toml"
    path.write_text("\n".join(lines))
    return path


def variables(place: dict[str, Any]) -> dict[str, str]:
    return os.environ | {
        f"TOKEN_{number}": place["tokens"][f"token-{number}"] for number in range(len(place["tokens"]))
    }


# -- who asks ---------------------------------------------------------------------------------------

#: runs a module, and prints its time and its peak resident memory, in MB
_MEASURED = """
import json, resource, runpy, sys, time
path, sys.argv = sys.argv[1], sys.argv[2:]
begun, status = time.perf_counter(), None
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    status = end.code
took = time.perf_counter() - begun
with open("/proc/self/status") as lines:
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
open(path, "w").write(json.dumps([took, peak / 1024, status]))
"""


def measured(words: list[str], env: dict[str, str], directory: Path) -> tuple[float, float]:
    """Run a program and return its seconds and MB."""
    path = directory / "measured.json"
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path), *words], env=env, capture_output=True, text=True, check=False
    )
    took, peak, status = json.loads(path.read_text())
    if status not in {0, None}:
        raise SystemExit(f"{' '.join(words)}: {status}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return took, peak


def bare(place: dict[str, Any]) -> None:
    """Send the same requests, and do nothing else; runs in its own process."""
    import requests

    now = datetime.now(UTC)
    jobs: deque[list[requests.Request]] = deque(
        _requests(place, f"acme-{number}", Secret(place["tokens"][f"token-{number}"]), now)
        for number in range(len(place["tokens"]))
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


def _requests(place: dict[str, Any], project: str, token: Secret, now: datetime) -> list[Any]:
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


# -- what is measured -------------------------------------------------------------------------------


def of_fleet(tokens: int, rounds: int) -> bool:
    """Compare with the bare pool."""
    ours: list[float] = []
    theirs: list[float] = []
    peak = 0.0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with index(directory, tokens) as place:
            (directory / "place.json").write_text(json.dumps(place, default=str))
            file = fleet(place, directory, rate=10_000)
            env = variables(place) | {state_directory.STATE_VARIABLE: str(directory / "state")}
            for number in range(rounds + 1):
                before = len(_log(place))
                look = ["release", "tokens", "--fleet", str(file), "--json"]
                took, memory = measured(look, env, directory)
                asked = len(_log(place)) - before
                other, _ = measured(["benchmarks.health", "--bare", str(directory / "place.json")], env, directory)
                same = len(_log(place)) - before - asked
                print(f"  round {number}: ours {took:.2f} s, {asked} requests; bare {other:.2f} s, {same}")
                if number:
                    ours.append(took)
                    theirs.append(other)
                    peak = max(peak, memory)
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"{tokens} tokens: {ratio:.2f} times the bare pool (limit: {RATIO}), {peak:.0f} MB (limit: {MEMORY})")
    return ratio <= RATIO and peak < MEMORY


def _log(place: dict[str, Any]) -> list[str]:
    return Path(place["log"]).read_text(encoding="utf-8").splitlines() if Path(place["log"]).exists() else []


def of_rate(tokens: int) -> bool:
    """Measure the requests in each second when a rate is set."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with index(directory, tokens) as place:
            file = fleet(place, directory, rate=RATE)
            env = variables(place) | {state_directory.STATE_VARIABLE: str(directory / "state")}
            measured(["release", "tokens", "--fleet", str(file), "--json"], env, directory)
            times = sorted(datetime.fromisoformat(json.loads(line)["time"]).timestamp() for line in _log(place))
    window: deque[float] = deque()
    most = 0
    for one in times:
        window.append(one)
        while window[0] <= one - 1:
            window.popleft()
        most = max(most, len(window))
    took = times[-1] - times[0]
    print(f"rate limit of {RATE} a second: {len(times)} requests in {took:.1f} s, {most} in the busiest second")
    return len(times) / took <= RATE * 1.02


def of_history(days: int, rounds: int) -> bool:
    """Run every command on a year of changes."""
    good = True
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        begun = time.perf_counter()
        path = filled(directory / "state", days)
        size = path.stat().st_size / 1e6
        print(
            f"  {days} days of {CHANGES_A_DAY} changes: {size:.0f} MB, written in {time.perf_counter() - begun:.0f} s"
        )
        env = os.environ | {state_directory.STATE_VARIABLE: str(directory / "state"), "TWINE_PASSWORD": _token()}
        for words in (
            ["tokens", "history"], ["tokens", "history", "--json"], ["tokens", "--offline", "--json"],
            ["tokens", "history", "--limit", "1000"],
        ):  # fmt: skip
            times = []
            for _ in range(rounds):
                begun = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "release", "--directory", str(directory), *words], env=env,
                    capture_output=True, check=False,
                )  # fmt: skip
                times.append(time.perf_counter() - begun)
            took = statistics.median(times)
            good &= took < SECOND
            print(f"  {' '.join(words)}: {took:.2f} s (limit: {SECOND:g})")
    return good


def filled(directory: Path, days: int) -> Path:
    """Write a history in which each of 10,000 credentials changes every day."""
    path = directory / health_history.DATABASE_NAME
    health_history.History(path, now=lambda: datetime.now(UTC)).close()
    day = 86_400
    first = int(time.time()) - days * day
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO outcomes VALUES (?, ?)",
            [(n, json.dumps({f"check-{c}": "passed" for c in range(20 + n)})) for n in (1, 2)],
        )
        for n in range(1, CHANGES_A_DAY + 1):
            db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, NULL, ?, ?)",
                (n, f"{n:08x}", f"00000000-0000-0000-0000-{n:012}", f"acme-{n}", first, first + days * day),
            )
        db.execute("INSERT INTO runs VALUES (1, ?, ?, ?, 0)", (first, first, CHANGES_A_DAY))
        last = (days - 1) * CHANGES_A_DAY
        db.executemany(
            "INSERT INTO watches VALUES (?, 'pypi', 'https://a.test/legacy/', ?, ?, ?, 'healthy', ?, ?, 1)",
            ((n, f"acme-{n}", f"$TOKEN_{n}", n, first, last + n) for n in range(1, CHANGES_A_DAY + 1)),
        )
        for number in range(days):
            at = first + number * day
            states = ("healthy", "healthy", "", 1, "", "") if number % 2 else (
                "broken", "revoked", "cred.revoked", 2, "pypi does not know the token, identifier and so on", "make one"
            )  # fmt: skip
            db.executemany(
                "INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
                (
                    (
                        number * CHANGES_A_DAY + n,
                        n,
                        n,
                        *states,
                        at,
                        at + day,
                        (number - 1) * CHANGES_A_DAY + n if number else None,
                    )
                    for n in range(1, CHANGES_A_DAY + 1)
                ),
            )
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    return path


def _token() -> str:
    from release.core.models.index import PYPI
    from release.core.tokens import macaroon

    return macaroon.to_text(macaroon.create_macaroon(PYPI.token_location, b"0" * 36, os.urandom(32)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tokens", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--only", choices=("fleet", "rate", "history"))
    options.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.bare:
        bare(json.loads(chosen.bare.read_text()))
        return
    held = Counter[bool]()
    if chosen.only in {None, "fleet"}:
        held[of_fleet(chosen.tokens, chosen.rounds)] += 1
    if chosen.only in {None, "rate"}:
        held[of_rate(chosen.tokens // 4)] += 1
    if chosen.only in {None, "history"}:
        held[of_history(chosen.days, chosen.rounds)] += 1
    sys.exit(1 if held[False] else 0)


if __name__ == "__main__":
    main()

"""Compare how long uploads take with a bare client, with twine and with uv.

All of them upload the same files to the same embedded index, which runs in a process of its own. Each is a process,
timed from its start to its end, so that imports and the start of workers count:

- ours is the upload step of a run with files that were checked before (`upload_clients.ours`). It starts its workers
  first, as a run does before its first step; lets twine read all files; hashes each and sends it with twine's form,
  the first one alone, then four at a time; writes and syncs the journal before and after each file. No command does
  only that: `publish` inspects the files before, and asks the index what it has.
- the bare client (`upload_clients.bare`) hashes each file and sends it with requests and a smaller form over four
  connections that it keeps, the first one alone. It has no checks, no journal and no retries.
- twine and uv run as their users run them, with the same files.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import memory
from benchmarks.table import ROOT, Row
from benchmarks.upload_clients import NAME, VERSION
from release.adapters.builds import builder
from release.core.child_environment import without_credentials
from release.core.models.distribution import Distribution
from release.sandbox.fault_json import fault_to_json
from release.sandbox.faults import Fault, Slow

METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nSummary: A widget.\n"
#: seconds; the timeout of one program
PATIENCE = 300
#: MB of resident memory that a process of `publish` may take
MEMORY = 60
#: 50 ms round-trip time, 20 MB/s for each connection
SLOW = Slow(connection=0.05, answer=0.05, up=20_000_000)


def wheels(directory: Path, count: int, size: int) -> list[Distribution]:
    """Create valid wheels with incompressible content."""
    directory.mkdir()
    made = []
    for number in range(count):
        tag = f"py3-none-manylinux_2_{number + 10}_x86_64"
        path = directory / f"acme_widget-{VERSION}-{tag}.whl"
        info = f"acme_widget-{VERSION}.dist-info"
        members: dict[str, bytes] = {
            "acme_widget/__init__.py": b"",
            "acme_widget/data.bin": os.urandom(max(1, size - 900)),
            f"{info}/METADATA": METADATA.encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        }
        record = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"])
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {**members, f"{info}/RECORD": record.encode()}.items():
                archive.writestr(name, data)
        made.append(builder.load_distribution(path))
    return made


# -- the index, in a process of its own ----------------------------------------------------------


@contextmanager
def index(*faults: Fault) -> Iterator[dict[str, Any]]:
    """Run a new index with these faults; yield its URLs and tokens."""
    with tempfile.TemporaryDirectory() as scratch:
        world = Path(scratch) / "world.json"
        world.write_text(json.dumps({"faults": [fault_to_json(one) for one in faults]}))
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "sandbox", "--world", str(world)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()


def listed(place: dict[str, Any]) -> int:
    """Count the files that the index lists."""
    try:
        with urllib.request.urlopen(f"{place['simple_url']}{NAME}/") as answer:  # noqa: S310 - on this machine
            page = answer.read()
    except OSError:
        return 0
    try:
        files: list[Any] = json.loads(page)["files"]
    except ValueError:
        return int(page.count(b"<a "))
    return len(files)


# -- who uploads ---------------------------------------------------------------------------------


def client(who: str, place: dict[str, Any], files: Sequence[Distribution]) -> tuple[float, int, str]:
    """Upload with a client of `upload_clients`; returns as `command` does."""
    with tempfile.TemporaryDirectory() as scratch:
        task = Path(scratch) / "task.json"
        known = [{"path": str(file.path), "sha256": file.sha256, "size": file.size} for file in files]
        task.write_text(json.dumps({"place": place, "files": known}))
        return command([sys.executable, "-m", "benchmarks.upload_clients", who, str(task)], os.environ)


def command(argv: Sequence[str], env: Mapping[str, str], patience: float = PATIENCE) -> tuple[float, int, str]:
    """Run a program and return its seconds, exit status (-1: timeout) and output."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=patience, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return time.perf_counter() - begun, -1, "still waiting when it was ended"
    return time.perf_counter() - begun, done.returncode, done.stdout + done.stderr


def twine(
    place: dict[str, Any], files: Sequence[Distribution], *, patience: float = PATIENCE
) -> tuple[float, int, str]:
    env = {**without_credentials(os.environ), "TWINE_USERNAME": "__token__", "COLUMNS": "300"}
    env["TWINE_PASSWORD"] = place["tokens"]["account"]
    words = ["upload", "--non-interactive", "--disable-progress-bar", "--repository-url", place["upload_url"]]
    return command([sys.executable, "-m", "twine", *words, *(str(file.path) for file in files)], env, patience)


def uv(place: dict[str, Any], files: Sequence[Distribution]) -> tuple[float, int, str]:
    env = {**without_credentials(os.environ), "UV_PUBLISH_TOKEN": place["tokens"]["account"]}
    found = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert found, "uv is needed for the comparison"
    words = ["publish", "--quiet", "--publish-url", place["upload_url"], *(str(file.path) for file in files)]
    return command([found, *words], env)


def publish(place: dict[str, Any], files: Sequence[Distribution]) -> dict[str, int]:
    """Return bytes of resident memory, by kind of process, of a whole `publish`, including its checks."""
    token, there = place["tokens"]["account"], files[0].path.parent
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        (home / "preflight.toml").write_text(
            f'[tool.release.indexes.pypi]\nupload-url = "{place["upload_url"]}"\nsimple-url = "{place["simple_url"]}"\n'
        )
        pypirc = home / ".pypirc"
        pypirc.write_text(f"[pypi]\nrepository = {place['upload_url']}\nusername = __token__\npassword = {token}\n")
        pypirc.chmod(0o600)
        env = {**without_credentials(os.environ), "HOME": scratch, "USERPROFILE": scratch}
        env["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
        words = [
            "--yes", "--new-project", NAME, "--directory", scratch, "--config", str(home / "preflight.toml"),
            "--files", str(there),
        ]  # fmt: skip
        with memory.watched(main="-m release publish", worker="twine_template") as peaks:
            _, status, output = command([sys.executable, "-m", "release", "publish", *words], env)
    assert status == 0, output
    return peaks


# -- the comparison ------------------------------------------------------------------------------

PROGRAMS = {
    "ours": lambda place, files: client("ours", place, files),
    "the bare client": lambda place, files: client("bare", place, files),
    "twine": twine,
    "uv": uv,
}


def race(files: Sequence[Distribution], slow: Slow, rounds: int, *whos: str) -> dict[str, float]:
    """Let each upload in turn, to a new index each time. Returns the medians in seconds, without the first round."""
    took: dict[str, list[float]] = {who: [] for who in whos}
    for number in range(rounds + 1):
        for who in whos:
            with index(Fault(what=slow)) as place:
                seconds, status, output = PROGRAMS[who](place, files)
                assert (status, listed(place)) == (0, len(files)), (who, status, output)
            if number:
                took[who].append(seconds)
    return {who: statistics.median(times) for who, times in took.items()}


def compared(row: Row, medians: Mapping[str, float]) -> Row:
    ours, peer = medians["ours"], medians[row.peer]
    return replace(row, measured=ours / peer, details=f"{ours:.2f} s and {peer:.2f} s")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        large, small, huge = (
            wheels(Path(scratch) / str(count), count, size)
            for count, size in ((40, 2_000_000), (500, 2_000), (1, 90_000_000))
        )
        work = "upload of 40 wheels of 2 MB, 50 ms round-trip time, 20 MB/s for each connection"
        yield compared(
            Row(work=work, goal=1.1, peer="the bare client"), race(large, SLOW, 5, "ours", "the bare client")
        )
        medians = race(large, SLOW, 1, "ours", "twine", "uv")
        for peer in ("twine", "uv"):
            yield compared(Row(work=work, goal=1 / 3, peer=peer), medians)
        work = "upload of 500 small wheels"
        yield compared(
            Row(work=work, goal=1.1, peer="the bare client"), race(small, Slow(), 5, "ours", "the bare client")
        )
        work = "upload of one wheel of 90 MB, 20 MB/s"
        yield compared(Row(work=work, goal=1.1, peer="the bare client"), race(huge, SLOW, 1, "ours", "the bare client"))
        with index() as place:
            for kind, peak in publish(place, large).items():
                work = f"memory of `publish` of 40 wheels, largest {kind} process"
                yield Row(work=work, goal=MEMORY, measured=peak / 1e6, unit="MB")

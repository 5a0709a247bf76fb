"""Measure how fast uploads are, compared with twine, uv and a bare client.

    python -m benchmarks.upload [--rounds 3] [--only NAME]

All of them upload the same files to the same embedded index, which is slowed down: 50 ms round-trip time,
20 MB/s per connection. The bare client is requests with four kept-alive connections and nothing else: no
checks, no journal, no retries. twine and uv run as their users run them. The memory is that of a whole
`publish` of the same files, including its checks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from benchmarks import memory
from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.twine import twine_process
from release.core.child_environment import without_credentials
from release.core.config import UploadSettings
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.secret_location import SandboxToken
from release.core.secret import Secret
from release.publishing import journal
from release.publishing.upload.uploader import Uploader
from release.publishing.upload.workers import UploadWorkers
from release.sandbox.fault_json import fault_to_json
from release.sandbox.faults import Fault, Slow

NAME, VERSION = "acme-widget", "1.0"
METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nSummary: A widget.\n"
#: seconds; the timeout of one program
PATIENCE = 300
#: bytes of resident memory that a process may take
MEMORY = 60_000_000
SLOW = Slow(connection=0.05, answer=0.05, up=20_000_000)
SCENES: dict[str, tuple[int, int, Slow, tuple[float, ...]]] = {
    #: name → files, bytes of each, delays, and limits: of the ratios twine (uv) to ours, and ours to the bare client
    "40 wheels of 2 MB": (40, 2_000_000, SLOW, (3.0, 1.3)),
    "the same, 300 ms of work for each": (40, 2_000_000, replace(SLOW, work=0.3), (3.0, 1.25)),
    "one wheel of 90 MB": (1, 90_000_000, SLOW, (0.0, 1.1)),
    "500 small wheels": (500, 2_000, Slow(), (0.0, 0.0)),
}


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


def ours(place: dict[str, Any], files: Sequence[Distribution], *, started: bool = True) -> float:
    """Upload with our engine and return the seconds.

    `started`: the twine processes are running, as they are after the checks that precede every upload.
    """
    start = partial(twine_process.Worker, env=os.environ)
    with tempfile.TemporaryDirectory() as scratch, UploadWorkers(start) as workers:
        if started:
            workers.grow(max(1, min(UploadSettings().concurrency, len(files) - 1)))
            while workers.active:
                list(workers.events(0.1))
        upload = engine(place, Path(scratch), workers)
        begun = time.perf_counter()
        upload.run(files)
        return time.perf_counter() - begun


def engine(place: dict[str, Any], directory: Path, workers: UploadWorkers) -> Uploader:
    """Make the upload engine of a release, without the checks before it."""
    origin = SandboxToken()
    credential = Credential(
        username="__token__", username_origin=origin, password=Secret(place["tokens"]["account"]), origin=origin
    )
    where = Index(name="sandbox", upload_url=place["upload_url"], simple_url=place["simple_url"], ephemeral=True)
    return Uploader(
        index=where, project=ProjectMetadata(name=NAME, version=VERSION), notify=lambda _event: None, workers=workers,
        journal=journal.for_release(directory, version=VERSION, commit=None),
        credential=lambda: credential,
        fetch_listing=partial(collect.collect_listing, where, NAME, fresh=True, retries=0),
    )  # fmt: skip


def bare(place: dict[str, Any], files: Sequence[Distribution]) -> float:
    """Upload with a minimal client: the first file alone, then four at a time."""
    import requests
    from requests_toolbelt import MultipartEncoder

    local = threading.local()

    def send(file: Distribution) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.auth = ("__token__", place["tokens"]["account"])
        with file.path.open("rb") as stream:
            fields = {
                ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": NAME,
                "version": VERSION, "summary": "A widget.", "filetype": "bdist_wheel", "pyversion": "py3",
                "sha256_digest": hashlib.file_digest(stream, "sha256").hexdigest(),
            }  # fmt: skip
            stream.seek(0)
            form = MultipartEncoder({**fields, "content": (file.filename, stream, "application/octet-stream")})
            answer = local.session.post(place["upload_url"], data=form, headers={"Content-Type": form.content_type})
        answer.raise_for_status()

    begun = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        pool.submit(send, files[0]).result()
        list(pool.map(send, files[1:]))
    return time.perf_counter() - begun


def command(argv: Sequence[str], env: dict[str, str], patience: float = PATIENCE) -> tuple[float, int, str]:
    """Run a program and return its seconds, exit status (-1: timeout) and output."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            argv, env=env, capture_output=True, text=True, timeout=patience, check=False, stdin=subprocess.DEVNULL
        )
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
        with memory.watched(main="-m release publish", worker="twine_worker") as peaks:
            _, status, output = command([sys.executable, "-m", "release", "publish", *words], env)
    assert status == 0, output
    return peaks


# -- the comparison ------------------------------------------------------------------------------


def race(name: str, rounds: int) -> bool:
    count, size, slow, (faster, near) = SCENES[name]
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        files = wheels(Path(scratch) / "dist", count, size)
        for _ in range(rounds):
            for who, run in _runners(faster):
                with index(Fault(what=slow)) as place:
                    got = run(place, files)
                    seconds = got if isinstance(got, float) else got[0]
                    assert listed(place) == count, (who, listed(place), got)
                took.setdefault(who, []).append(seconds)
        with index(Fault(what=slow)) as place:
            peaks = publish(place, files)
    median = {who: statistics.median(times) for who, times in took.items()}
    print(f"\n{name}")
    good = True
    for who, seconds in median.items():
        print(f"  {who:<14} {seconds:7.2f} s   {seconds / median['ours']:5.2f} times ours")
    if near:
        ratio = median["ours"] / median["bare"]
        good &= ratio <= near
        print(f"  ours / bare   {ratio:.2f}, at most {near}: {_word(ratio <= near)}")
    for who in ("twine", "uv") if faster else ():
        ratio = median[who] / median["ours"]
        good &= ratio >= faster
        print(f"  {who} / ours   {ratio:.2f}, at least {faster}: {_word(ratio >= faster)}")
    for kind, peak in peaks.items():
        fits = peak <= MEMORY
        good &= fits
        print(f"  memory, {kind:<8} {peak / 1e6:4.0f} MB, at most {MEMORY / 1e6:.0f}: {_word(fits)}")
    return good


def _runners(faster: float) -> list[tuple[str, Callable[..., Any]]]:
    found: list[tuple[str, Callable[..., Any]]] = [("bare", bare), ("ours", ours)]
    found.append(("ours, unwarmed", partial(ours, started=False)))
    return found + ([("twine", twine), ("uv", uv)] if faster else [])


def _word(good: bool) -> str:
    return "passed" if good else "FAILED"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=list(SCENES))
    options = parser.parse_args()
    held = [race(name, options.rounds) for name in SCENES if options.only in {None, name}]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())

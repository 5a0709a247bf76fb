"""Measure how time and memory grow at 1, 10 and 100 times of what a command works on: `python -m benchmarks growth`.

Nothing should grow faster than n log n: what the step from 10 to 100 times adds is compared with what the step from 1
to 10 times adds, so that the start of the program does not count. The time is that of the processors, of the program
with its children. Where the work is streamed, the memory must stay flat.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from msgspec import Struct

from benchmarks import confirmation
from benchmarks.starts import token
from benchmarks.table import Row
from release.core.child_environment import without_credentials
from release.core.models.token_health import TokenStatus
from release.token_health.health_history import DATABASE_NAME, History

TIMES = (1, 10, 100)
#: for what caches of processors and the collection of garbage add
MARGIN = 1.3
#: runs of each size; the least of them counts
ROUNDS = 2
#: seconds and bytes of the step from 1 to 10 times that are lost in the noise of a start
NOISE, MEMORY_NOISE = 0.05, 4_000_000
NAME, VERSION = "acme-widget", "1.0"
METADATA = f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {VERSION}\nSummary: A widget.\n"
DATE = (2026, 11, 28, 0, 0, 0)

#: runs a program, and stores its seconds of processors, its peak memory in bytes, its exit status and its errors; in a
#: process of its own, since the peak is that of the largest of all children
_MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
result = usage.ru_utime + usage.ru_stime, peak, done.returncode, done.stderr.decode(errors="replace")[-2000:]
open(sys.argv[1], "w").write(json.dumps(result))
"""


class Command(Struct, frozen=True, kw_only=True):
    """Words for the program, variables besides those of every run, and the exit status that is right."""

    words: Sequence[str]
    env: Mapping[str, str] = {}
    status: int = 0


class Subject(Struct, frozen=True, kw_only=True):
    """A command, and what it works on in a growing number."""

    work: str
    things: str
    #: the number at 1 time
    first: int
    #: makes so many of them in a directory, for one run
    make: Callable[[Path, int], AbstractContextManager[Command]]
    flat: bool = False


def measured(command: Command, directory: Path) -> tuple[float, int]:
    """Run the program and return its seconds of processors and its peak memory in bytes."""
    result = directory / "measured.json"
    env = without_credentials(os.environ) | {
        "PYPI_PREFLIGHT_STATE": str(directory / "state"), "HOME": str(directory), "USERPROFILE": str(directory),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }  # fmt: skip
    program = [sys.executable, "-P", "-m", "pypi_preflight", *command.words]
    words = [sys.executable, "-c", _MEASURED, str(result), *program]
    subprocess.run(words, cwd=directory, env=env | dict(command.env), check=True)
    seconds, peak, status, errors = json.loads(result.read_text())
    if status != command.status:
        raise SystemExit(f"{command.words}: exit status {status}\n{errors}")
    return seconds, peak


def growth(sizes: Sequence[int], costs: Sequence[float], noise: float) -> float:
    """What the second step adds, as a multiple of what n log n would add after the first step."""
    work = [n * math.log(n) for n in sizes]
    first, second = max(costs[1] - costs[0], noise), costs[2] - costs[1]
    return max(second, 0.0) / first / ((work[2] - work[1]) / (work[1] - work[0]))


def rows() -> Iterator[Row]:
    for subject in SUBJECTS:
        sizes = [subject.first * times for times in TIMES]
        runs = [_least(subject, size) for size in sizes]
        seconds, peaks = ([run[at] for run in runs] for at in (0, 1))
        work = f"{subject.work} {', '.join(f'{size:,}' for size in sizes)} {subject.things}"
        details = ", ".join(f"{one:.2f} s" for one in seconds)
        yield Row(
            work=f"{work}: time", goal=MARGIN, measured=growth(sizes, seconds, NOISE), peer="n log n", details=details
        )
        details = ", ".join(f"{one / 1e6:.0f} MB" for one in peaks)
        if subject.flat:
            flat = Row(work=f"{work}: memory", goal=MARGIN, peer="that of the first, since it is streamed")
            yield Row(
                work=flat.work, goal=flat.goal, peer=flat.peer, measured=peaks[2] / peaks[0], details=details
            )  # fmt: skip
        else:
            yield Row(
                work=f"{work}: memory", goal=MARGIN, measured=growth(sizes, peaks, MEMORY_NOISE), peer="n log n",
                details=details,
            )  # fmt: skip


def _least(subject: Subject, size: int) -> tuple[float, int]:
    runs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name, subject.make(Path(name), size) as command:
            runs.append(measured(command, Path(name)))
    return min(seconds for seconds, _ in runs), min(peak for _, peak in runs)


# -- members and files ---------------------------------------------------------------------------


def wheel(directory: Path, members: Iterator[tuple[str, bytes]], tag: str = "py3-none-any") -> Path:
    """Write a valid wheel with these members."""
    path, info = directory / f"acme_widget-{VERSION}-{tag}.whl", f"acme_widget-{VERSION}.dist-info"
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name, DATE), data)
            digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")

        for name, data in members:
            add(name, data)
        add(f"{info}/METADATA", METADATA.encode())
        add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n".encode())
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", DATE), "".join([*record, f"{info}/RECORD,,\n"]))
    return path


def wheels(directory: Path, count: int) -> list[Path]:
    """Write small wheels of one release."""
    return [wheel(directory, modules(3), f"py3-none-manylinux_2_{number + 10}_x86_64") for number in range(count)]


def modules(count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        yield f"acme_widget/part_{number % 97}/module_{number}.py", f"NUMBER = {number}\n".encode().ljust(200, b"#")


def noise(megabytes: int) -> Iterator[tuple[str, bytes]]:
    """One member that cannot be compressed."""
    yield "acme_widget/data.bin", os.urandom(megabytes * 1_000_000)


@contextmanager
def members_of_a_wheel(directory: Path, count: int) -> Iterator[Command]:
    yield Command(words=["inspect", str(wheel(directory, modules(count)))])


@contextmanager
def members_of_an_sdist(directory: Path, count: int) -> Iterator[Command]:
    path = directory / f"acme_widget-{VERSION}.tar.gz"
    project = f'[project]\nname = "{NAME}"\nversion = "{VERSION}"\n'
    with tarfile.open(path, "w:gz") as archive:
        for name, data in [("PKG-INFO", METADATA.encode()), ("pyproject.toml", project.encode()), *modules(count)]:
            info = tarfile.TarInfo(f"acme_widget-{VERSION}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    yield Command(words=["inspect", str(path)])


@contextmanager
def bytes_of_a_member(directory: Path, count: int) -> Iterator[Command]:
    yield Command(words=["inspect", str(wheel(directory, noise(count)))])


@contextmanager
def inspected_files(directory: Path, count: int) -> Iterator[Command]:
    yield Command(words=["inspect", *map(str, wheels(directory, count))])


@contextmanager
def published(directory: Path) -> Iterator[Command]:
    """Publish the files in `dist` to a new index."""
    (directory / "index").mkdir()
    with confirmation.index(directory / "index") as place:
        config = directory / "preflight.toml"
        config.write_text(
            f'[tool.release.indexes.pypi]\nupload-url = "{place["upload_url"]}"\nsimple-url = "{place["simple_url"]}"\n'
        )
        words = ["publish", "--yes", "--new-project", NAME, "--directory", str(directory), "--config", str(config)]
        env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": place["tokens"]["account"]}
        yield Command(words=[*words, "--files", str(directory / "dist")], env=env)


@contextmanager
def published_files(directory: Path, count: int) -> Iterator[Command]:
    (directory / "dist").mkdir()
    wheels(directory / "dist", count)
    with published(directory) as command:
        yield command


@contextmanager
def published_bytes(directory: Path, count: int) -> Iterator[Command]:
    (directory / "dist").mkdir()
    wheel(directory / "dist", noise(count))
    with published(directory) as command:
        yield command


# -- tokens --------------------------------------------------------------------------------------


@contextmanager
def tokens(directory: Path, count: int) -> Iterator[Command]:
    """A fleet of broken tokens: offline, nothing is confirmed of sound ones."""
    lines = []
    for number in range(count):
        path = directory / f"token-{number}"
        path.write_text(token()[:-7])
        path.chmod(0o600)
        lines += ["[[tokens]]", f'project = "acme-{number}"', f'file = "{path.name}"']
    (directory / "fleet.toml").write_text("\n".join(lines))
    yield Command(words=["tokens", "--fleet", "fleet.toml", "--offline"], status=1)


@contextmanager
def changes(directory: Path, count: int) -> Iterator[Command]:
    """A history with so many changes; the command shows the last 20."""
    write_changes(directory, count)
    yield Command(words=["tokens", "history", "--limit", "20"])


@contextmanager
def listed_changes(directory: Path, count: int) -> Iterator[Command]:
    """A history with so many changes; the command shows all of them."""
    write_changes(directory, count)
    yield Command(words=["tokens", "history", "--limit", str(count), "--json"])


def write_changes(directory: Path, count: int) -> None:
    """Write a history with so many changes of 50 credentials."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    history = History(directory / "state" / DATABASE_NAME, now=lambda: now)
    for run in range(count // 50):
        now += timedelta(hours=1)
        state: Literal["healthy", "revoked"] = "revoked" if run % 2 else "healthy"
        seen = [
            TokenStatus(
                index="pypi", upload_url="https://a.test/legacy/", project=f"acme-{number}", place=f"$TOKEN_{number}",
                fingerprint=f"{number:08x}", identifier=f"{number}", scope="account", expires=None,
                word="broken" if run % 2 else "healthy", state=state, cause="", message="", remedy="", checks={},
            )
            for number in range(50)
        ]  # fmt: skip
        history.begin(len(seen))
        history.add(seen)
        history.end(0)
    history.close()


# -- repositories --------------------------------------------------------------------------------


def git(directory: Path, *words: str, text: str = "") -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
    done = subprocess.run(
        ["git", *identity, *words], cwd=directory, input=text, check=True, capture_output=True, text=True
    )
    return done.stdout


def workspace(directory: Path, count: int) -> None:
    """A repository of so many members in eight levels, each with two tags."""
    (directory / "pyproject.toml").write_text('[tool.release.set]\nmembers = ["packages/*"]\n')
    width = max(1, count // 8)
    for number in range(count):
        place = directory / "packages" / f"acme-{number}"
        place.mkdir(parents=True)
        needs = [f"acme-{number - width}", f"acme-{max(0, number - width - 1)}"] if number >= width else []
        (place / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "acme-{number}"\nversion = "1.2"\ndependencies = {json.dumps(needs)}\n'
            '[tool.release]\ntag-format = "{name}-v{version}"\n'
        )
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "all")
    commit = git(directory, "rev-parse", "HEAD").strip()
    tags = [f"create refs/tags/acme-{number}-v1.{minor} {commit}\n" for number in range(count) for minor in (0, 1)]
    git(directory, "update-ref", "--stdin", text="".join(tags))


@contextmanager
def listed_members(directory: Path, count: int) -> Iterator[Command]:
    workspace(directory, count)
    yield Command(words=["set", "list", "--offline"])


@contextmanager
def planned_members(directory: Path, count: int) -> Iterator[Command]:
    workspace(directory, count)
    yield Command(words=["set", "plan", "--offline", "--json"])


@contextmanager
def commits(directory: Path, count: int) -> Iterator[Command]:
    """A history in which each commit adds a file."""
    git(directory, "init", "-q", "-b", "main")
    text = []
    for number in range(count):
        data = f"NUMBER = {number}\n" * 50
        text.append(
            f"commit refs/heads/main\ncommitter A <a@example.org> {1_700_000_000 + number} +0000\ndata 1\nx\n"
            f"M 644 inline part_{number % 97}/module_{number}.py\ndata {len(data)}\n{data}"
        )
    git(directory, "fast-import", "--quiet", text="\n".join(text))
    git(directory, "reset", "-q", "--hard")
    yield Command(words=["leaks", "--history"])


SUBJECTS = (
    Subject(work="`inspect` of a wheel with", things="members", first=300, make=members_of_a_wheel),
    Subject(work="`inspect` of an sdist with", things="members", first=300, make=members_of_an_sdist),
    Subject(work="`inspect` of", things="MB in one member", first=1, make=bytes_of_a_member, flat=True),
    Subject(work="`inspect` of", things="wheels", first=5, make=inspected_files),
    Subject(work="`publish` of", things="wheels", first=5, make=published_files),
    Subject(work="`publish` of", things="MB in one wheel", first=1, make=published_bytes, flat=True),
    Subject(work="`tokens --offline` of", things="tokens", first=50, make=tokens),
    Subject(work="`tokens history` of", things="changes", first=1000, make=changes),
    Subject(work="`tokens history --json` of", things="listed changes", first=1000, make=listed_changes),
    Subject(work="`set list --offline` of", things="members", first=8, make=listed_members),
    Subject(work="`set plan --offline --json` of", things="members", first=8, make=planned_members),
    Subject(work="`leaks --history` of", things="commits", first=100, make=commits),
)

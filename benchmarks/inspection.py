"""Compare `inspect` with the standard library and with `twine check --strict`, as ratios of medians.

1. A wheel and an sdist of 90 kB, whose description is Markdown or reStructuredText: both programs, from start to end.
2. A wheel of 100 MB and 5,000 members: inspecting it, compared with reading, hashing (SHA-256) and testing its
   checksums with the standard library, without the starts of both processes; and the memory used.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import statistics
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row, process, ratio
from release.core.child_environment import without_credentials

#: of the small files, and of the large one
ROUNDS, LARGE_ROUNDS = 21, 7
TWINE = str(Path(sys.executable).with_name("twine"))
OURS = str(Path(sys.executable).with_name("pypi-preflight"))
METADATA = """\
Metadata-Version: 2.4
Name: acme-widget
Version: 1.0
Summary: A widget.
Author-email: Ann <ann@example.com>
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.9
Description-Content-Type: {kind}

Widget
======

It *widgets*.
"""
DIST_INFO = "acme_widget-1.0.dist-info"
LOOK = """
import json, resource, sys, time
from pathlib import Path
from release.publishing import inspection
from release.adapters.system import system
paths = [Path(path) for path in sys.argv[1:]]
begun = time.perf_counter()
found = inspection.inspect_files(system.real_system(), paths)
took = time.perf_counter() - begun
assert not found.refused, found.document
scale = 1024 if sys.platform != "darwin" else 1024 * 1024
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale]))
"""
STANDARD = """
import hashlib, json, sys, time, zipfile
begun = time.perf_counter()
with open(sys.argv[1], "rb") as stream:
    hashlib.file_digest(stream, "sha256").hexdigest()
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
print(json.dumps([time.perf_counter() - begun, 0]))
"""


def contents(chance: random.Random, size: int) -> bytes:
    """Make content of which half is code and half incompressible, like compiled modules, images and models."""
    if chance.random() < 0.5:
        return chance.randbytes(size)
    words = [f"{chance.choice('abcdefgh')}{chance.randrange(500)}" for _ in range(size)]
    return " ".join(words).encode()[: size * 3]


def wheel(path: Path, *, members: int, size: int, kind: str) -> None:
    chance = random.Random(1)  # noqa: S311 - the same bytes in every run
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        names = [f"acme_widget/part{n % 70}/module{n}.{'py' if n % 2 else 'so'}" for n in range(members)]
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), contents(chance, size), zipfile.ZIP_DEFLATED)
        names += [f"{DIST_INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD")]
        archive.writestr(zipfile.ZipInfo(f"{DIST_INFO}/METADATA"), METADATA.format(kind=kind))
        archive.writestr(zipfile.ZipInfo(f"{DIST_INFO}/WHEEL"), "Wheel-Version: 1.0\n")
        archive.writestr(zipfile.ZipInfo(f"{DIST_INFO}/RECORD"), "".join(f"{name},,\n" for name in names))


def sdist(path: Path, *, members: int, size: int, kind: str) -> None:
    chance = random.Random(2)  # noqa: S311 - the same bytes in every run
    files = {f"acme_widget-1.0/acme_widget/module{n}.py": contents(chance, size) for n in range(members)}
    files["acme_widget-1.0/PKG-INFO"] = METADATA.format(kind=kind).encode()
    with gzip.open(path, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def environment() -> dict[str, str]:
    """Both sides load compiled modules, which the first run writes."""
    return {k: v for k, v in without_credentials(os.environ).items() if k != "PYTHONDONTWRITEBYTECODE"}


def small(directory: Path, kind: str, name: str) -> Row:
    files = [directory / "acme_widget-1.0-py3-none-any.whl", directory / "acme_widget-1.0.tar.gz"]
    wheel(files[0], members=20, size=3500, kind=kind)
    sdist(files[1], members=20, size=3500, kind=kind)
    ours = process((OURS, "inspect", *files), cwd=directory, env=environment())
    theirs = process((TWINE, "check", "--strict", *files), cwd=directory, env=environment())
    row = Row(work=f"`inspect` of a wheel and an sdist of 90 kB, {name}", goal=0.6, peer="`twine check --strict`")
    return ratio(row, ours, theirs, ROUNDS)


def large(directory: Path) -> Iterator[Row]:
    path = directory / "acme_widget-1.0-cp311-cp311-win_amd64.whl"
    wheel(path, members=5000, size=17_100, kind="text/markdown")
    results: dict[str, list[list[float]]] = {LOOK: [], STANDARD: []}
    for number in range(LARGE_ROUNDS + 1):
        for source, found in results.items():
            seconds_and_memory = json.loads(process((sys.executable, "-c", source, path), env=environment())())
            if number:  # the first one warms the caches
                found.append(seconds_and_memory)
    (ours, _), (theirs, _) = (map(statistics.median, zip(*found, strict=True)) for found in results.values())
    yield Row(
        work="`inspect` of 100 MB in 5,000 members", goal=1.1, measured=ours / theirs,
        peer="reading, hashing and CRC-testing it", details=f"{ours:.3f} s and {theirs:.3f} s",
    )  # fmt: skip
    memory = max(most for _, most in results[LOOK])
    yield Row(work="memory of `inspect` of 100 MB in 5,000 members", goal=150, measured=memory, unit="MB")


def rows() -> Iterator[Row]:
    for kind, name in (("text/markdown", "Markdown"), ("text/x-rst", "reStructuredText")):
        with tempfile.TemporaryDirectory() as directory:
            yield small(Path(directory), kind, name)
    with tempfile.TemporaryDirectory() as directory:
        yield from large(Path(directory))

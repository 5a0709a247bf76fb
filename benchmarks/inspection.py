"""Compare `inspect` with the standard library and with `twine check`, in one run, as ratios of medians.

    python benchmarks/inspection.py [--rounds 9]

1. A wheel of 100 MB and 5,000 members: inspecting it, compared with reading, hashing (SHA-256) and testing its
   checksums with the standard library; and the memory used.
2. A wheel and an sdist of 100 kB: the whole program, compared with `twine check --strict`.
"""

from __future__ import annotations

import argparse
import compileall
import gzip
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import release

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


def program(*argv: object) -> list[float]:
    """Run one of our programs and return what it prints: seconds, MB."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run([sys.executable, *map(str, argv)], capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise SystemExit(f"{argv}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return list(json.loads(done.stdout)) if argv[0] == "-c" else []


def timed(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    compileall.compile_dir(Path(release.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as temporary:
        large(Path(temporary), rounds)
        for kind in ("text/markdown", "text/x-rst"):
            small(Path(temporary), rounds, kind)


def large(directory: Path, rounds: int) -> None:
    path = directory / "acme_widget-1.0-cp311-cp311-win_amd64.whl"
    wheel(path, members=5000, size=17_100, kind="text/markdown")
    ours, standard, memory = [], [], 0.0
    for _ in range(rounds):
        standard.append(program("-c", STANDARD, path)[0])
        took, most = program("-c", LOOK, path)
        ours.append(took)
        memory = max(memory, most)
    a, b = statistics.median(ours), statistics.median(standard)
    size = path.stat().st_size / 1e6
    print(f"{size:.0f} MB in 5,000 members: inspect {a:.2f} s, the standard library {b:.2f} s")
    print(f"  ratio of medians over {rounds} rounds: {a / b:.2f} (limit: 1.5)")
    print(f"  memory: {memory:.0f} MB (limit: 150)")


def small(directory: Path, rounds: int, kind: str) -> None:
    files = [directory / "acme_widget-1.0-py3-none-any.whl", directory / "acme_widget-1.0.tar.gz"]
    wheel(files[0], members=20, size=3500, kind=kind)
    sdist(files[1], members=20, size=3500, kind=kind)
    ours, twine = [], []
    for _ in range(rounds):
        twine.append(timed(lambda: program("-m", "twine", "check", "--strict", *files)))
        ours.append(timed(lambda: program("-m", "release", "inspect", *files)))
    a, b = statistics.median(ours), statistics.median(twine)
    sizes = " + ".join(f"{file.stat().st_size / 1000:.0f} kB" for file in files)
    print(f"wheel + sdist of {sizes}, {kind}: inspect {a:.2f} s, twine check --strict {b:.2f} s, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()

"""Compare a release by the nox chain with the same release by the program alone, as a ratio of medians.

    python benchmarks/nox_chain.py [--rounds 5] [--pip] [--warm]

Alone: `pypi-preflight release --yes`. The chain: `nox -s release -- --yes`, with environments that are made anew, or
that an earlier run has made (`--warm`). Both release a new project to two embedded indexes, with uv, or with pip and
virtualenv (`--pip`). The size is that of the environments.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.stories.project import UserProject, files_on, indexes, make, release_table

ROOT = Path(__file__).parents[1]
#: (with pip, warm) → the ratio to stay below
LIMITS = {(False, False): 1.5, (False, True): 1.5, (True, False): 3.0, (True, True): 3.0}


def wheel(directory: Path) -> Path:
    """This program as a wheel, as users install it."""
    words = ["-m", "build", "--wheel", "--outdir", str(directory), str(ROOT)]
    subprocess.run([sys.executable, "-P", *words], check=True, capture_output=True)
    (found,) = directory.glob("*.whl")
    return found


def project_in(directory: Path, noxfile: str, more: str) -> UserProject:
    directory.mkdir()
    project = make(directory, more=more)
    project.write("noxfile.py", noxfile)
    project.write(".gitignore", "/.nox/\n__pycache__/\n")
    return project


def seconds(project: UserProject, *argv: str) -> float:
    begun = time.perf_counter()
    told = project.command(*argv, timeout=900)
    if told.status:
        raise SystemExit(f"{argv}: {told.status}\n{told.all[-4000:]}")
    return time.perf_counter() - begun


def size(directory: Path) -> int:
    """In bytes; files with several names count once."""
    found = {}
    for path in directory.rglob("*"):
        status = path.lstat()
        found[status.st_ino] = status.st_size
    return sum(found.values())


def measure(root: Path, number: int, noxfile: str, env: dict[str, str], *, warm: bool) -> tuple[float, float, int]:
    """Seconds of the program alone and of the chain, and the bytes of the environments."""
    taken = []
    for kind, argv in (
        ("alone", [sys.executable, "-P", "-m", "pypi_preflight", "release", "--yes"]),
        ("chain", [sys.executable, "-P", "-m", "nox", "-s", "release", "--", "--yes"]),
    ):
        with indexes() as on:
            project = project_in(root / f"{kind}{number}", noxfile, release_table(on))
            project.env |= env
            project.credentials(on)
            project.commit()
            if kind == "chain" and warm:
                project.command(*argv[:4], "--install-only", "-s", "check", "build")
            taken.append(seconds(project, *argv))
            assert len(files_on(on.pypi)) == len(files_on(on.testpypi)) == 2
    return taken[0], taken[1], size(project.root / ".nox")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--pip", action="store_true")
    options.add_argument("--warm", action="store_true")
    chosen = options.parse_args()
    env = {"RELEASE_INSTALLER": "pip"} if chosen.pip else {}
    if not chosen.pip and shutil.which("uv") is None:
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    alone, chain = [], []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        noxfile = f"from pypi_preflight import sessions\nsessions.register(package={str(wheel(root))!r})\n"
        for number in range(chosen.rounds + 1):
            one, other, bytes_ = measure(root, number, noxfile, env, warm=chosen.warm)
            print(f"  alone {one:.1f} s, chain {other:.1f} s, environments {bytes_ / 1e6:.0f} MB", flush=True)
            if number:  # the first round warms the caches
                alone.append(one)
                chain.append(other)
    ratio = statistics.median(chain) / statistics.median(alone)
    kind = f"{'pip' if chosen.pip else 'uv'}, {'warm' if chosen.warm else 'new'} environments"
    print(f"{kind}: alone {statistics.median(alone):.1f} s, chain {statistics.median(chain):.1f} s")
    limit = LIMITS[chosen.pip, chosen.warm]
    print(f"ratio of medians over {chosen.rounds} rounds: {ratio:.2f} (limit: {limit})")


if __name__ == "__main__":
    main()

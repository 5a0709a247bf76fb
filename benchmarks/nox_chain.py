"""Compare a release by the nox chain with the same release by the program alone, as a ratio of medians.

    python benchmarks/nox_chain.py [--rounds 5] [--pip] [--warm]

Alone: `pypi-preflight release --yes`. The chain: `nox -s release -- --yes`, with environments that are made anew, or
with those of the rounds before (`--warm`). Both release a new project to two embedded indexes, with uv, or with pip and
virtualenv (`--pip`). The time of processors is that of all processes; the size is that of the environments.
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
from dataclasses import dataclass
from pathlib import Path

from tests.stories.project import UserProject, files_on, indexes, make, release_table

ROOT = Path(__file__).parents[1]
#: with pip → the ratio to stay below
LIMITS = {False: 1.5, True: 3.0}
ALONE = (sys.executable, "-P", "-m", "pypi_preflight", "release", "--yes")
NOX = (sys.executable, "-P", "-m", "nox")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one release took, in seconds."""

    wall: float
    processors: float


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
    project.write(".gitignore", "__pycache__/\n")
    return project


def release(directory: Path, noxfile: str, env: dict[str, str], *argv: str) -> Cost:
    """Release a new project in the directory."""
    with indexes() as on:
        project = project_in(directory, noxfile, release_table(on))
        project.env |= env
        project.credentials(on)
        project.commit()
        before, begun = os.times(), time.perf_counter()
        told = project.command(*argv, timeout=900)
        wall, after = time.perf_counter() - begun, os.times()
        if told.status:
            raise SystemExit(f"{argv}: {told.status}\n{told.all[-4000:]}")
        assert len(files_on(on.pypi)) == len(files_on(on.testpypi)) == 2
    user, kernel = (getattr(after, name) - getattr(before, name) for name in ("children_user", "children_system"))
    return Cost(wall=wall, processors=user + kernel)


def size(directory: Path) -> int:
    """In bytes; files with several names count once."""
    found = {}
    for path in directory.rglob("*"):
        status = path.lstat()
        found[status.st_ino] = status.st_size
    return sum(found.values())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--pip", action="store_true")
    options.add_argument("--warm", action="store_true")
    chosen = options.parse_args()
    env = {"RELEASE_INSTALLER": "pip"} if chosen.pip else {}
    if not chosen.pip and shutil.which("uv") is None:
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    costs: list[tuple[Cost, Cost]] = []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        noxfile = f"from pypi_preflight import sessions\nsessions.register(package={str(wheel(root))!r})\n"
        for number in range(chosen.rounds + 1):
            environments = root / f"environments{'' if chosen.warm else number}"
            chain = (*NOX, "--envdir", str(environments), "-s", "release", "--", "--yes")
            one = release(root / f"alone{number}", noxfile, env, *ALONE)
            other = release(root / f"chain{number}", noxfile, env, *chain)
            megabytes = size(environments) / 1e6
            print(f"  alone {one.wall:.1f} s, chain {other.wall:.1f} s, environments {megabytes:.0f} MB", flush=True)
            costs += [(one, other)] if number else []  # the first round warms the caches
    kind = f"{'pip' if chosen.pip else 'uv'}, {'warm' if chosen.warm else 'new'} environments"
    for name, unit in (("wall", "s"), ("processors", "s of processors")):
        alone, chained = (statistics.median(getattr(pair[at], name) for pair in costs) for at in (0, 1))
        print(f"{kind}: alone {alone:.1f}, chain {chained:.1f} {unit}; ratio of medians {chained / alone:.2f}")
    print(f"over {chosen.rounds} rounds; limit of the first ratio: {LIMITS[chosen.pip]}")


if __name__ == "__main__":
    main()

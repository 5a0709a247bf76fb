"""Compare a release by the nox chain with the same release by the program alone.

Alone: `pypi-preflight release --yes`. The chain: `nox -s release -- --yes`, with environments that are made anew. Both
release a new project to two embedded indexes, with uv, or with pip and virtualenv.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.installed import size_of
from benchmarks.table import Row
from tests.stories.project import UserProject, files_on, indexes, make, release_table

ROOT = Path(__file__).parents[1]
#: what installs → the goal
GOALS = {"uv": 1.5, "pip": 3.0}
ROUNDS = 3
ALONE = (sys.executable, "-P", "-m", "pypi_preflight", "release", "--yes")
NOX = (sys.executable, "-P", "-m", "nox")


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


def release(directory: Path, noxfile: str, env: dict[str, str], *argv: str) -> float:
    """Release a new project in the directory; returns seconds."""
    with indexes() as on:
        project = project_in(directory, noxfile, release_table(on))
        project.env |= env
        project.credentials(on)
        project.commit()
        begun = time.perf_counter()
        told = project.command(*argv, timeout=900)
        took = time.perf_counter() - begun
        if told.status:
            raise SystemExit(f"{argv}: {told.status}\n{told.all[-4000:]}")
        assert len(files_on(on.pypi)) == len(files_on(on.testpypi)) == 2
    return took


def rows() -> Iterator[Row]:
    for installer, goal in GOALS.items():
        env = {"RELEASE_INSTALLER": "pip"} if installer == "pip" else {}
        if installer == "uv" and shutil.which("uv") is None:
            env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        costs: list[tuple[float, float]] = []
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            noxfile = f"from pypi_preflight import sessions\nsessions.register(package={str(wheel(root))!r})\n"
            for number in range(ROUNDS + 1):
                environments = root / f"environments{number}"
                chain = (*NOX, "--envdir", str(environments), "-s", "release", "--", "--yes")
                pair = (
                    release(root / f"alone{number}", noxfile, env, *ALONE),
                    release(root / f"chain{number}", noxfile, env, *chain),
                )
                costs += [pair] if number else []  # the first round warms the caches
            size = size_of(environments)
        alone, chained = (statistics.median(pair[at] for pair in costs) for at in (0, 1))
        yield Row(
            work=f"`nox -s release` with {installer} and new environments", goal=goal, peer="`pypi-preflight release`",
            measured=chained / alone, details=f"{chained:.1f} s and {alone:.1f} s; environments of {size / 1e6:.0f} MB",
        )  # fmt: skip

"""Compare rehearsals of real projects with the same work by hand: build, check, install into a new environment, import.

The projects are sdists from the package registry, without what a checkout does not have, committed and tagged: that is
how maintainers have them, and where a rehearsal compares the built files with git, which the work by hand leaves out.
Each side has a copy. Both build with the same uv and its one cache, warm after the round that is not counted, and
import compiled modules. By hand, all of it is one shell's commands: one after the other, stopping at the first failure.
A rehearsal also uploads both files to an index on this machine, installs from there, and runs the project's scripts.
Its record of the last time is removed first: files with the same bytes would not be installed again.
"""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from benchmarks.table import Row, process, ratio
from release.core.child_environment import without_credentials

ROUNDS = 5
GOAL = 1.0
#: the sdist → the module that is imported
PROJECTS = {
    "flit-core==4.2.0": "flit_core",
    "packaging==26.4": "packaging",
    "rich==15.0.0": "rich",
    "attrs==26.1.0": "attrs",
    "click==8.5.1": "click",
    "requests==2.34.2": "requests",
    "sampleproject==4.0.0": "sample",
}
OURS = str(Path(sys.executable).with_name("pypi-preflight"))


def checkouts(requirement: str, into: Path) -> tuple[Path, Path]:
    """Fetch and unpack an sdist, commit it with a tag, and return two copies of that repository."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--dest", str(into))
    process((sys.executable, "-m", "pip", "download", *options, requirement))()
    (archive,) = into.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    (root,) = (path.parent for path in into.glob("*/PKG-INFO"))
    (root / "PKG-INFO").unlink()
    for generated in list(root.rglob("*.egg-info")):
        shutil.rmtree(generated)
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "all of it")):
        process((*git, *words), cwd=root)()
    process((*git, "tag", requirement.partition("==")[2]), cwd=root)()
    return root, shutil.copytree(root, into / "by-hand" / root.name, symlinks=True)


def by_hand(project: Path, module: str, into: Path, env: dict[str, str]) -> Callable[[], None]:
    """Return what does the work with build, twine and uv, in a new directory each time."""
    numbers = count()

    def run() -> None:
        out = into / f"work-{next(numbers)}"
        dist, venv = out / "dist", out / "venv"
        python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
        words = ("-m", "build", "--installer", "uv", "--outdir", str(dist))
        process((sys.executable, *words), cwd=project, env=env)()
        files = sorted(map(str, dist.iterdir()))
        (wheel,) = (file for file in files if file.endswith(".whl"))
        process((sys.executable, "-m", "twine", "check", *files), cwd=project, env=env)()
        process(("uv", "venv", "--quiet", "--python", sys.executable, str(venv)), cwd=out, env=env)()
        process(("uv", "pip", "install", "--quiet", "--python", str(python), wheel), cwd=out, env=env)()
        process((str(python), "-c", f"import {module}"), cwd=out, env=env)()

    return run


def rehearsed(project: Path, env: dict[str, str]) -> Callable[[], None]:
    """Return what rehearses the project, as if for the first time."""
    rehearse = process((OURS, "rehearse"), cwd=project, env=env)

    def run() -> None:
        shutil.rmtree(project / ".release", ignore_errors=True)
        rehearse()

    return run


def rows() -> Iterator[Row]:
    # PYTHONDONTWRITEBYTECODE would let each side compile what it imports; by hand, no index is asked for a last release
    env = without_credentials(os.environ) | {"PYPI_PREFLIGHT_OFFLINE": "1"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), env["PATH"]))
    for requirement, module in PROJECTS.items():
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            project, copy = checkouts(requirement, directory)
            work = f"rehearsal of {requirement.replace('==', ' ')}"
            row = Row(work=work, goal=GOAL, peer="build (uv), twine check, uv venv, install, import")
            yield ratio(row, rehearsed(project, env), by_hand(copy, module, directory, env), ROUNDS)

"""Count and weigh what this program installs over what its five tools bring: nox, invoke, twine, build and keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import ROOT, Row

#: what nearly every project that releases has installed
TOOLS = ("nox", "invoke", "twine", "build", "keyring")
DISTRIBUTIONS, MEGABYTES = 12, 15


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What an environment has: names of distributions, and bytes of files without and with bytecode."""

    names: frozenset[str]
    size: int
    compiled: int


def environment(directory: Path, *requirements: str) -> Environment:
    """Make an environment with the newest versions that the package registry has."""
    # no settings of a user's uv: neither another index nor pinned versions
    env = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    uv = [sys.executable, "-m", "uv", "--no-config", "--quiet"]
    python = directory / ("Scripts" if os.name == "nt" else "bin") / "python"
    for words in (
        ["venv", "--python", sys.executable, str(directory)],
        ["pip", "install", "--python", str(python), "--link-mode", "copy", "--no-compile-bytecode", *requirements],
    ):
        subprocess.run([*uv, *words], env=env, check=True, cwd=directory.parent)
    listed = subprocess.run(
        [*uv, "pip", "list", "--python", str(python), "--format", "json"],
        env=env, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    size = size_of(directory)
    compiling = [sys.executable, "-m", "compileall", "-q", "-q", "-j", "0", str(directory)]
    subprocess.run(compiling, check=False)  # nonzero for the templates of some packages, which are no Python
    return Environment(
        names=frozenset(one["name"] for one in json.loads(listed)), size=size, compiled=size_of(directory)
    )


def size_of(directory: Path) -> int:
    """The bytes of all files below a directory; links count nothing."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink())


def environments() -> tuple[Environment, Environment]:
    """Return an environment with the tools alone, and one with this program."""
    with tempfile.TemporaryDirectory() as directory:
        base, ours = (Path(directory) / name for name in ("tools", "ours"))
        return environment(base, *TOOLS), environment(ours, *TOOLS, str(ROOT))


def rows() -> Iterator[Row]:
    base, ours = environments()
    work = "installed over what nox, invoke, twine, build and keyring bring"
    more = ours.names - base.names
    yield Row(
        work=f"{work}, with the program itself", goal=DISTRIBUTIONS, measured=len(more), unit="distributions",
        details=f"{len(ours.names)} and {len(base.names)}",
    )  # fmt: skip
    for how, less, size in (
        ("without bytecode, as uv installs", base.size, ours.size),
        ("with bytecode, as pip installs", base.compiled, ours.compiled),
    ):
        yield Row(
            work=f"{work}, {how}", goal=MEGABYTES, measured=(size - less) / 1e6, unit="MB",
            details=f"{size / 1e6:.1f} and {less / 1e6:.1f} MB",
        )  # fmt: skip

"""Compare the search for secrets with git: in a history, in a working tree, and in a tree with wheels.

Each row is the command as users run it. `git grep -F` gets the one string that API tokens begin with, and like ours
only names the files (`-l`); its time with the strings that our first pass needs to find all kinds of secrets is in the
details. It opens no archives, so that it is compared with reading all members of the wheels, and then `git grep` with
all strings. The files are those of this interpreter's standard library.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.table import Row, medians, process, ratio, seconds
from release.core.child_environment import without_credentials

ROUNDS = 7
OURS = str(Path(sys.executable).with_name("pypi-preflight"))
TOKEN = "pypi-AgE"  # noqa: S105 - the start of API tokens
#: of every kind of secret that `release.leaks.prefilter` finds, a part that is always there
STRINGS = (
    "AgE", "AKIA", "ASIA", "AIza", "PRIVATE KEY", "Private-MAC", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_",
    "k_live_", "github_pat_", "xox", "xapp-", "gldt-", "glrt-", "glpat-", "X190b2tlbl9fOnB5cGktQWdF",
)  # fmt: skip
WHEELS = 16
UNPACK = """\
import sys, zipfile
for path in sys.argv[1:]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            archive.read(name)
"""


def environment() -> dict[str, str]:
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return without_credentials(os.environ) | identity | {"GIT_CONFIG_GLOBAL": os.devnull}


def git(where: Path, *words: str, given: bytes = b"") -> None:
    words = ("git", "-c", "gc.auto=0", *words)
    subprocess.run(words, cwd=where, input=given, check=True, stdout=subprocess.DEVNULL, env=environment())


def sources() -> list[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    return [path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts]


def make_tree(directory: Path) -> None:
    ignore = shutil.ignore_patterns("site-packages", "__pycache__", "*.pyc", "*.whl")
    for number in range(4):
        shutil.copytree(sysconfig.get_path("stdlib"), directory / str(number), ignore=ignore, symlinks=True)
    git(directory, "init", "-q")
    commit(directory)


def commit(directory: Path) -> None:
    git(directory, "-c", "core.compression=0", "add", "-A", "-f")
    git(directory, "commit", "-q", "-m", "x")


def make_wheels(directory: Path) -> list[Path]:
    """Write wheels of about two megabytes, each with a fourth of the library."""
    directory.mkdir()
    texts = [path.read_bytes() for path in sources()]
    paths = [directory / f"library_{number}-1.0-py3-none-any.whl" for number in range(WHEELS)]
    for number, path in enumerate(paths):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for at in range(number % 4, len(texts), 4):
                archive.writestr(f"library/{at}.py", texts[at])
    return paths


def make_history(directory: Path, commits: int = 60) -> None:
    """Create a thousand files; each commit adds lines to some of them."""
    chance = random.Random(1)  # noqa: S311 - the same history each time
    texts = [path.read_bytes().splitlines(keepends=True) for path in sources() if path.stat().st_size > 4000][:1000]
    directory.mkdir()
    git(directory, "init", "-q")
    stream = io.BytesIO()
    for number in range(commits):
        stream.write(b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (1_600_000_000 + number))
        for at, lines in enumerate(texts):
            if number and chance.random() > 0.3:
                continue
            place = chance.randrange(len(lines))
            lines[place:place] = [b"    value_%d = compute(%d)\n" % (number, chance.randrange(10**9))] * bool(number)
            data = b"".join(lines)
            stream.write(b"M 100644 inline %d/%d.py\ndata %d\n%b\n" % (at % 40, at, len(data), data))
    git(directory, "fast-import", "--quiet", given=stream.getvalue())
    git(directory, "repack", "-adqf")


def history_row(directory: Path) -> Row:
    make_history(directory)
    env = environment()
    words = ("git", "cat-file", "--batch-all-objects", "--batch", "--unordered")

    def peer() -> None:
        subprocess.run(words, cwd=directory, env=env, stdout=subprocess.DEVNULL, check=True)

    ours = process((OURS, "leaks", "--history"), cwd=directory, env=env)
    row = Row(work="`leaks --history`, 1,000 files and 60 commits", goal=1.15, peer="`git cat-file` of all objects")
    return ratio(row, ours, peer, ROUNDS)


def tree_rows(directory: Path) -> Iterator[Row]:
    env = environment()
    directory.mkdir()
    make_tree(directory)
    patterns = [word for text in STRINGS for word in ("-e", text)]
    grep = process(("git", "grep", "-l", "-F", *patterns), cwd=directory, env=env, expected=(0, 1))
    one_string = process(("git", "grep", "-l", "-F", "-e", TOKEN), cwd=directory, env=env, expected=(0, 1))
    ours = process((OURS, "leaks"), cwd=directory, env=env, expected=(0, 1))
    peer = "the speed of `git grep -F` with one string"
    row = Row(work="`leaks` in a tree of 10,000 files", goal=0.7, peer=peer, more_is_better=True)
    theirs, own = medians(one_string, ours, ROUNDS)
    every = statistics.median(seconds(grep) for _ in range(ROUNDS))
    details = f"{own:.3f} s and {theirs:.3f} s; git with {len(STRINGS)} strings {every:.3f} s"
    yield replace(row, measured=theirs / own, details=details)
    paths = make_wheels(directory / "wheels")
    commit(directory)
    unpack = process((sys.executable, "-c", UNPACK, *map(str, paths)), cwd=directory, env=env)
    peer = f"unpacking the wheels, and `git grep -F` with {len(STRINGS)} strings"
    row = Row(work=f"`leaks` in that tree with {WHEELS} wheels", goal=1.2, peer=peer)
    yield ratio(row, ours, lambda: (unpack(), grep()), ROUNDS)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve()
        yield history_row(root / "history")
        yield from tree_rows(root / "tree")

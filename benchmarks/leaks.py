"""Compare the search for secrets with similar programs, in one run, as ratios of medians.

    python benchmarks/leaks.py [--rounds 5] [--tree DIR] [--history DIR]

A working tree: compared with `git grep -F`. A history: in megabytes of unpacked objects a second, compared with
`git cat-file` alone. Files of a release: compared with reading them and testing their checksums. Without the
options, a tree and a history are created from this interpreter's standard library.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from release.adapters.builds import builder
from release.leaks import search

ROOT = Path(__file__).parents[1]
ANCHOR = "pypi-AgE"


def run(*argv: object, cwd: Path, statuses: tuple[int, ...] = (0,)) -> bytes:
    env = os.environ | {"PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run([str(one) for one in argv], cwd=cwd, env=env, stdout=subprocess.PIPE, check=False)
    if done.returncode not in statuses:
        raise SystemExit(f"{argv}: {done.returncode}")
    return done.stdout


def git(where: Path, *words: str) -> bytes:
    return run("git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "gc.auto=0", *words, cwd=where)


def measured(rounds: int, **ways: Callable[[], object]) -> dict[str, float]:
    """Return the median of each, in seconds; they take turns, and the first round only warms the caches."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            if number:
                times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(values) for name, values in times.items()}


def library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def make_tree(directory: Path) -> Path:
    for number in range(4):
        # Archives are left out: they are unpacked here, and git looks at what they are packed as.
        ignore = shutil.ignore_patterns("site-packages", "__pycache__", "*.pyc", "*.whl")
        shutil.copytree(library(), directory / str(number), ignore=ignore, symlinks=True)
    git(directory, "init", "-q")
    git(directory, "add", "-A", "-f")
    git(directory, "commit", "-q", "-m", "x")
    return directory


def make_history(directory: Path, commits: int = 60) -> Path:
    """Create a thousand files; each commit adds lines to some of them."""
    chance = random.Random(1)  # noqa: S311 - the same history each time
    paths = [path for path in sorted(library().rglob("*.py")) if "site-packages" not in path.parts]
    texts = [path.read_bytes().splitlines(keepends=True) for path in paths if path.stat().st_size > 4000][:1000]
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
    subprocess.run(["git", "fast-import", "--quiet"], cwd=directory, input=stream.getvalue(), check=True)
    git(directory, "repack", "-adqf")
    return directory


def tree(directory: Path, rounds: int) -> None:
    names = [name for name in git(directory, "ls-files", "-z").split(b"\0") if name]
    size = sum((directory / os.fsdecode(name)).lstat().st_size for name in names) / 1e6
    found = measured(
        rounds,
        grep=lambda: run("git", "grep", "-F", ANCHOR, cwd=directory, statuses=(0, 1)),
        ours=lambda: run(sys.executable, "-m", "release", "leaks", cwd=directory, statuses=(0, 1)),
    )
    print(f"tree of {len(names)} files, {size:.0f} MB: git grep {found['grep']:.2f} s, ours {found['ours']:.2f} s")
    print(f"  {found['grep'] / found['ours']:.2f} times the speed of git grep -F (minimum: 0.5)")


def history(directory: Path, rounds: int) -> None:
    everything = ("--batch-all-objects", "--unordered", "--buffer")
    sizes = git(directory, "cat-file", "--batch-check=%(objectsize)", *everything).split()
    size = sum(map(int, sizes)) / 1e6
    found = measured(
        rounds,
        git=lambda: subprocess.run(
            ["git", "cat-file", "--batch", *everything], cwd=directory, stdout=subprocess.DEVNULL, check=True
        ),
        ours=lambda: run(sys.executable, "-c", SEARCH, directory, cwd=directory),
    )
    print(f"history of {len(sizes)} objects, {size:.0f} MB: {size / found['ours']:.0f} MB/s (minimum: 400)")
    print(f"  git cat-file alone, on one core: {size / found['git']:.0f} MB/s")


SEARCH = """\
import sys
from pathlib import Path
from release.leaks import git_history as history
from release.adapters.system import system
history.scan_history(system.real_system(), Path(sys.argv[1]))
"""


def files(directory: Path, rounds: int) -> None:
    chance = random.Random(1)  # noqa: S311 - as above
    texts = [path.read_bytes() for path in sorted(library().glob("*.py"))]
    for label, count in (("small", 12), ("large", 10_000)):
        path = directory / f"{label}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(count):
                archive.writestr(f"{label}/{number}.py", chance.choice(texts))
        file = builder.load_distribution(path)
        found = measured(
            rounds,
            read=lambda path=path: zipfile.ZipFile(path).testzip(),  # type: ignore[misc] # bound for each round
            ours=lambda file=file: search.scan_distributions([file]),  # type: ignore[misc] # the same
        )
        print(f"wheel of {file.size / 1e6:.1f} MB: ours {found['ours'] * 1000:.1f} ms")
        print(f"  {found['ours'] / found['read']:.2f} times the time of reading it and testing its CRCs")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--tree", type=Path, metavar="DIR")
    options.add_argument("--history", type=Path, metavar="DIR")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "tree").mkdir()
        tree(chosen.tree or make_tree(root / "tree"), chosen.rounds)
        history(chosen.history or make_history(root / "history"), chosen.rounds)
        files(root, chosen.rounds)


if __name__ == "__main__":
    main()

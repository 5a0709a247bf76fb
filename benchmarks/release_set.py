"""Measure the release of a set of 60 members in 8 levels, side by side with a shell loop over its members.

Both release the same projects to two embedded indexes, which play TestPyPI and PyPI: `pypi-preflight set release --yes`
at the root, and `pypi-preflight release --yes` in the directory of each member, in the order of the levels. The index
that plays PyPI is the user's ordinary index for both, so the loop finds the siblings that it has released before.

The memory is that of the program's own process, and apart the peak of its children together (proportional set size).
The wall time of the set is compared with what it cannot fall below:

- the longest chain: the steps without a lasting effect of members that need each other, one after the other, as
  the loop has needed for them with the machine to itself;
- the upload floor: each index takes one level after the other, so for each index and level one upload and
  confirmation, again as the loop has needed for them;
- the work: all CPU time of the set with its children, without that of the indexes, spread over two cores. With 60
  members it is more than the longest chain, so the goal counts from the larger of the two.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.table import Row
from tests.stories.project import UserProject, files_on, indexes
from tests.stories.workspace import Project, seed_for, workspace

CORES = 2
COUNT, LEVELS, ROUNDS = 60, 8, 3
LASTING = ("testpypi", "pypi")


def members(count: int, levels: int) -> list[list[Project]]:
    """The projects, level by level; each needs two of the level before."""
    size = -(-count // levels)
    names = [f"acme-{number:03}" for number in range(count)]
    rows = [names[at : at + size] for at in range(0, count, size)]
    made = [[Project(name=name) for name in rows[0]]]
    for before, row in pairwise(rows):
        needs = [sorted({before[n % len(before)], before[(n + 1) % len(before)]}) for n in range(len(row))]
        made.append(
            [Project(name=name, requires=[f"{one}>=1" for one in some]) for name, some in zip(row, needs, strict=True)]
        )
    return made


@dataclass(kw_only=True)
class Usage:
    """What one run has needed."""

    seconds: float
    #: seconds of CPU time, with all children
    cpu: float
    #: of it, that of the program's own process
    own_cpu: float
    #: bytes
    own_memory: int
    children_memory: int


@dataclass(kw_only=True)
class Sampler:
    """Reads the memory of a process and of its children while it runs. Source: proc(5)."""

    pid: int
    cpu: float = 0.0
    own: int = 0
    children: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._ended.wait(0.5):
            below = self._below(self.pid)
            self.cpu = max(self.cpu, _cpu_seconds(self.pid))
            self.own = max(self.own, _kilobytes(self.pid, "status", "VmHWM:"))
            self.children = max(self.children, sum(_kilobytes(one, "smaps_rollup", "Pss:") for one in below))

    def _below(self, pid: int) -> list[int]:
        found = []
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(one) for one in (task / "children").read_text().split()]
        except OSError:
            return []
        return found + [one for child in found for one in self._below(child)]

    @contextmanager
    def sampling(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # type: ignore[attr-defined,no-any-return,unused-ignore]


def _kilobytes(pid: int, file: str, key: str) -> int:
    """Bytes of a line in kilobytes; 0 where the process has ended, or where there is no /proc."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(one.split()[1]) * 1024 for one in lines if one.startswith(key)), 0)


def measure(argv: list[str], project: UserProject, env: dict[str, str]) -> Usage:
    before, begun = os.times(), time.perf_counter()
    log = project.root.parent / "output.txt"
    with (
        log.open("w") as output,
        subprocess.Popen(argv, cwd=project.root, env=env, stdout=output, stderr=output) as run,
    ):
        sampler = Sampler(pid=run.pid)
        with sampler.sampling():
            status = run.wait()
    seconds, after = time.perf_counter() - begun, os.times()
    if status:
        raise SystemExit(f"{argv}: {status}\n{log.read_text()[-4000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Usage(
        seconds=seconds, cpu=cpu, own_cpu=sampler.cpu, own_memory=sampler.own, children_memory=sampler.children
    )


def run(kind: str, levels: list[list[Project]]) -> tuple[Usage, dict[str, dict[str, float]]]:
    """What releasing the set, or its members in a loop, needs; and the seconds of each step of each member."""
    names = [one.name for level in levels for one in level]
    program = [sys.executable, "-m", "release"]
    seed = seed_for(names, exist=True)
    with tempfile.TemporaryDirectory() as temporary, indexes(test=seed, real=seed) as on:
        projects = [one for level in levels for one in level]
        project = workspace(Path(temporary), projects, on)
        if kind == "loop":  # each project has the indexes of its own, as one that is released alone
            table = (project.root / "pyproject.toml").read_text().partition("[tool.release.indexes")
            for name in names:
                path = project.root / "packages" / name / "pyproject.toml"
                path.write_text(path.read_text() + table[1] + table[2])
            project.commit()
        project.credentials(on)
        env = {k: v for k, v in project.environment().items() if k != "PYTHONDONTWRITEBYTECODE"}
        ordinary = on.pypi.simple_url
        env |= {"UV_DEFAULT_INDEX": ordinary, "PIP_INDEX_URL": ordinary, "UV_CACHE_DIR": f"{temporary}/uv"}
        if kind == "set":
            usage = measure([*program, "set", "release", "--yes"], project, env)
        else:
            command = shlex.join([*program, "release", "--yes"])
            loop = f"set -e\nfor name in {' '.join(names)}; do (cd packages/$name && {command}); done\n"
            usage = measure(["sh", "-c", loop], project, env)
        assert all(len(files_on(index, name)) == 2 for index in (on.testpypi, on.pypi) for name in names)
        return usage, {name: steps_of(project.root / "packages" / name) for name in names}


def steps_of(directory: Path) -> dict[str, float]:
    """The seconds of each step of the last run, by title."""
    (path,) = (directory / ".release").glob("*/record.json")
    steps = json.loads(path.read_bytes())["runs"][-1]["steps"]
    return {one["title"]: one["seconds"] for one in steps}


def chain(levels: list[list[Project]], steps: dict[str, dict[str, float]]) -> float:
    """The seconds of the longest chain of steps without a lasting effect."""
    longest: dict[str, float] = {}
    for level in levels:
        for one in level:
            own = sum(seconds for title, seconds in steps[one.name].items() if not _lasting_index(title))
            needs = [longest[text.partition(">")[0]] for text in one.requires]
            longest[one.name] = own + max(needs, default=0.0)
    return max(longest.values())


def upload_floor(levels: list[list[Project]], steps: dict[str, dict[str, float]]) -> float:
    """For each index and level, the seconds of the median upload and confirmation."""
    return sum(
        statistics.median(
            sum(seconds for title, seconds in steps[one.name].items() if _lasting_index(title) == index)
            for one in level
        )
        for index in LASTING for level in levels
    )  # fmt: skip


def _lasting_index(title: str) -> str | None:
    effect = title.startswith(("upload", "confirm"))
    return next((index for index in LASTING if effect and index in title.split()), None)


def rows() -> Iterator[Row]:
    levels = members(COUNT, LEVELS)
    usages: dict[str, list[Usage]] = {"loop": [], "set": []}
    floors = []
    for _ in range(ROUNDS):
        for kind, found in usages.items():
            usage, steps = run(kind, levels)
            found.append(usage)
            if kind == "loop":
                floors.append(chain(levels, steps) + upload_floor(levels, steps))
    loop, ours = (statistics.median(one.seconds for one in usages[kind]) for kind in ("loop", "set"))
    cpu, floor = statistics.median(one.cpu for one in usages["set"]), statistics.median(floors)
    own, children = (max(getattr(one, name) for one in usages["set"]) for name in ("own_memory", "children_memory"))
    work = f"`set release` of {COUNT} members in {LEVELS} levels"
    yield Row(
        work=work, goal=1.3, peer=f"the longest chain with its uploads, or of its work on {CORES} cores",
        measured=ours / max(floor, cpu / CORES),
        details=f"{ours:.1f} s, {floor:.1f} s and {cpu / CORES:.1f} s",
    )  # fmt: skip
    yield Row(
        work=f"a loop over the same members with `release`, to {work}", goal=2.0, more_is_better=True, peer="it",
        measured=loop / ours, details=f"{loop:.1f} s and {ours:.1f} s",
    )  # fmt: skip
    yield Row(
        work=f"memory of {work}, without its children", goal=200, unit="MB", measured=own / 1e6,
        details=f"its children {children / 1e6:.0f} MB",
    )  # fmt: skip

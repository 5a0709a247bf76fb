"""What all benchmarks share: rounds that time both sides in turn, and rows of a table with goal and result."""

from __future__ import annotations

import compileall
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import release

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One goal and what was measured: a ratio of medians, or a number with its unit."""

    work: str
    #: what `measured` is compared with; without a unit it is a ratio to the peer
    goal: float
    measured: float = math.nan
    #: what the ratio is to: the peer program, or the physical floor; empty for a number with a unit
    peer: str = ""
    unit: str = ""
    more_is_better: bool = False
    #: both medians in words, "0.031 s and 0.021 s"
    details: str = ""

    @property
    def met(self) -> bool:
        return self.measured >= self.goal if self.more_is_better else self.measured <= self.goal


def compile_ours() -> None:
    """Compile our modules: without bytecode every start would compile them anew, which no installed program does."""
    for package in ("release", "pypi_preflight"):
        compileall.compile_dir(Path(release.__file__).parents[1] / package, quiet=1)


def seconds(run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def process(
    words: Sequence[str | os.PathLike[str]], *, cwd: Path | None = None, env: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
) -> Callable[[], str]:  # fmt: skip
    """Return what runs a program once and returns its output. Raises SystemExit for another exit status."""

    def run() -> str:
        done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
        if done.returncode not in expected:
            raise SystemExit(f"{words}: exit status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    return run


def medians(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Run both sides in turn, once to warm the caches and then `rounds` times. Returns both medians in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        pair = seconds(ours), seconds(peer)
        if number:
            for held, one in zip(times, pair, strict=True):
                held.append(one)
    return statistics.median(times[0]), statistics.median(times[1])


def ratio(row: Row, ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> Row:
    """Time both sides in turn, and return the row with the ratio of their medians."""
    a, b = medians(ours, peer, rounds)
    return replace(row, measured=a / b, details=f"{a:.3f} s and {b:.3f} s")


def printed(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| work | goal | result | |", "|---|---|---|---|"]
    for row in rows:
        bound = "at least" if row.more_is_better else "at most"
        goal = f"{bound} {row.goal:g} {row.unit or f'of {row.peer}'}"
        result = f"{row.measured:.0f}" if row.unit else f"{row.measured:.2f}"
        details = f" ({row.details})" if row.details else ""
        lines.append(f"| {row.work} | {goal} | {result}{details} | {'met' if row.met else 'missed'} |")
    return "\n".join(lines)


def machine() -> str:
    """Name the interpreter, the processors and the load: what a result depends on."""
    load = " ".join(f"{one:.2f}" for one in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, load {load}"

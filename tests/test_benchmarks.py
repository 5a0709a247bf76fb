"""The benchmarks run in a session of their own, and their table says what was met."""

from __future__ import annotations

import importlib.util
import math
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nox
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import table
from benchmarks.table import Row

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _new_registry() -> Iterator[None]:
    nox.registry.reset()
    yield
    nox.registry.reset()


class FakeSession:
    """Keeps what a session would install and run."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = posargs
        self.installed: list[str] = []
        self.environment: dict[str, str] = {}
        self.ran: list[tuple[str, ...]] = []

    def install(self, *words: str, env: dict[str, str]) -> None:
        self.installed += words
        self.environment |= env

    def run(self, *words: str) -> None:
        self.ran.append(words)


def test_the_session_runs_the_modules_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("noxfile_of_this_project", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    session = FakeSession("starts", "installed")
    nox.registry.get()["benchmarks"].func(session)
    assert session.ran == [("python", "-m", "benchmarks", "starts", "installed")]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert session.installed == ["-e", ".", *groups["benchmarks"]]
    assert session.environment == {"UV_COMPILE_BYTECODE": "1"}


@pytest.mark.parametrize("name", [*benchmarks.NAMES, *benchmarks.LONG])
def test_each_listed_module_yields_rows(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").rows)


def test_each_module_is_listed_once() -> None:
    names = [*benchmarks.NAMES, *benchmarks.LONG]
    assert len(names) == len(set(names))
    found = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "def rows(" in path.read_text("utf-8")}
    assert found == set(names)


@pytest.mark.parametrize(
    ("measured", "more_is_better", "met"),
    [
        (0.99, False, True), (1.0, False, True), (1.01, False, False), (math.nan, False, False),
        (0.99, True, False), (1.0, True, True), (1.01, True, True), (math.nan, True, False),
    ],
)  # fmt: skip
def test_a_goal_is_met_up_to_its_number(*, measured: float, more_is_better: bool, met: bool) -> None:
    assert Row(work="", goal=1.0, measured=measured, more_is_better=more_is_better).met is met


def test_the_table_has_goal_and_result() -> None:
    rows = [
        Row(work="`status`", goal=0.5, measured=0.424, peer="`twine --version`", details="0.021 s and 0.049 s"),
        Row(work="scan", goal=0.7, measured=0.69, peer="`git grep`", more_is_better=True),
        Row(work="installed", goal=15, measured=9.4, unit="MB"),
        Row(work="never measured", goal=2, peer="nothing"),
    ]
    assert table.printed(rows).splitlines() == [
        "| work | goal | result | |",
        "|---|---|---|---|",
        "| `status` | at most 0.5 of `twine --version` | 0.42 (0.021 s and 0.049 s) | met |",
        "| scan | at least 0.7 of `git grep` | 0.69 | missed |",
        "| installed | at most 15 MB | 9 | met |",
        "| never measured | at most 2 of nothing | nan | missed |",
    ]


def test_both_sides_run_in_turn_and_the_first_round_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    ran: list[str] = []
    durations = {"ours": iter([100.0, 3.0, 1.0, 2.0]), "peer": iter([100.0, 10.0, 30.0, 50.0])}

    def run(name: str) -> None:
        nonlocal clock
        ran.append(name)
        clock += next(durations[name])

    monkeypatch.setattr(time, "perf_counter", lambda: clock)
    medians = table.medians(lambda: run("ours"), lambda: run("peer"), 3)
    assert medians == (2.0, 30.0)
    assert ran == ["ours", "peer"] * 4


def test_a_ratio_is_that_of_the_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "medians", lambda _ours, _peer, _rounds: (0.5, 2.0))
    row = table.ratio(Row(work="x", goal=1, peer="y"), lambda: None, lambda: None, 5)
    assert (row.measured, row.details) == (0.25, "0.500 s and 2.000 s")


def test_a_program_that_ends_with_another_status_ends_the_benchmark() -> None:
    words = [sys.executable, "-c", "print('so'); raise SystemExit(3)"]
    assert table.process(words, expected=(3,))() == "so\n"
    with pytest.raises(SystemExit, match="exit status 3\nso"):
        table.process(words)()

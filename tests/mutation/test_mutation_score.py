"""The tests of a package notice what is changed in it: most mutants, and the others are listed.

A sample by default, the same in each run; MUTATION_SAMPLE=all judges every mutant, which takes hours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

SURVIVORS = Path(__file__).with_name("survivors.toml")
SAMPLE = os.environ.get("MUTATION_SAMPLE", "6")
#: the share of mutants that must be killed
LEAST = 0.85


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.parametrize("package", ["core", "credentials", "publishing"])
def test_the_tests_notice_changes(package: str, tmp_path: Path) -> None:
    pytest.importorskip("mutmut", reason="the dependency group mutation is not installed")
    report = tmp_path / "report.json"
    words = ["-m", "tests.mutation.judging", package, "--sample", SAMPLE, "--report", str(report)]
    subprocess.run([sys.executable, *words], check=True, cwd=SURVIVORS.parents[2])
    verdicts = json.loads(report.read_text("utf-8"))
    alive = {name for name, verdict in verdicts.items() if verdict in {"survived", "not reached"}}
    assert len(alive) <= (1 - LEAST) * len(verdicts), f"{len(alive)} of {len(verdicts)} mutants survived"
    assert not alive - known_survivors(), "write a test that notices these, or list them with the reason"


def known_survivors() -> set[str]:
    groups = tomllib.loads(SURVIVORS.read_text("utf-8"))["survivors"]
    return {name for group in groups for name in group["mutants"]}


def test_each_survivor_is_listed_once_with_a_reason() -> None:
    groups = tomllib.loads(SURVIVORS.read_text("utf-8"))["survivors"]
    assert all(group["reason"] for group in groups)
    names = [name for group in groups for name in group["mutants"]]
    assert len(names) == len(set(names))

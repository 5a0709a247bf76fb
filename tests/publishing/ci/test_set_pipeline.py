"""How a plan of a set fits into the jobs of a workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import RefusedError, UsageError
from release.publishing.ci import set_pipeline

JOBS: list[dict[str, Any]] = [
    {"id": "build-a", "kind": "build", "level": 1, "inputs": [], "outputs": ["dist/a"]},
    {"id": "build-b", "kind": "build", "level": 2, "inputs": ["dist/a", "dist/b"], "outputs": ["dist/b"]},
    {"id": "gate", "kind": "gate", "level": 0, "inputs": ["dist/a"], "outputs": []},
]
PLAN = {"schema": 1, "indexes": [], "members": [], "levels": [["a"], ["b"]], "jobs": JOBS}


def test_a_plan_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    assert set_pipeline.load_set_plan(path) == PLAN


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', json.dumps(PLAN | {"schema": 2}), "[" * 100_000])
def test_what_is_no_plan(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="plan") as wrong:
        set_pipeline.load_set_plan(path)
    assert "pypi-preflight set plan --json > " in wrong.value.remedy


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the plan .*No such file"):
        set_pipeline.load_set_plan(tmp_path / "a plan.json")


@pytest.mark.parametrize(("levels", "builds", "fits"), [(2, 2, True), (3, 9, True), (1, 2, False), (2, 1, False)])
def test_a_plan_with_more_levels_than_the_workflow_has_is_refused(levels: int, builds: int, fits: bool) -> None:
    """What the workflow has no job for would silently not be released."""
    if fits:
        set_pipeline.require_fitting_plan(PLAN, levels=levels, builds=builds, regenerate="pypi-preflight ci")
        return
    with pytest.raises(RefusedError, match="the workflow has jobs for 1") as refused:
        set_pipeline.require_fitting_plan(PLAN, levels=levels, builds=builds, regenerate="pypi-preflight ci x")
    assert refused.value.remedy == "write the workflow again, and commit it: pypi-preflight ci x"


def test_a_matrix_that_a_service_cuts_off_is_refused() -> None:
    set_pipeline.require_size("it", range(256), 256)
    with pytest.raises(RefusedError, match="it has 257 jobs, and the service allows 256") as refused:
        set_pipeline.require_size("it", range(257), 256)
    assert refused.value.remedy == "release some of the members first: pypi-preflight set release --only NAME …"


def test_the_jobs_of_a_plan() -> None:
    assert [one["id"] for one in set_pipeline.jobs_of_kind(PLAN, "build")] == ["build-a", "build-b"]
    assert set_pipeline.highest_build_level(PLAN) == 2
    assert set_pipeline.highest_build_level(PLAN | {"jobs": []}) == 0
    assert set_pipeline.sibling_paths(JOBS[1]) == ["dist/a"]
    assert [set_pipeline.index_title(name) for name in ("pypi", "testpypi", "acme")] == ["PyPI", "TestPyPI", "acme"]


def test_commands_are_quoted_for_a_shell() -> None:
    job = {"commands": [{"variables": {"A": "x $(id)"}, "argv": ["echo", "a b", "`id`", "c"]}]}
    assert set_pipeline.shell_commands(job) == ["A='x $(id)' echo 'a b' '`id`' c"]

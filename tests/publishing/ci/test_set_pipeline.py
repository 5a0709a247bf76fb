"""How a plan of a set fits into the jobs of a workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system.system import System, real_system
from release.core.errors import RefusedError, UsageError
from release.core.models.release_set import Member
from release.publishing.ci import set_pipeline
from release.publishing.ci.pipeline import detect_checkout
from tests.git_repositories import committed

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


def test_the_files_of_a_repository_are_listed_once_for_all_its_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"acme-{number}" for number in range(12)]
    release = '[tool.release]\ntag-format = "v{version}"\n'
    files = {f"{one}/pyproject.toml": f'[project]\nname = "{one}"\nversion = "1"\n{release}' for one in names}
    committed(tmp_path, {**files, ".gitattributes": "*.bin filter=lfs\n"})
    listed = []

    def detect(system: System, root: Path) -> tuple[bool, bool]:
        listed.append(root)
        return detect_checkout(system, root)

    monkeypatch.setattr(set_pipeline, "detect_checkout", detect)
    members = [Member(name=one, version="1", directory=one) for one in names]
    found = set_pipeline.load_member_pipelines(real_system(), tmp_path, members)
    assert {one.lfs for one in found.values()} == {True}
    assert listed == [tmp_path]

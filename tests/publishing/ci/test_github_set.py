"""The matrices of one run on GitHub, whole; and the jobs that upload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.core.errors import RefusedError
from release.publishing.ci import github_set
from tests.publishing.ci.set_texts import set_pipeline
from tests.publishing.ci.test_buildkite_set import job
from tests.publishing.ci.workflow_files import jobs
from tests.publishing.sets.made_sets import pipeline

ROOT = pipeline(directory="")


def matrices(document: dict[str, Any], *, levels: int = 2, builds: int = 2) -> dict[str, Any]:
    text = github_set.render_set_run(document, ROOT, levels=levels, builds=builds)
    assert text.endswith("\n")
    return {name: json.loads(value) for name, _, value in (line.partition("=") for line in text.splitlines())}


def test_the_matrices_of_a_run() -> None:
    document = {
        "levels": [["a", "c"], ["b"]],
        "members": [
            {"id": "a", "directory": "packages/a", "creates": ["pypi"]}, {"id": "b", "directory": "b", "creates": []},
        ],
        "jobs": [
            job("build", member="a", outputs=["dist/a"]),
            job("wheels", member="a", inputs=["dist/a"], outputs=["dist/a"], platforms=["linux-x86_64", "win-arm64"]),
            job("build", member="b", level=2, inputs=["dist/a", "dist/c"], outputs=["dist/b"]),
            *(job("upload", member=name, index=index) for name in "ab" for index in ("testpypi", "pypi", "acme")),
        ],
    }  # fmt: skip
    assert matrices(document) == {
        "build_1": [{"member": "a", "directory": "packages/a", "binary": True, "siblings": ""}],
        "wheels_1": [
            {"member": "a", "machine": "ubuntu-24.04", "siblings": ""},
            {"member": "a", "machine": "windows-11-arm", "siblings": ""},
        ],
        "build_2": [{"member": "b", "directory": "b", "binary": False, "siblings": "siblings/a siblings/c"}],
        "wheels_2": [],
        "level_1": [{"member": "a"}, {"member": "c"}],
        "level_2": [{"member": "b"}],
        "prove": [
            {"member": "a", "directory": "packages/a", "index": "testpypi"},
            {"member": "b", "directory": "b", "index": "testpypi"},
            {"member": "b", "directory": "b", "index": "pypi"},
        ],
    }


def test_a_matrix_that_github_cuts_off_is_refused_by_its_name() -> None:
    document = {"levels": [[f"m{number}" for number in range(257)]], "members": [], "jobs": []}
    with pytest.raises(RefusedError, match=r"^the matrix level_1 has 257 jobs, and the service allows 256$"):
        matrices(document)
    document["levels"] = [document["levels"][0][:256]]
    assert len(matrices(document)["level_1"]) == 256


def uploads(**changed: Any) -> list[dict[str, Any]]:
    return list(github_set._uploads(set_pipeline(**changed)))


def test_each_upload_waits_for_all_before_it_and_only_pypi_gets_attestations() -> None:
    assert uploads(levels=1, indexes=("testpypi", "our-index", "pypi")) == [
        {
            "id": "testpypi_1", "index": "testpypi", "level": 1, "before": ["prove"], "extra": "", "title": "TestPyPI",
            "dry_run": "",
        },
        {
            "id": "our_index_1", "index": "our-index", "level": 1, "before": ["prove", "testpypi_1"], "extra": "",
            "title": "our-index", "dry_run": " --dry-run-on testpypi",
        },
        {
            "id": "pypi_1", "index": "pypi", "level": 1, "before": ["prove", "testpypi_1", "our_index_1"],
            "extra": "[attest]", "title": "PyPI", "dry_run": " --dry-run-on testpypi",
        },
    ]  # fmt: skip
    alone = uploads(levels=2, indexes=("pypi",), proves=False)
    assert [(one["before"], one["dry_run"]) for one in alone] == [
        ([], " --dry-run-on none"), (["pypi_1"], " --dry-run-on none"),
    ]  # fmt: skip


def test_the_jobs_of_the_workflow_are_those_of_its_levels_and_builds() -> None:
    found = jobs(github_set.render_set(set_pipeline(builds=2, levels=2)))
    names = {"plan", "gate", "prove", "build_1", "build_2", "wheels_1", "wheels_2"}
    assert names | {f"{index}_{level}" for index in ("testpypi", "pypi") for level in (1, 2)} <= found.keys()
    assert "build_3" not in found
    assert "prove" not in jobs(github_set.render_set(set_pipeline(proves=False)))
    assert set(found["gate"]["needs"]) >= names - {"gate", "prove"}

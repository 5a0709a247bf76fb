"""The steps of one run on Buildkite: each kind of job, whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.publishing.ci import buildkite_set
from release.publishing.ci.pipeline import CIBUILDWHEEL, Pipeline
from release.publishing.ci.set_pipeline import COMPARE_FILES, LIST_FILES
from tests.publishing.sets.made_sets import pipeline

ROOT, PART = pipeline(directory=""), pipeline(directory="libs/a b/")
INSTALL = ROOT.install()
COMMAND = {"argv": ["pypi-preflight", "x", "a b"], "variables": {"PIP_FIND_LINKS": "dist/a dist/b"}}
LINE = "PIP_FIND_LINKS='dist/a dist/b' pypi-preflight x 'a b'"
FETCH = "buildkite-agent artifact download 'dist/*' ."


def job(kind: str, **changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": kind, "kind": kind, "level": 1, "member": "b-c", "index": None, "environment": None, "needs": [],
        "inputs": [], "outputs": [], "platforms": [], "commands": [COMMAND],
    }  # fmt: skip
    return fields | changed


def steps(*jobs: dict[str, Any], root: Pipeline = ROOT) -> list[dict[str, Any]]:
    text = buildkite_set.render_set_run({"jobs": list(jobs)}, root, levels=1, builds=1)
    assert text.endswith("}\n")
    found: dict[str, Any] = json.loads(text)
    assert list(found) == ["steps"]
    return list(found["steps"])


@pytest.mark.parametrize(
    ("given", "commands"),
    [
        (job("build"), [INSTALL, LINE]),
        (job("build", inputs=["dist/a"]), [
            FETCH, 'echo "dist/" >> "$(git rev-parse --git-path info/exclude)"', INSTALL, LINE,
        ]),
        (job("wheels", inputs=["dist/a"]), [FETCH, f"python -P -m pip install '{CIBUILDWHEEL}'", LINE]),
        (job("gate", inputs=["dist/a"]), [
            FETCH, INSTALL, LINE, LIST_FILES, "buildkite-agent artifact upload SHA256SUMS",
            "buildkite-agent meta-data set sums \"$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)\"",
        ]),
        (job("upload", inputs=["dist/a"]), [
            FETCH, "buildkite-agent artifact download SHA256SUMS .", 'SUMS="$(buildkite-agent meta-data get sums)"',
            *COMPARE_FILES, INSTALL, LINE,
        ]),
    ],
)  # fmt: skip
def test_the_commands_of_each_kind_of_job(given: dict[str, Any], commands: list[str]) -> None:
    (step,) = steps(given)
    assert step == {"label": given["id"], "key": given["id"], "depends_on": [], "commands": commands}


def test_a_project_below_the_root_is_entered_after_its_files_are_there() -> None:
    (step,) = steps(job("gate", inputs=["dist/a"], outputs=["dist/a"]), root=PART)
    assert step["commands"][:2] == [
        "buildkite-agent artifact download 'libs/a b/dist/*' .",
        "cd 'libs/a b'",
    ]
    assert step["artifact_paths"] == ["libs/a b/dist/a/*"]


def test_a_job_for_several_platforms_is_a_step_for_each_and_the_next_one_needs_all() -> None:
    first, second, last = steps(
        job("wheels", platforms=["linux-x86_64", "win-arm64"], outputs=["dist/a"]),
        job("gate", needs=["wheels"]),
    )
    assert [(one["key"], one["agents"]) for one in (first, second)] == [
        ("wheels-linux-x86_64", {"platform": "linux-x86_64"}), ("wheels-win-arm64", {"platform": "win-arm64"}),
    ]  # fmt: skip
    assert first["artifact_paths"] == ["dist/a/*"]
    assert last["depends_on"] == ["wheels-linux-x86_64", "wheels-win-arm64"]
    assert "agents" not in last


def test_an_upload_has_one_secret_and_runs_alone() -> None:
    (step,) = steps(job("upload", index="pypi", environment="pypi-b-c"))
    del step["commands"]
    assert step == {
        "label": "upload", "key": "upload", "depends_on": [], "secrets": {"TWINE_PASSWORD": "PYPI_TOKEN_B_C"},
        "concurrency_group": "release-set/pypi-b-c", "concurrency": 1,
    }  # fmt: skip


def test_a_run_without_jobs_says_so() -> None:
    assert steps() == [
        {"label": "Nothing to release", "command": "echo 'the index has the version of each member'"}
    ]  # fmt: skip

"""The jobs of a set's workflows wait for each other as the levels do, and only those that upload have an identity."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from release.core.errors import RefusedError, UsageError
from release.publishing.ci import SET_SERVICES, buildkite_set, github_set, gitlab_set
from release.publishing.ci.pipeline import CIBUILDWHEEL
from release.publishing.ci.set_pipeline import (
    COMPARE_FILES,
    SetPipeline,
    load_set_plan,
    make_set_pipeline,
    require_fitting_plan,
)
from tests.publishing.ci.set_texts import CASES, PLANS, run_text, set_pipeline, set_texts
from tests.publishing.ci.workflow_files import jobs, parsed
from tests.publishing.sets.made_sets import DIAMOND, document, pipeline, release_set

EACH = pytest.mark.parametrize("made", CASES.values(), ids=CASES)


def test_the_documentation_of_sets_has_a_command_for_each_service() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sets.md").read_text(encoding="utf-8")
    assert re.findall(r"^pypi-preflight ci (\w+) --set", text, re.MULTILINE) == list(SET_SERVICES)


def test_the_steps_of_buildkite_are_of_its_schema() -> None:
    vendored = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "buildkite.json"
    schema = json.loads(vendored.read_text(encoding="utf-8"))
    for name, text in set_texts("buildkite").items():
        jsonschema.validate(json.loads(text) if name.endswith(".json") else parsed(text), schema)


@EACH
def test_the_jobs_wait_for_the_gate_and_for_all_levels_before_and_only_uploads_have_an_identity(
    made: SetPipeline,
) -> None:
    text = github_set.render_set(made)
    workflow = parsed(text)
    there = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert workflow["concurrency"] == {"group": "release-set", "cancel-in-progress": False}
    uploads = [name for name in there if re.fullmatch(r"(testpypi|pypi)_\d+", name)]
    assert uploads == [f"{index}_{level}" for index in made.indexes for level in range(1, made.levels + 1)]
    before = ["plan", "gate", *(["prove"] if made.proves else [])]
    for name in uploads:
        assert there[name]["needs"] == before
        assert "!failure() && !cancelled() && needs.gate.result == 'success'" in there[name]["if"]
        assert there[name]["strategy"]["fail-fast"] is False
        before = [*before, name]
    building = [name for name in there if name.startswith(("build_", "wheels_"))]
    assert there["gate"]["needs"] == ["plan", *building]
    assert len(building) == 2 * made.builds
    for name, job in there.items():
        identified = name in {*uploads, "prove"}
        rights = {} if name.startswith("wheels") else {"contents": "read"}
        assert job["permissions"] == rights | ({"id-token": "write"} if identified else {})
        assert ("environment" in job) == identified
        if identified:
            index = "${{ matrix.index }}" if name == "prove" else name.partition("_")[0]
            assert job["environment"] == f"{index}-${{{{ matrix.member }}}}"
            assert not any("build" in step.get("run", "") for step in job["steps"])
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    for line in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)


def outputs(text: str) -> dict[str, Any]:
    return {name: json.loads(value) for name, _, value in (line.partition("=") for line in text.splitlines())}


def test_the_outputs_of_a_run_are_the_matrices_of_its_jobs() -> None:
    found = outputs(run_text("github", "diamond"))
    assert list(found) == ["build_1", "wheels_1", "build_2", "wheels_2", "level_1", "level_2", "level_3", "prove"]
    declared = parsed(github_set.render_set(set_pipeline(builds=2)))["jobs"]["plan"]["outputs"]
    assert list(declared) == list(found)
    assert found["level_2"] == [{"member": "b"}, {"member": "c"}]
    assert found["build_1"][0] == {"member": "a", "directory": "packages/a", "binary": False, "siblings": ""}
    assert found["wheels_1"] == found["build_2"] == []
    assert found["prove"] == []  # the projects are new, and an exchange would create them


def test_the_publisher_of_each_project_that_exists_is_proven_before_the_first_upload() -> None:
    plan: dict[str, Any] = json.loads(json.dumps(PLANS["diamond"]))
    plan["members"][0]["creates"] = ["testpypi"]
    plan["members"][1]["creates"] = []
    found = outputs(github_set.render_set_run(plan, pipeline(), levels=3, builds=1))
    assert [(one["index"], one["member"]) for one in found["prove"]] == [
        ("testpypi", "b"),
        ("pypi", "a"),
        ("pypi", "b"),
    ]


def test_binary_wheels_are_built_on_each_machine_and_see_the_siblings_that_their_build_needs() -> None:
    found = outputs(run_text("github", "binary"))
    machines = {one["machine"] for one in found["wheels_1"]}
    assert {name.split("-")[0] for name in machines} == {"ubuntu", "windows", "macos"}
    assert {(one["member"], one["siblings"]) for one in found["wheels_2"]} == {("b", "siblings/a")}
    job = jobs(github_set.render_set(CASES["built-in-order"]))["wheels_2"]
    assert any(CIBUILDWHEEL in step.get("run", "") for step in job["steps"])
    assert job["permissions"] == {}


def test_nothing_to_release_is_an_empty_matrix_for_each_job_and_each_job_asks_for_that() -> None:
    assert set(map(str, outputs(run_text("github", "nothing")).values())) == {"[]"}
    for name, job in jobs(github_set.render_set(CASES["built-in-order"])).items():
        if name != "plan":
            assert "!= '[]'" in job["if"]


def test_a_plan_with_more_levels_than_the_workflow_is_refused_with_the_command_that_writes_it_again() -> None:
    require_fitting_plan(PLANS["diamond"], levels=3, builds=1, regenerate="x")
    with pytest.raises(RefusedError, match="has 3 levels, and the workflow has jobs for 2") as caught:
        require_fitting_plan(PLANS["diamond"], levels=2, builds=1, regenerate="pypi-preflight ci github --set")
    assert caught.value.remedy.endswith("pypi-preflight ci github --set")
    with pytest.raises(RefusedError, match="has 2 levels of builds, and the workflow has jobs for 1"):
        require_fitting_plan(PLANS["binary"], levels=9, builds=1, regenerate="x")


def test_more_jobs_than_a_matrix_may_have_are_refused() -> None:
    names = {f"m{number}": () for number in range(43)}
    plan = document(release_set(names), binary=names)
    with pytest.raises(RefusedError, match="wheels_1 has 258 jobs, and the service allows 256"):
        github_set.render_set_run(plan, pipeline(), levels=1, builds=1)


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 2, "jobs": []}', "not json"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_set_plan(tmp_path / "plan.json")
    assert "pypi-preflight set plan --json" in caught.value.remedy


def test_the_workflow_has_jobs_for_a_release_of_all_members() -> None:
    """Some of them are released already when it is written."""
    some = release_set(DIAMOND, build={"d": ("a",)}, states={"b": "released", "c": "unchanged"})
    made = make_set_pipeline(
        pipeline(proof="0 0 * * 1"),
        some,
        {name: pipeline(name=name, tag_format="{name}-v{version}") for name in DIAMOND},
    )
    assert (made.levels, made.builds, made.proves) == (3, 2, True)
    assert made.around_version[0] == ("a-v", "")
    assert parsed(github_set.render_set(made))["on"]["push"]["tags"] == [f"{name}-v*" for name in DIAMOND]


def stage_jobs(text: str) -> Iterator[tuple[str, Any]]:
    document = parsed(text)
    for stage in document["stages"]:
        yield from (
            (name, one) for name, one in document.items() if isinstance(one, dict) and one.get("stage") == stage
        )


def test_the_child_pipeline_builds_in_order_then_judges_then_uploads_level_by_level() -> None:
    text = run_text("gitlab", "diamond")
    assert parsed(text)["stages"] == [
        "build-1", "gate", "testpypi-1", "testpypi-2", "testpypi-3", "pypi-1", "pypi-2", "pypi-3",
    ]  # fmt: skip
    assert parsed(run_text("gitlab", "binary"))["stages"][:5] == ["build-1", "wheels-1", "build-2", "wheels-2", "gate"]
    there = dict(stage_jobs(text))
    assert {job["environment"] for job in there.values() if "environment" in job} == {
        f"{index}-{name}" for index in ("testpypi", "pypi") for name in DIAMOND
    }
    for name, job in there.items():
        uploads = name.startswith("upload-")
        assert ("environment" in job) == ("resource_group" in job) == uploads
        if uploads:
            assert job["script"][:2] == [*COMPARE_FILES]
            assert job["variables"] == {"GIT_STRATEGY": "none"}
    assert dict(stage_jobs(run_text("gitlab", "nothing")))["nothing"]["script"]


def test_the_parent_pipeline_generates_its_child_and_names_no_secret() -> None:
    document = parsed(gitlab_set.render_set(CASES["part"]))
    assert document["set"]["trigger"] == {
        "include": [{"artifact": "libs/a b/set-pipeline.yml", "job": "plan"}], "strategy": "depend",
    }  # fmt: skip
    assert document["set"]["resource_group"] == "release-set"
    assert {"if": r"$CI_COMMIT_TAG =~ /^b\-c\-v.+$/"} in document[".release"]["rules"]
    assert "--requirements 'tools.txt'" in document["plan"]["script"][-1]


def test_each_step_of_a_build_depends_on_what_it_needs_and_has_the_token_of_its_member_alone() -> None:
    found = json.loads(run_text("buildkite", "binary"))["steps"]
    there = {step["key"]: step for step in found}
    assert len(there) == len(found)
    for step in found:
        assert set(step["depends_on"]) <= there.keys()
    assert {f"wheels-a-{platform}" for platform in ("linux-x86_64", "win-arm64")} < set(there["build-b"]["depends_on"])
    upload = there["upload-pypi-b"]
    assert upload["secrets"] == {"TWINE_PASSWORD": "PYPI_TOKEN_B"}
    assert upload["concurrency_group"] == "release-set/pypi-b"
    assert [key for key, step in there.items() if "secrets" in step] == [
        key for key in there if key.startswith("upload")
    ]
    assert "TOKEN" not in " ".join(upload["commands"])
    assert buildkite_set.secret_name("pypi", "b-c") in buildkite_set.render_set(CASES["usual"])
    assert "--no-interpolation" in buildkite_set.render_set(CASES["usual"])

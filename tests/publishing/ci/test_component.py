"""The GitLab component: of GitLab's schema, with the inputs of the action, and no secret in its text."""

from __future__ import annotations

import tomllib

import pytest
from msgspec.structs import fields

from release.publishing.ci.gitlab import IMAGE
from release.publishing.ci.job_inputs import COMMANDS, JobInputs
from tests.publishing.ci.component import COMPONENT, included, split
from tests.publishing.ci.workflow_files import parsed, schema_errors

INPUTS = parsed(split()[0])["spec"]["inputs"]
#: those that only a component has: a job of its own
OF_THE_JOB = {"job-name", "stage", "environment", "rules", "image", "version"}


def test_the_header_and_the_jobs_are_of_the_schema() -> None:
    assert schema_errors("gitlab-ci", parsed(split()[0])) == []
    assert schema_errors("gitlab-ci", included({})) == []
    assert schema_errors("gitlab-ci", included({}) | {"other": {"script": {"a": "b"}}})


def test_its_inputs_are_those_of_the_program_and_none_is_mandatory() -> None:
    ours = {field.name.replace("_", "-"): field.default for field in fields(JobInputs)}
    assert INPUTS.keys() == ours.keys() | OF_THE_JOB | {"user", "password"}
    assert {name: INPUTS[name]["default"] for name in ours} == ours
    assert set(INPUTS["command"]["options"]) == set(COMMANDS)
    (job,) = included({}).values()
    passed = {name for name in job["variables"] if name.startswith("INPUT_")}
    assert passed == {f"INPUT_{name.replace('-', '_').upper()}" for name in (*ours, "user", "password")}


def test_it_installs_this_version_in_the_image_of_the_generated_pipelines() -> None:
    pyproject = tomllib.loads((COMPONENT.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert INPUTS["version"]["default"] == pyproject["project"]["version"]
    assert INPUTS["image"]["default"] == IMAGE


@pytest.mark.parametrize("password", ["pypi-AgE", "hunter2", "$A and more", "$A$B"])
def test_a_password_is_the_name_of_a_variable(password: str) -> None:
    with pytest.raises(AssertionError, match="password"):
        included({"password": password})
    assert included({"password": "$PYPI_TOKEN"})["publish"]["variables"]["INPUT_PASSWORD"] == "$PYPI_TOKEN"


def test_a_job_has_an_identity_for_each_index_and_one_more_for_the_proof() -> None:
    (job,) = included({}).values()
    audiences = {name: one["aud"] for name, one in job["id_tokens"].items()}
    assert audiences == {
        "PYPI_ID_TOKEN": "pypi", "TESTPYPI_ID_TOKEN": "testpypi", "SIGSTORE_ID_TOKEN": "sigstore",
        "PROOF_PYPI_ID_TOKEN": "pypi", "PROOF_TESTPYPI_ID_TOKEN": "testpypi",
    }  # fmt: skip

"""What a job's variables show of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.adapters.oidc.job_variables import collect_job_variables
from release.core.models.ci_job import JobVariables

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/widget", "GITHUB_EVENT_NAME": "push",
    "GITHUB_WORKFLOW_REF": "acme/widget/.github/workflows/release.yml@refs/tags/v1", "CI_PROJECT_PATH": "other",
}  # fmt: skip


def test_each_service_has_variables_of_its_own() -> None:
    found = collect_job_variables(GITHUB, "GitHub")
    assert (found.server, found.repository, found.event) == ("https://github.example", "acme/widget", "push")
    assert found.workflow_ref.endswith("release.yml@refs/tags/v1")
    assert collect_job_variables(GITHUB, "GitLab") == JobVariables(repository="other")
    assert collect_job_variables(GITHUB, "CircleCI") == JobVariables()
    assert collect_job_variables({"GITHUB_REPOSITORY": ""}, "GitHub") == JobVariables()


def event(path: Path, data: Any) -> dict[str, str]:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return GITHUB | {"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_EVENT_PATH": str(path)}


def test_a_pull_request_has_two_repositories(tmp_path: Path) -> None:
    pull = {"head": {"repo": {"full_name": "fork/widget"}}, "base": {"repo": {"full_name": "acme/widget"}}}
    env = event(tmp_path / "event.json", {"pull_request": pull})
    found = collect_job_variables(env, "GitHub")
    assert (found.source_repository, found.target_repository) == ("fork/widget", "acme/widget")
    pushed = collect_job_variables(env | {"GITHUB_EVENT_NAME": "push"}, "GitHub")
    assert pushed.source_repository == ""


@pytest.mark.parametrize("data", ["", "{", {}, [], {"pull_request": {"head": {"repo": None}, "base": {}}}])
def test_an_event_that_cannot_be_read_leaves_them_open(tmp_path: Path, data: Any) -> None:
    found = collect_job_variables(event(tmp_path / "event.json", data), "GitHub")
    assert (found.source_repository, found.target_repository, found.repository) == ("", "", "acme/widget")
    absent = GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "absent")}
    assert collect_job_variables(absent, "GitHub").source_repository == ""

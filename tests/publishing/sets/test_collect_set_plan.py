"""From a repository to its plan, and from the plan to what a run of each workflow reads."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from release.cli.main import main
from tests.publishing.ci.workflow_files import parsed
from tests.publishing.sets.made_sets import SCHEMA
from tests.stories.project import UserProject
from tests.stories.workspace import DIAMOND, Project, workspace


def run(project: UserProject, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["--directory", str(project.root), *words])
    shown = capsys.readouterr()
    return status, shown.out or shown.err


def test_the_plan_of_a_repository_fits_the_workflow_of_the_same_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKFLOW_REF", "acme/set/.github/workflows/all.yml@refs/heads/main")
    project = workspace(tmp_path, DIAMOND, None)
    status, text = run(project, capsys, "set", "plan", "--offline", "--json")
    assert status == 0
    jsonschema.validate(json.loads(text), SCHEMA)
    plan = tmp_path / "set-plan.json"
    plan.write_text(text)
    workflow = parsed(run(project, capsys, "ci", "github", "--set")[1])
    (step,) = [one["run"] for one in workflow["jobs"]["plan"]["steps"] if "--from" in one.get("run", "")]
    limits = step.partition("--from set-plan.json ")[2].partition(" |")[0].split()
    assert limits == ["--levels", "4", "--builds", "1"]
    status, outputs = run(project, capsys, "ci", "github", "--set", "--from", str(plan), *limits)
    assert status == 0
    assert [line.partition("=")[0] for line in outputs.splitlines()] == list(workflow["jobs"]["plan"]["outputs"])
    status, refused = run(
        project, capsys, "ci", "github", "--set", "--from", str(plan), "--levels", "3", "--builds", "1"
    )
    assert status == 1
    again = f"pypi-preflight ci github --directory {project.root} --set --force --output .github/workflows/all.yml"
    assert again in refused
    for service in ("gitlab", "buildkite"):
        status, text = run(project, capsys, "ci", service, "--set", "--from", str(plan))
        assert status == 0
        assert (
            "pypi-preflight set release --files dist --only acme-extra --index pypi --dry-run-on testpypi --yes" in text
        )


def test_a_set_that_would_be_refused_has_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is one printed where the members need each other."""
    members = [Project(name="acme-a", version="1.9"), Project(name="acme-b", requires=["acme-a>=2"])]
    project = workspace(tmp_path, members, None)
    status, text = run(project, capsys, "set", "plan", "--offline")
    assert status == 1
    assert "acme-a>=2" in text
    (tmp_path / "circle").mkdir()
    members = [Project(name="acme-a", requires=["acme-b"]), Project(name="acme-b", requires=["acme-a"])]
    project = workspace(tmp_path / "circle", members, None)
    assert run(project, capsys, "set", "plan", "--offline")[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ci", "buildkite"), "pypi-preflight ci buildkite --directory {} --set"),
        (("ci", "github", "--from", "plan.json"), "pass --set, too"),
        (("ci", "github", "--set", "--pure"), "[tool.cibuildwheel]"),
        (("ci", "github", "--set", "--from", "none.json"), "pypi-preflight set plan --directory {} --json > none.json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    project = UserProject(root=tmp_path, home=tmp_path)
    status, text = run(project, capsys, *words)
    assert status == 2
    assert said.format(tmp_path) in text

"""The action of this repository, run here step by step, with the inputs that users of the publishing action know."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.sandbox.publishers import CiJob
from tests.publishing.ci.action_runner import ActionRun
from tests.publishing.ci.component import included
from tests.publishing.ci.pipeline_runner import PipelineRun
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import Indexes, UserProject, files_on, indexes, make, posts, release_table
from tests.stories.test_trusted_publishing import WORLD, exchanges

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps run here as on Linux")


@contextmanager
def job(tmp_path: Path, **worlds: object) -> Iterator[tuple[Indexes, UserProject]]:
    """A job that has downloaded the files into `dist`, and not much else."""
    with indexes(**worlds) as on:  # type: ignore[arg-type]
        project = make(tmp_path, more=release_table(on), tiny=True)
        (project.root / "dist").mkdir()
        for name, content in ((wheel_name(), wheel()), (sdist_name(), sdist())):
            (project.root / "dist" / name).write_bytes(content)
        (tmp_path / "runner").mkdir()
        yield on, project


def use(project: UserProject, *, installs: bool = False, **given: str) -> ActionRun:
    """Use the action in a step; underscores in the names of inputs stand for hyphens."""
    inputs = {name.replace("_", "-"): value for name, value in given.items()}
    env = {**project.environment(), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    run = ActionRun(workspace=project.root, runner=project.root.parent / "runner", env=env, installs=installs)
    return run.run(inputs)


@pytest.mark.slow
def test_trusted_publishing_needs_no_input_and_nothing_of_the_project_runs(tmp_path: Path) -> None:
    with job(tmp_path, real=WORLD) as (on, project):
        project.env = {**on.pypi.ambient, "PYTHONPATH": str(project.root)}
        for name in ("release.py", "packaging.py", "sitecustomize.py"):
            project.write(name, "raise SystemExit('the code of the project ran')\n")
        run = use(project)
        assert run.status == 0, run.log
        assert len(files_on(on.pypi)) == 2
        assert exchanges(on.pypi) == [200, 200]
    assert run.outputs == {
        "verdict": "done", "cause": "", "record": str(project.root / ".release" / "1.0" / "record.json"),
    }  # fmt: skip
    assert Path(run.outputs["record"]).is_file()
    assert "acme-widget 1.0" in run.summary


@pytest.mark.slow
def test_a_token_and_an_address_move_over_and_a_second_run_sends_nothing(tmp_path: Path) -> None:
    """The address is in no configuration, and so is the name of the index; the token is nowhere to be read."""
    with job(tmp_path) as (on, project):
        project.write("pyproject.toml", "[build-system]\nrequires = []\n")
        token = on.pypi.tokens["account"].reveal()
        given = {"password": token, "repository_url": on.pypi.upload_url, "skip_existing": "true"}
        given |= {"print_hash": "true", "attestations": "false", "verify_metadata": "false", "dry_run_on": "sandbox"}
        run = use(project, **given)
        assert run.status == 0, run.log
        sent = len(posts(on.pypi))
        del given["dry_run_on"]
        assert sent == len(files_on(on.pypi)) == 2
        again = use(project, **given)
        assert (again.status, len(posts(on.pypi))) == (0, sent), again.log
    host = on.pypi.upload_url.split("/")[2]
    assert f"is on {host}, confirmed" in run.log
    assert "the same 2 files passed on sandbox" in run.log
    assert "skip-existing: files that the index has already are always skipped" in run.log
    assert "verify-metadata: the files are always checked" in run.log
    for name in (wheel_name(), sdist_name()):
        data = (project.root / "dist" / name).read_bytes()
        assert f"{name}\n  SHA256: {hashlib.sha256(data).hexdigest()}\n  MD5: " in run.log
        assert f"  BLAKE2-256: {hashlib.blake2b(data, digest_size=32).hexdigest()}\n" in run.log
    texts = [run.log, run.summary, *run.outputs.values()]
    texts += [one.read_bytes().decode("latin-1") for one in tmp_path.rglob("*") if one.is_file()]
    assert not any(token[-40:] in text for text in texts)
    assert (project.root / "pyproject.toml").read_text() == "[build-system]\nrequires = []\n"


def test_a_red_run_names_its_verdict_and_cause(tmp_path: Path) -> None:
    with job(tmp_path, real=replace(WORLD, job=CiJob(workflow="publish.yml"))) as (on, project):
        project.env = on.pypi.ambient
        red = use(project)
        assert posts(on.pypi) == []
    assert (red.status, red.outputs["verdict"], red.outputs["cause"]) == (1, "refused", "tp.invalid-publisher")
    assert Path(red.outputs["record"]).is_file()
    assert "workflow publish.yml" in red.summary


@pytest.mark.slow
def test_a_step_that_did_not_begin_has_a_verdict_too(tmp_path: Path) -> None:
    with job(tmp_path) as (_, project):
        early = use(project, packages_dir="wheelhouse")
        wrong = use(project, command="upload", password="hunter2", print_hash="true")
    assert (early.status, early.outputs) == (2, {"verdict": "usage", "cause": "", "record": ""}), early.log
    assert "'wheelhouse' does not exist" in early.log
    assert "### pypi-preflight publish: usage" in early.summary
    assert (wrong.status, wrong.outputs["verdict"]) == (2, "usage")
    assert "command is 'upload'" in wrong.log
    assert "hunter2" not in wrong.log


@pytest.mark.slow
def test_verify_proves_the_publisher_of_the_job_or_the_token(tmp_path: Path) -> None:
    with job(tmp_path, real=WORLD) as (on, project):
        with_token = use(project, command="verify", password=on.pypi.tokens["account"].reveal())
        project.env = on.pypi.ambient
        proven = use(project, command="verify")
        assert exchanges(on.pypi) == [200]
        assert posts(on.pypi) == []
    assert (with_token.status, with_token.outputs["verdict"]) == (0, "done"), with_token.log
    assert (proven.status, proven.outputs["verdict"]) == (0, "done"), proven.log


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_action_installs_itself_by_hash_and_inspects(tmp_path: Path) -> None:
    """On a runner with the Python of the action: the hashes are those of its wheels."""
    with job(tmp_path) as (_, project):
        project.env = {"PIP_NO_COMPILE": "1"}
        run = use(project, installs=True, command="inspect")
        assert (run.status, run.outputs["verdict"]) == (0, "done"), run.log
        began = use(project, installs=True, command="inspect")
        assert began.status == 0, "an earlier step of the job has installed it"


@pytest.mark.slow
def test_the_component_publishes_on_gitlab_and_says_why_it_did_not(tmp_path: Path) -> None:
    """The files are artifacts of a job before it; the token is a CI/CD variable of the environment."""
    with job(tmp_path) as (on, project):
        project.commit()
        jobs = included({"password": "$UPLOAD_TOKEN", "print-hash": True})
        build = {"stage": "build", "script": ["true"], "artifacts": {"paths": ["dist/"]}}
        text = json.dumps({"stages": ["build", "deploy"], "variables": {}, "build": build, **jobs})
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"

        def run(work: str, token: str) -> PipelineRun:
            one = PipelineRun(
                text=text, repository=project.root, work=tmp_path / work, env=project.environment() | {"PATH": path},
                scoped=lambda environment: {"UPLOAD_TOKEN": token} if environment == "pypi" else {},
                predefined={"CI_COMMIT_TAG": "v1.0"},
            )  # fmt: skip
            one.run()
            return one

        red = run("red", "pypi-short")
        assert list(red.failures) == ["publish"]
        assert posts(on.pypi) == []
        assert red.dotenv["PREFLIGHT_VERDICT"] == "refused"
        assert red.dotenv["PREFLIGHT_CAUSE"].startswith("cred.")
        green = run("green", on.pypi.tokens["account"].reveal())
        assert green.failures == {}, green.failures["publish"]
        assert len(files_on(on.pypi)) == 2
    assert green.dotenv["PREFLIGHT_VERDICT"] == "done"
    (record,) = (tmp_path / "green" / "artifacts").rglob("record.json")
    assert json.loads(record.read_text(encoding="utf-8"))["version"] == "1.0"

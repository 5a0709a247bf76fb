"""A workflow's own commands, run here as its service would, job after job."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.publishing.ci.workflow_files import parsed
from tests.stories.project import UserProject, files_on, indexes, make, posts, release_table

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the jobs that run commands run on Linux")


def run_job(project: UserProject, job: dict[str, Any], *, env: dict[str, str], files: Path) -> str:
    """Run the commands of a job in the order of its steps; returns what they wrote to GITHUB_OUTPUT.

    Installing is left out: it is there. What is checked out and downloaded is put where the job expects it.
    """
    shutil.rmtree(project.root / "dist", ignore_errors=True)
    output = project.home / "output"
    output.write_text("")
    before = dict(project.env)
    project.env |= env | {"GITHUB_OUTPUT": str(output), "PATH": f"{Path(sys.executable).parent}:{before['PATH']}"}
    for step in job["steps"]:
        if "download-artifact" in step.get("uses", ""):
            shutil.copytree(files, project.root / "dist")
        if "run" in step and "pip install" not in step["run"]:
            done = project.command("bash", "-e", "-o", "pipefail", "-c", step["run"])
            if done.status:
                raise subprocess.CalledProcessError(done.status, step["run"], done.out, done.err)
    project.env = before
    return output.read_text()


def test_the_workflow_releases_what_it_built_and_stops_at_bytes_that_are_others(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.env["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        project.write(".gitignore", "dist/\n")
        project.commit()
        project.git("tag", "v1.0")
        project.git("checkout", "-q", "v1.0")
        jobs = parsed(project.run("ci", "github").out)["jobs"]

        written = run_job(project, jobs["build"], env={}, files=tmp_path)
        sums = written.removeprefix("sums<<END_OF_SUMS\n").removesuffix("\nEND_OF_SUMS\n")
        built = tmp_path / "artifact"
        shutil.copytree(project.root / "dist", built)
        assert len(sums.splitlines()) == len(list(built.iterdir())) == 2
        shutil.rmtree(project.root / ".release")  # another machine has no journal

        project.credentials(on)
        for name in ("testpypi", "pypi"):
            run_job(project, jobs[name], env={"SUMS": sums}, files=built)
        assert files_on(on.pypi) == files_on(on.testpypi)
        assert {f"{sha}  {name}" for name, sha in files_on(on.pypi).items()} == set(sums.splitlines())

        sent = len(posts(on.pypi))
        with next(built.glob("*.whl")).open("ab") as wheel:
            wheel.write(b"\0")
        with pytest.raises(subprocess.CalledProcessError, match="sha256sum"):
            run_job(project, jobs["pypi"], env={"SUMS": sums}, files=built)
        assert len(posts(on.pypi)) == sent


def test_a_file_of_somebody_is_not_replaced_unasked(tmp_path: Path) -> None:
    project = make(tmp_path)
    assert project.run("ci", "gitlab", "--output", "ci.yml").out == "written: ci.yml\n"
    assert project.run("ci", "gitlab", "--output", "ci.yml").out == "unchanged: ci.yml\n"
    project.write("ci.yml", "mine: 1\n")
    refused = project.run("ci", "gitlab", "--output", "ci.yml")
    assert refused.status == 1
    assert "'ci.yml' exists with other contents" in refused.err
    assert "--force" in refused.err
    assert project.run("ci", "gitlab", "--output", "ci.yml", "--force", "--json").data["changed"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ci", "github", "--requirements", "none.txt"), "no file 'none.txt'"),
        (("ci", "github", "--binary", "--pure"), "not allowed with"),
        (("ci", "bitbucket"), "choose from github, gitlab"),
    ],
)
def test_what_can_not_be_written_is_refused_with_the_reason(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    told = make(tmp_path).run(*words)
    assert told.status == 2
    assert said in told.err


def test_a_project_in_a_part_of_a_repository_is_built_there(tmp_path: Path) -> None:
    project = make(tmp_path)
    project.write("part/pyproject.toml", '[project]\nname = "part"\n[tool.release]\ntag-format = "{name}-{version}"\n')
    project.commit()
    there = parsed(project.run("ci", "github", "--directory", "part").out)
    assert there["defaults"]["run"]["working-directory"] == "part"
    assert there["on"]["push"]["tags"] == ["part-*"]

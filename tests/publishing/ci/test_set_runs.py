"""The jobs of a set's workflows, run here with a program that only notes what it is asked to do.

tests/stories/test_set_in_ci.py runs them with the real one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from release.publishing.ci import github_set, gitlab_set
from tests.publishing.ci.pipeline_runner import PipelineRun
from tests.publishing.ci.set_texts import ROOT, set_pipeline
from tests.publishing.ci.workflow_files import parsed
from tests.publishing.ci.workflow_runner import WorkflowRun
from tests.publishing.sets.made_sets import DIAMOND, document, release_set

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the jobs that run commands run on Linux")

#: notes its arguments, with the identity or token of the job; what it builds is one file
PROGRAM = """#!/bin/bash
echo "${IDENTITY:+[$IDENTITY] }$*" >> "$LOG"
case "$*" in
  "set plan"*) cat "$PLAN" ;;
  "ci "*) if [ -e "$RUN" ]; then cat "$RUN"; else exec "$PYTHON" -m release "$@"; fi ;;
  *" build --output "*) mkdir -p "$5" && echo "$2" > "$5/built.whl" ;;
  *" verify "*) [ ! -e "$RED.$IDENTITY" ] ;;
  "set rehearse"*) [ ! -e "$RED" ] ;;
esac
"""
#: builds sdists and wheels, and notes where it finds siblings
PYTHON = """#!/bin/bash
test "$1" = -P && shift
echo "python $2 ${PIP_FIND_LINKS:+with }$(basename -a $PIP_FIND_LINKS 2> /dev/null)" >> "$LOG"
case "$2" in
  build) mkdir -p "$5" && touch "$5/a-1.tar.gz" ;;
  cibuildwheel) test -f "$5" && mkdir -p "$4" && touch "$4/$(basename "$PWD").whl" ;;
esac
"""


def note_identity(environment: str) -> Mapping[str, str]:
    return {"IDENTITY": environment} if environment else {}


@dataclass(kw_only=True)
class World:
    """A repository, and the programs that its jobs run."""

    directory: Path
    plan: Mapping[str, Any]

    def __post_init__(self) -> None:
        (self.directory / "bin").mkdir()
        for name, text in (("pypi-preflight", PROGRAM), ("python", PYTHON)):
            (self.directory / "bin" / name).write_text(text)
            (self.directory / "bin" / name).chmod(0o755)
        (self.directory / "plan.json").write_text(json.dumps(self.plan))
        self.repository.mkdir()
        (self.repository / "pyproject.toml").write_text("[tool.release]\n")
        for one in self.plan["members"]:
            (self.repository / one["directory"]).mkdir(parents=True)
            (self.repository / one["directory"] / "pyproject.toml").write_text("")
            (self.repository / one["directory"] / "code.py").write_text("")
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all of it"]):
            subprocess.run([*git, *words], cwd=self.repository, check=True)

    @property
    def repository(self) -> Path:
        return self.directory / "repository"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "CI", "PIP_"))}
        return kept | {
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}", "PLAN": str(self.directory / "plan.json"),
            "LOG": str(self.directory / "log"), "RED": str(self.directory / "red"), "PYTHON": sys.executable,
            "RUN": str(self.directory / "run"),
        }  # fmt: skip

    @property
    def log(self) -> list[str]:
        return (self.directory / "log").read_text().splitlines()

    def on_github(
        self, *, levels: int = 3, builds: int = 1, identify: Callable[[str], Mapping[str, str]] = note_identity
    ) -> WorkflowRun:
        """Where the plan does not fit, the program itself is asked."""
        if levels >= len(self.plan["levels"]):
            (self.directory / "run").write_text(
                github_set.render_set_run(self.plan, ROOT, levels=levels, builds=builds), encoding="utf-8"
            )
        run = WorkflowRun(
            workflow=parsed(github_set.render_set(set_pipeline(levels=levels, builds=builds))),
            repository=self.repository, work=self.directory / "work", env=self.env, identify=identify,
        )  # fmt: skip
        run.run()
        return run

    def on_gitlab(self) -> PipelineRun:
        (self.directory / "run").write_text(
            gitlab_set.render_set_run(self.plan, ROOT, levels=0, builds=0), encoding="utf-8"
        )
        run = PipelineRun(
            text=gitlab_set.render_set(set_pipeline()), repository=self.repository, work=self.directory / "work",
            env=self.env, scoped=note_identity,
            predefined={"CI_COMMIT_TAG": "b-c-v1.0"},
        )  # fmt: skip
        run.run()
        return run


@pytest.fixture
def diamond(tmp_path: Path) -> World:
    return World(directory=tmp_path, plan=document(release_set(DIAMOND)))


@pytest.fixture
def chain(tmp_path: Path) -> World:
    return World(directory=tmp_path, plan=document(release_set({"b": ("a",), "a": ()})))


UPLOADS = ["testpypi a", "testpypi b", "pypi a", "pypi b"]


def uploads(log: list[str]) -> list[str]:
    """Index and member of each upload; the identity of each is of that index and member."""
    found = []
    for line in log:
        if "set release" in line:
            identity, *words = line.split()
            index, member = words[words.index("--index") + 1], words[words.index("--only") + 1]
            assert identity == f"[{index}-{member}]"
            assert words[:4] == ["set", "release", "--files", "dist"]
            found.append(f"{index} {member}")
        else:
            assert line[0] != "[" or " verify " in line
    return found


def test_github_runs_the_whole_set_with_an_identity_for_uploads_alone(diamond: World) -> None:
    run = diamond.on_github()
    assert run.failures == {}
    assert uploads(diamond.log) == [
        f"{index} {name}" for index in ("testpypi", "pypi") for name in ("a", "e", "b", "c", "d")
    ]
    assert sum("build --output" in line for line in diamond.log) == 5
    assert run.results["wheels_1"] == run.results["prove"] == "skipped"
    machine = diamond.directory / "work" / "machines" / "pypi_1-a"
    assert not list(machine.rglob("code.py")), "the jobs that upload have no code of the project"
    assert sorted(one.parent.name for one in machine.rglob("*.whl")) == sorted(DIAMOND)


def test_a_red_gate_sends_nothing_on_github(chain: World) -> None:
    (chain.directory / "red").touch()
    run = chain.on_github()
    assert list(run.failures) == ["gate"]
    assert uploads(chain.log) == []
    assert {run.results[name] for name in run.results if name.startswith(("testpypi", "pypi"))} == {"skipped"}


def test_a_publisher_that_is_missing_on_the_last_index_stops_the_first_upload(tmp_path: Path) -> None:
    plan = document(release_set({"a": (), "b": ("a",)}))
    for member in plan["members"]:
        member["creates"] = []
    world = World(directory=tmp_path, plan=plan)
    (tmp_path / "red.pypi-b").touch()
    run = world.on_github(levels=2)
    assert list(run.failures) == ["prove pypi b"]
    assert run.results["gate"] == "success"
    assert uploads(world.log) == []
    assert sum(" verify --index " in line for line in world.log) == 4


def test_gitlab_runs_the_whole_set_in_a_child_pipeline(chain: World) -> None:
    run = chain.on_gitlab()
    assert run.failures == {}
    assert uploads(chain.log) == UPLOADS
    machine = chain.directory / "work" / "child" / "machines" / "upload-pypi-a"
    assert not list(machine.rglob("code.py"))


def test_a_red_gate_sends_nothing_on_gitlab(chain: World) -> None:
    (chain.directory / "red").touch()
    run = chain.on_gitlab()
    assert list(run.failures) == ["gate"]
    assert uploads(chain.log) == []


def test_a_plan_that_does_not_fit_the_workflow_stops_it_at_once(diamond: World) -> None:
    run = diamond.on_github(levels=2)
    assert list(run.failures) == ["plan"]
    assert "has 3 levels, and the workflow has jobs for 2" in run.failures["plan"]
    assert set(run.results.values()) == {"failure", "skipped"}


def test_fewer_levels_than_the_workflow_has_leave_jobs_out_and_binary_members_are_built_from_their_sdist(
    tmp_path: Path,
) -> None:
    made = release_set({"a": (), "b": ("a",)}, build={"b": ("a",)}, states={})
    world = World(directory=tmp_path, plan=document(made, binary=("a",)))
    run = world.on_github(levels=4, builds=2)
    assert run.failures == {}
    assert uploads(world.log) == ["testpypi a", "testpypi b", "pypi a", "pypi b"]
    assert run.results["testpypi_3"] == run.results["pypi_4"] == "skipped"
    assert sum(line.startswith("python cibuildwheel") for line in world.log) == 6
    assert "--directory packages/b build --output dist/b --siblings siblings" in world.log
    assert (tmp_path / "work/machines/build_2-b/siblings/a/a-1.tar.gz").is_file()


def test_files_that_changed_after_the_gate_are_not_uploaded(chain: World) -> None:
    """Between two runs of the jobs, as somebody with access to the artifacts could."""

    def identify(environment: str) -> Mapping[str, str]:
        if environment == "testpypi-b":
            (chain.directory / "work/artifacts/dist-b/b/built.whl").write_text("other")
        return {"IDENTITY": environment}

    run = chain.on_github(levels=2, identify=identify)
    assert list(run.failures) == ["testpypi_2 b"]
    assert "sha256sum" in run.failures["testpypi_2 b"]
    assert uploads(chain.log) == ["testpypi a"]

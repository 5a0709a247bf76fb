"""The generated workflows of a set, run here with the real program, against two indexes and their identity services."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.sandbox import server
from release.sandbox.publishers import CiJob
from release.sandbox.seed import SeedData
from tests.publishing.ci.pipeline_runner import PipelineRun
from tests.publishing.ci.workflow_files import parsed
from tests.publishing.ci.workflow_runner import WorkflowRun
from tests.sandbox.sandbox_client import github_publisher
from tests.stories.project import Indexes, UserProject, files_on, posts, release_table
from tests.stories.workspace import DIAMOND, Project, seed_for, workspace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the jobs that run commands run on Linux"),
]
NAMES = [one.name for one in DIAMOND]


#: each needs the one before to build, and when it is installed
CHAIN = (
    Project(name="acme-base"),
    Project(name="acme-tool", requires=["acme-base"], build_requires=["acme-base"], before_build="import acme_base\n"),
    Project(name="acme-user", build_requires=["acme-tool"], before_build="import acme_tool, acme_base\n"),
)


@contextmanager
def trusting(names: Sequence[str] = NAMES) -> Iterator[Indexes]:
    """TestPyPI and PyPI: each member's publisher is the workflow, in an environment of the member."""

    def seed(index: str) -> SeedData:
        publishers = [
            github_publisher(name, name, repository="acme/set", environment=f"{index}-{name}") for name in names
        ]
        return replace(seed_for(names, exist=True), publishers=tuple(publishers), audience=index)

    job = CiJob(repository="acme/set")
    with (
        server.start_sandbox(replace(seed("pypi"), job=job)) as pypi,
        server.start_sandbox(seed("testpypi"), identity_provider=pypi.identity_provider) as testpypi,
    ):
        yield Indexes(testpypi=testpypi, pypi=pypi)


@dataclass(kw_only=True)
class Service:
    """A CI service for the repository of a set."""

    on: Indexes
    project: UserProject
    work: Path

    @property
    def env(self) -> dict[str, str]:
        env = self.project.environment()
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        return {name: value for name, value in env.items() if name != "PYPI_PREFLIGHT_OFFLINE"} | {"PATH": path}

    def identify(self, environment: str) -> Mapping[str, str]:
        provider = self.on.pypi.identity_provider
        provider.job = replace(provider.job, environment=environment)
        found: dict[str, str] = self.on.pypi.ambient
        return found

    def run_on_github(self) -> WorkflowRun:
        run = WorkflowRun(
            workflow=parsed(self.project.run("ci", "github", "--set").out), repository=self.project.root,
            work=self.work, env=self.env, identify=self.identify,
        )  # fmt: skip
        run.run()
        return run

    def run_on_gitlab(self) -> PipelineRun:
        """Each environment has a variable with a token of its index."""

        def scoped(environment: str) -> Mapping[str, str]:
            index = getattr(self.on, environment.partition("-")[0], None)
            return {"TWINE_PASSWORD": index.tokens["account"].reveal()} if index else {}

        run = PipelineRun(
            text=self.project.run("ci", "gitlab", "--set").out, repository=self.project.root, work=self.work,
            env=self.env, scoped=scoped, predefined={"CI_PIPELINE_SOURCE": "web"},
        )  # fmt: skip
        run.run()
        return run


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with trusting() as on:
        members = [replace(one, more=release_table(on)) for one in DIAMOND]
        yield Service(on=on, project=workspace(tmp_path, members, on), work=tmp_path / "work")


def on_both(service: Service, name: str) -> tuple[dict[str, str], dict[str, str]]:
    return files_on(service.on.testpypi, name), files_on(service.on.pypi, name)


def break_one(service: Service) -> None:
    """A member whose module imports nothing that exists: it builds, and does not work."""
    service.project.write(f"packages/{NAMES[3]}/src/acme_app/__init__.py", "import acme_missing\n")
    service.project.commit()


def test_github_releases_five_members_by_trusted_publishing(service: Service) -> None:
    run = service.run_on_github()
    assert run.failures == {}, next(iter(run.failures.values()))
    for name in NAMES:
        testpypi, pypi = on_both(service, name)
        assert len(pypi) == 2
        assert testpypi == pypi
    uploads = [one for one in run.ran if one.startswith("pypi_")]
    assert uploads == ["pypi_1 acme-core", "pypi_2 acme-db", "pypi_2 acme-http", "pypi_3 acme-app", "pypi_4 acme-extra"]
    assert sum(one.startswith("prove ") for one in run.ran) == 10
    again = Service(on=service.on, project=service.project, work=service.work.with_name("again"))
    assert set(again.run_on_github().ran) == {"plan"}, "nothing is left to do"


def test_a_member_that_does_not_work_stops_the_whole_set_on_github(service: Service) -> None:
    break_one(service)
    run = service.run_on_github()
    assert list(run.failures) == ["gate"]
    assert "acme_missing" in run.failures["gate"]
    assert posts(service.on.testpypi) == posts(service.on.pypi) == []


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_members_that_require_each_other_to_build_are_built_one_after_the_other(tmp_path: Path, kind: str) -> None:
    with trusting([one.name for one in CHAIN]) as on:
        members = [replace(one, more=release_table(on)) for one in CHAIN]
        service = Service(on=on, project=workspace(tmp_path, members, on), work=tmp_path / "work")
        run = service.run_on_github() if kind == "github" else service.run_on_gitlab()
        assert run.failures == {}, next(iter(run.failures.values()))
        assert [len(files_on(on.pypi, one.name)) for one in CHAIN] == [2, 2, 2]


def test_gitlab_releases_five_members_with_a_token_of_each(service: Service) -> None:
    run = service.run_on_gitlab()
    assert run.failures == {}, next(iter(run.failures.values()))
    for name in NAMES:
        testpypi, pypi = on_both(service, name)
        assert len(pypi) == 2
        assert testpypi == pypi


def test_a_member_that_does_not_work_stops_the_whole_set_on_gitlab(service: Service) -> None:
    break_one(service)
    run = service.run_on_gitlab()
    assert list(run.failures) == ["gate"]
    assert posts(service.on.testpypi) == posts(service.on.pypi) == []

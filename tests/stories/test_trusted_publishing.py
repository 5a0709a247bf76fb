"""A release from CI without any token: the job's identity is exchanged at the upload, and a refusal is explained.

That every refusal is, holds tests/publishing/upload/test_trusted_publishing.py.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.sandbox import server
from release.sandbox.publishers import CiJob
from release.sandbox.seed import DEFAULT_USER, SeedData, SeedProject
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.sandbox.sandbox_client import github_publisher
from tests.stories.project import Indexes, Told, UserProject, files_on, indexes, make, posts, release_table

WORLD = SeedData(
    projects=(SeedProject(name="acme-widget", owners=(DEFAULT_USER,)),),
    publishers=(github_publisher("widget", "acme-widget", environment="pypi"),),
)
MINT = "/_/oidc/mint-token"


@contextmanager
def released(tmp_path: Path, world: SeedData = WORLD) -> Iterator[tuple[Indexes, UserProject]]:
    """A project in a job of CI; the files are built already, in `dist`."""
    with indexes(real=world) as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.env = on.pypi.ambient
        for name, content in ((wheel_name(), wheel()), (sdist_name(), sdist())):
            (project.root / "dist").mkdir(exist_ok=True)
            (project.root / "dist" / name).write_bytes(content)
        yield on, project


@contextmanager
def both() -> Iterator[Indexes]:
    """TestPyPI and PyPI, which trust one service, and each want an identity of their own."""
    with (
        server.start_sandbox(WORLD) as pypi,
        server.start_sandbox(replace(WORLD, audience="testpypi"), identity_provider=pypi.identity_provider) as testpypi,
    ):
        yield Indexes(testpypi=testpypi, pypi=pypi)


def publish(project: UserProject, *more: str) -> Told:
    return project.run("publish", "--yes", "--files", "dist", *more)


def exchanges(index: Any) -> list[int]:
    return [one.status for one in index.log if one.path == MINT]


def hidden(told: Told) -> list[str]:
    """What GitHub's runner is told to hide from then on."""
    lines = told.err.splitlines()
    return [line.removeprefix("::add-mask::") for line in lines if line.startswith("::add-mask::")]


def test_a_release_to_both_indexes_needs_no_token_and_leaves_none_anywhere(tmp_path: Path) -> None:
    """The canary: neither the tokens, nor their copies, nor the identities are in any output or file of the run."""
    with both() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.env = on.pypi.ambient
        project.commit()
        told = project.run("release", "--yes")
        assert told.status == 0, told.all
        for index in (on.testpypi, on.pypi):
            assert len(files_on(index)) == 2
            assert exchanges(index) == [200, 200]  # one proves the publisher before the build, one is for the upload
            assert index.history("acme-widget") == ["short-lived token created", "short-lived token revoked"] * 2
            assert {one.username for one in posts(index)} == {"widget"}
        request_token = on.pypi.ambient["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    assert "pypi: trusted publishing, GitHub, repository acme/widget, workflow release.yml, environment" in told.out
    masked = hidden(told)
    assert len(set(masked)) == 6  # of each index the two tokens, and the copy for this project
    shown = told.out + "\n".join(line for line in told.err.splitlines() if not line.startswith("::add-mask::"))
    needles = [*masked, request_token, "eyJhbGciOi"]
    needles += [base64.b64encode(f"__token__:{one}".encode()).decode() for one in masked]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for needle in needles:
        assert needle[-40:] not in shown
        assert not any(needle[-40:].encode() in content for content in files)


def test_a_job_without_publisher_is_refused_before_the_build(tmp_path: Path) -> None:
    world = replace(WORLD, job=CiJob(workflow="publish.yml"))
    with indexes(real=world, test=world) as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.env = on.pypi.ambient
        project.commit()
        verified = project.run("verify", "--exchange", "--json")
        checked = project.run("check", "--index", "pypi")
        told = project.run("publish", "--yes", "--dry-run-on", "none")
        assert posts(on.pypi) == []
        assert on.pypi.history("acme-widget") == []
    assert (verified.status, verified.data["cause"]) == (1, "tp.invalid-publisher")
    for one in (checked, told):
        assert one.status == 1, one.all
        assert "422 invalid-publisher: " in one.out
        assert ", tp.invalid-publisher]" in one.out
        assert "workflow publish.yml" in one.out
        assert "/settings/publishing/?provider=github&owner=acme&repository=widget" in one.out
        assert "build from a clean clone" not in one.out
        assert hidden(one) == []


def test_a_pending_publisher_of_another_name_is_told_when_the_first_file_comes(tmp_path: Path) -> None:
    world = SeedData(publishers=(github_publisher("p", pending="acme-wodget", user=DEFAULT_USER),))
    with released(tmp_path, world) as (_, project):
        told = publish(project, "--new-project", "acme-widget")
    assert told.status == 3, told.all
    assert "400 Non-user identities cannot create new projects" in told.out
    assert "/manage/account/publishing/" in told.out


def test_a_pending_publisher_makes_the_first_release_and_json_stays_json(tmp_path: Path) -> None:
    world = SeedData(publishers=(github_publisher("p", pending="acme-widget", user=DEFAULT_USER),))
    with released(tmp_path, world) as (on, project):
        stopped = publish(project)
        assert exchanges(on.pypi) == []
        told = publish(project, "--json", "--new-project", "acme-widget")
        assert told.status == told.data["exit"] == 0, told.all
        assert len(files_on(on.pypi)) == 2
        assert on.pypi.history("acme-widget") == ["short-lived token created", "short-lived token revoked"]
    assert stopped.status == 1
    assert "pass --new-project acme-widget" in stopped.out
    assert len(hidden(told)) == 2


def test_a_job_without_the_permission_is_stopped_at_the_checklist(tmp_path: Path) -> None:
    with released(tmp_path) as (on, project):
        project.env = {"GITHUB_ACTIONS": "true"}
        told = publish(project)
        assert exchanges(on.pypi) == []
    assert told.status == 1
    assert ", tp.id-token-permission]" in told.out


def test_verify_shows_the_claims_and_exchanges_only_where_it_is_told_to(tmp_path: Path) -> None:
    with released(tmp_path) as (on, project):
        told = project.run("verify")
        assert exchanges(on.pypi) == []
        data = project.run("verify", "--exchange", "--json").data
        assert exchanges(on.pypi) == [200]
        project.env |= {"TWINE_PASSWORD": ""}
        empty = project.run("verify", "--json").data
    assert told.status == 1, told.all
    assert "job_workflow_ref     acme/widget/.github/workflows/release.yml@refs/tags/v1.0" in told.out
    assert "verdict: unknown" in told.out
    assert "→ pypi-preflight verify --index pypi --exchange" in told.out
    assert (data["verdict"], data["confirmed"]) == ("healthy", True)
    assert (data["exchange"]["proven"], data["exchange"]["revoked"]) == (True, True)
    assert data["credential"]["origin"]["kind"] == "trusted-publishing"
    assert data["identity"]["publisher"] == {
        "owner": "acme", "repository": "widget", "workflow_filename": "release.yml", "environment": "pypi",
    }  # fmt: skip
    assert empty["cause"] == "cred.env-empty"

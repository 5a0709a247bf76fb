"""A release from CI without any token: the job's identity is exchanged at the upload, and a refusal is explained.

That every refusal is, holds tests/test_minting.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from release.sandbox import server
from release.sandbox.publishers import Job, github
from release.sandbox.world import REHEARSAL, Project, World
from tests.builders import sdist, sdist_name, wheel, wheel_name
from tests.sandbox.asking import Index
from tests.sandbox.test_oidc import GITLAB
from tests.stories.project import Indexes, Told, UserProject, files_on, indexes, make, posts, release_table

WORLD = World(
    projects=(Project(name="acme-widget", owners=(REHEARSAL,)),),
    publishers=(github("widget", "acme-widget", environment="pypi"),),
)
MINT = "/_/oidc/mint-token"


@contextmanager
def released(tmp_path: Path, world: World = WORLD) -> Iterator[tuple[Indexes, UserProject]]:
    """A project in a job of CI; the files are built already, in `dist`."""
    with indexes(real=world) as on:
        project = make(tmp_path, more=release_table(on))
        project.env = on.pypi.ambient
        for name, content in ((wheel_name(), wheel()), (sdist_name(), sdist())):
            (project.root / "dist").mkdir(exist_ok=True)
            (project.root / "dist" / name).write_bytes(content)
        yield on, project


def publish(project: UserProject, *more: str) -> Told:
    return project.run("publish", "--yes", "--files", "dist", *more)


def exchanges(index: Any) -> list[int]:
    return [one.status for one in index.log if one.path == MINT]


def hidden(told: Told) -> list[str]:
    """What GitHub's runner is told to hide from then on."""
    lines = told.err.splitlines()
    return [line.removeprefix("::add-mask::") for line in lines if line.startswith("::add-mask::")]


def test_a_release_needs_no_token_and_leaves_none_anywhere(tmp_path: Path) -> None:
    """The canary: neither the token, nor its copy, nor the identity is in any output or file of the whole run."""
    with released(tmp_path) as (on, project):
        project.commit()
        told = project.run("publish", "--yes")
        assert told.status == 0, told.all
        assert len(files_on(on.pypi)) == 2
        assert exchanges(on.pypi) == [200]
        assert {one.username for one in posts(on.pypi)} == {"widget"}
        request_token = on.pypi.ambient["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    assert (
        "pypi: trusted publishing, GitHub, repository acme/widget, workflow release.yml, environment pypi" in told.out
    )
    masked = hidden(told)
    assert len(masked) == 2
    shown = told.out + "\n".join(line for line in told.err.splitlines() if not line.startswith("::add-mask::"))
    needles = [*masked, request_token, "eyJhbGciOi"]
    needles += [base64.b64encode(f"__token__:{one}".encode()).decode() for one in masked]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for needle in needles:
        assert needle[-40:] not in shown
        assert not any(needle[-40:].encode() in content for content in files)


#: what is different in the world → the code, and the cause
CODES: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "environment": ({"job": Job(environment=None)}, "invalid-publisher", "tp.environment-mismatch"),
    "pending": (
        {"publishers": (github("p", pending="acme-widget", user=REHEARSAL),)},
        "invalid-pending-publisher",
        "tp.pending-exists",
    ),
}


@pytest.mark.parametrize("row", CODES)
def test_a_refusal_ends_the_run_before_anything_is_sent_and_is_explained(tmp_path: Path, row: str) -> None:
    changes, code, cause = CODES[row]
    with released(tmp_path, replace(WORLD, **changes)) as (on, project):
        told = publish(project)
        assert posts(on.pypi) == []
    assert told.status == 1, told.all
    assert f"422 {code}: " in told.out
    assert f"[{cause}]" in told.out
    assert "what pypi was told of this job:" in told.out
    assert hidden(told) == []


def test_an_identity_that_was_used_ends_the_run_too(tmp_path: Path) -> None:
    gitlab = replace(GITLAB, fields={"repository": "acme/widget", "workflow": "release.yml", "environment": ""})
    world = replace(WORLD, publishers=(gitlab,), job=Job(provider="gitlab"))
    with released(tmp_path, world) as (on, project):
        body = json.dumps({"token": project.env["PYPI_ID_TOKEN"]}).encode()
        assert Index(sandbox=on.pypi).ask("POST", MINT, body=body).status == 200
        told = publish(project)
    assert told.status == 1
    assert "422 invalid-reuse-token" in told.out
    assert "[tp.jti-reuse]" in told.out


def test_a_pending_publisher_of_another_name_is_told_when_the_first_file_comes(tmp_path: Path) -> None:
    world = World(publishers=(github("p", pending="acme-wodget", user=REHEARSAL),))
    with released(tmp_path, world) as (_, project):
        told = publish(project)
    assert told.status == 3, told.all
    assert "400 Non-user identities cannot create new projects" in told.out
    assert "/manage/account/publishing/" in told.out


def test_a_pending_publisher_makes_the_first_release_and_json_stays_json(tmp_path: Path) -> None:
    world = World(publishers=(github("p", pending="acme-widget", user=REHEARSAL),))
    with released(tmp_path, world) as (on, project):
        told = publish(project, "--json")
        assert told.status == told.data["exit"] == 0, told.all
        assert len(files_on(on.pypi)) == 2
    assert len(hidden(told)) == 2


def test_a_job_without_the_permission_is_stopped_at_the_checklist(tmp_path: Path) -> None:
    with released(tmp_path) as (on, project):
        project.env = {"GITHUB_ACTIONS": "true"}
        told = publish(project)
        verified = project.run("verify", "--json")
        assert exchanges(on.pypi) == []
    assert told.status == 1
    assert "[tp.id-token-permission]" in told.out
    assert (verified.data["verdict"], verified.data["cause"]) == ("broken", "tp.id-token-permission")


def test_verify_shows_the_claims_and_exchanges_nothing(tmp_path: Path) -> None:
    with released(tmp_path) as (on, project):
        told = project.run("verify")
        data = project.run("verify", "--json").data
        project.env |= {"TWINE_PASSWORD": ""}
        empty = project.run("verify", "--json").data
        assert exchanges(on.pypi) == []
    assert told.status == 0, told.all
    assert "job_workflow_ref     acme/widget/.github/workflows/release.yml@refs/tags/v1.0" in told.out
    assert "only the exchange of the identity tells" in told.out
    assert data["credential"]["origin"]["kind"] == "trusted-publishing"
    assert data["identity"]["publisher"] == {
        "owner": "acme", "repository": "widget", "workflow_filename": "release.yml", "environment": "pypi",
    }  # fmt: skip
    assert empty["cause"] == "cred.env-empty"


def test_testpypi_and_pypi_are_each_asked_with_an_identity_of_their_own(tmp_path: Path) -> None:
    with (
        server.start(WORLD) as pypi,
        server.start(replace(WORLD, audience="testpypi"), issuer=pypi.issuer) as testpypi,
    ):
        on = Indexes(testpypi=testpypi, pypi=pypi)
        project = make(tmp_path, more=release_table(on))
        project.env = pypi.ambient
        told = [project.run("verify", "--json", "--index", name).data for name in ("testpypi", "pypi")]
    assert [one["identity"]["audience"] for one in told] == ["testpypi", "pypi"]
    assert [one["verdict"] for one in told] == ["healthy", "healthy"]

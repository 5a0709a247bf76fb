"""The members of a set are prepared by one commit: each with its own next version, or all with one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.stories.project import Indexes, Told, UserProject, indexes
from tests.stories.workspace import Project, seed_for, workspace

NAMES = ("acme-core", "acme-http", "acme-app")


def members(tmp_path: Path, on: Indexes | None = None, *, root: str = "", forms: str = "{name}-v") -> UserProject:
    """Three members of which app pins core, and http has a lower bound; core has changed since its tag."""
    table = f'[tool.release]\ntag-format = "{forms}{{version}}"\n'
    made = workspace(
        tmp_path,
        [
            Project(name="acme-core", version="1.1.0", more=table),
            Project(name="acme-http", version="1.1.0", requires=["acme-core>=1.1.0", "acme-core!=1.0.5"], more=table),
            Project(name="acme-app", version="1.1.0", requires=["acme-core == 1.1.0 ; python_version>'3'"], more=table),
        ],
        on, root=root,
    )  # fmt: skip
    made.git("config", "user.name", "A")
    made.git("config", "user.email", "a@example.org")
    for name in NAMES:
        tag = f"{forms}1.1.0".replace("{name}", name)
        if tag not in made.git("tag").split():
            made.git("tag", tag)
    change(made, "acme-core", "feat: add a lid")
    return made


def change(made: UserProject, name: str, message: str) -> None:
    path = made.root / f"packages/{name}/README.md"
    path.write_text(path.read_text() + "More.\n")
    made.git("commit", "-q", "-a", "-m", message)


def prepare(made: UserProject, *words: str) -> Told:
    made.env["PYPI_PREFLIGHT_OFFLINE"] = "1"
    return made.run("set", "prepare", *words)


def project(made: UserProject, name: str) -> Any:
    return tomllib.loads((made.root / f"packages/{name}/pyproject.toml").read_text())["project"]


@pytest.mark.slow
def test_a_member_that_has_changed_and_one_that_pins_it(tmp_path: Path) -> None:
    made = members(tmp_path)
    change(made, "acme-app", "fix: oil the hinge")
    told = prepare(made, "--yes", "--json")
    assert told.status == 0, told.all
    assert [(one["project"], one["version"]) for one in told.data["members"]] == [
        ("acme-app", "1.1.1"), ("acme-core", "1.2.0")
    ]  # fmt: skip
    assert told.data["left_out"] == [{"member": "acme-http", "reason": "no commit since acme-http-v1.1.0"}]
    assert made.git("log", "-1", "--format=%s") == "Release acme-app 1.1.1, acme-core 1.2.0"
    assert made.git("show", "--name-only", "--format=").split() == [
        "packages/acme-app/pyproject.toml", "packages/acme-core/pyproject.toml"
    ]  # fmt: skip
    assert project(made, "acme-app")["dependencies"] == ["acme-core == 1.2.0 ; python_version>'3'"]
    assert project(made, "acme-http") == project(made, "acme-http") | {"version": "1.1.0"}
    assert made.git("status", "--porcelain") == ""
    assert told.data["next"] == "pypi-preflight set release"


@pytest.mark.slow
def test_lockstep_has_one_version_for_all_and_raises_what_they_require(tmp_path: Path) -> None:
    made = members(tmp_path, root="lockstep = true", forms="v")
    told = prepare(made, "minor", "--yes")
    assert told.status == 0, told.all
    assert {project(made, name)["version"] for name in NAMES} == {"1.2.0"}
    assert project(made, "acme-http")["dependencies"] == ["acme-core>=1.2.0", "acme-core!=1.0.5"]
    assert project(made, "acme-app")["dependencies"] == ["acme-core == 1.2.0 ; python_version>'3'"]
    assert made.git("log", "-1", "--format=%B").split() == [
        "Release", "1.2.0", "-", "acme-app", "-", "acme-core", "-", "acme-http"
    ]  # fmt: skip
    refused = prepare(made, "minor", "--yes", "--only", "acme-core")
    assert (refused.status, "leave out --only" in refused.err) == (2, True)
    again = prepare(made, "minor", "--yes")
    assert again.status == 1
    assert "1.2.0 is prepared, but not released" in again.err


@pytest.mark.slow
def test_a_member_that_fails_undoes_all(tmp_path: Path) -> None:
    made = members(tmp_path)
    change(made, "acme-app", "fix: oil the hinge")
    path = made.root / "packages/acme-core/pyproject.toml"
    path.write_text(path.read_text() + 'changelog = "CHANGES.md"\n')
    made.git("commit", "-q", "-a", "-m", "docs: have a changelog")
    head = made.git("rev-parse", "HEAD")
    told = prepare(made, "--yes")
    assert told.status == 1, told.all
    assert "acme-core: cannot read the changelog 'CHANGES.md'" in told.err
    assert made.git("rev-parse", "HEAD") == head
    assert made.git("status", "--porcelain") == ""
    only = prepare(made, "--only", "acme-app", "--plan")
    assert "acme-app: 1 commit since acme-app-v1.1.0" in only.out
    assert "acme-core: left out: --only names others" in only.out
    version = prepare(made, "2.0", "--plan")
    assert (version.status, "members have versions of their own" in version.err) == (2, True)
    record: dict[str, Any] = {"head": head, "branch": "main", "message": "Release", "tags": [], "commit": None}
    (made.root / ".release/prepare.json").write_text(json.dumps(record | {"before": {}, "written": {}}))
    killed = prepare(made, "--only", "acme-app", "--plan")
    assert (killed.status, "a preparation was killed here" in killed.err) == (1, True)
    assert "run pypi-preflight set prepare --only acme-app, which undoes" in killed.err


@pytest.mark.slow
def test_the_commit_is_pushed_once_all_members_are_confirmed(tmp_path: Path) -> None:
    exist = [seed_for(NAMES, exist=True) for _ in range(2)]
    with indexes(test=exist[0], real=exist[1]) as on:
        made = members(tmp_path, on, root="lockstep = true", forms="v")
        made.credentials(on)
        remote = tmp_path / "remote.git"
        made.git("init", "-q", "-b", "main", "--bare", str(remote))
        made.git("remote", "add", "origin", str(remote))
        made.git("push", "-q", "--tags", "-u", "origin", "main")
        told = made.run("set", "prepare", "minor", "--yes")
        assert told.status == 0, told.all
        commit, before = made.git("rev-parse", "HEAD"), made.git("rev-parse", "HEAD~1")
        assert made.git("ls-remote", "origin", "refs/heads/main").startswith(before)
        told = made.run("set", "release", "--yes")
        assert told.status == 0, told.all
        assert made.git("ls-remote", "origin", "refs/heads/main").startswith(commit)
        assert made.git("ls-remote", "origin", "refs/tags/v1.2.0^{}").startswith(commit)
        assert "push the branch first" not in told.all
        assert "push the commit" in told.out

"""Which members of a set are released: neither private nor unchanged ones, nor those that were released by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.stories.project import Indexes, UserProject, files_on, indexes, posts
from tests.stories.workspace import Project, commit_all, seed_for, workspace, write_project

pytestmark = pytest.mark.slow

OWN_TAGS = '[tool.release]\ntag-format = "{name}-v{version}"\n'
CORE = Project(name="acme-core", more=OWN_TAGS)
WEB = Project(name="acme-web", requires=["acme-core>=1"], more=OWN_TAGS)
TOOL = Project(name="acme-tool", requires=["acme-web"], more=OWN_TAGS)
LAB = Project(name="acme-lab", requires=["acme-core"], classifiers=["Private :: Do Not Upload"])


@pytest.fixture
def on() -> Iterator[Indexes]:
    seed = seed_for([CORE.name, WEB.name, TOOL.name], exist=True)
    with indexes(test=seed, real=seed) as found:
        yield found


@pytest.fixture
def made(tmp_path: Path, on: Indexes) -> UserProject:
    made = workspace(tmp_path, [CORE, WEB, TOOL, LAB], on, root="only-changed = true")
    made.credentials(on)
    made.env |= {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A", "EMAIL": "a@example.org"}
    made.git("tag", "acme-tool-v0.9")
    return made


def states(made: UserProject) -> dict[str, str]:
    return {one["name"]: one["state"] for one in made.run("set", "list", "--json").data["members"]}


def change(made: UserProject, *projects: Project) -> None:
    for one in projects:
        write_project(made, one)
    commit_all(made, "change")


def refused(made: UserProject, on: Indexes, *words: str, status: int = 1) -> None:
    """The release is refused with these words, and sends nothing."""
    before = len(posts(on.testpypi)), len(posts(on.pypi))
    told = made.run("set", "release", "--yes")
    assert told.status == status, told.all
    for text in words:
        assert text in told.all
    assert (len(posts(on.testpypi)), len(posts(on.pypi))) == before


def versions(index: Any, *projects: str) -> dict[str, int]:
    return {name: len(files_on(index, name)) for name in projects}


def test_private_unchanged_and_already_released_members_stay_as_they_are(made: UserProject, on: Indexes) -> None:
    assert states(made) == {
        "acme-core": "release", "acme-web": "release", "acme-tool": "unchanged", "acme-lab": "private",
    }  # fmt: skip
    by_hand = ("--directory", "packages/acme-core", "--config", "pyproject.toml", "--dry-run-on", "none")
    told = made.run("publish", "--yes", *by_hand)
    assert told.status == 0, told.all
    made.git("tag", "acme-core-v1.0")
    assert states(made)["acme-core"] == "released"
    told = made.run("set", "release", "--yes")
    assert told.status == 0, told.all
    names = (CORE.name, WEB.name, TOOL.name, LAB.name)
    assert versions(on.pypi, *names) == {"acme-core": 2, "acme-web": 2, "acme-tool": 0, "acme-lab": 0}
    assert len(posts(on.pypi)) == 4
    told = made.run("set", "release", "--yes")
    assert told.status == 0, told.all
    assert len(posts(on.pypi)) == 4
    assert set(states(made).values()) == {"released", "unchanged", "private"}

    # a change without a new version, and what it takes
    change(made, replace(CORE, module="version = 'other'\n"))
    remedy = "bump the version of acme-core, 1 commit since acme-core-v1.0: pypi-preflight set prepare"
    refused(made, on, "[a-changed-member-has-a-new-version]", remedy)
    change(made, replace(CORE, version="1.1"))
    told = made.run("set", "release", "--yes")
    assert told.status == 0, told.all
    assert versions(on.pypi, *names) == {"acme-core": 4, "acme-web": 2, "acme-tool": 0, "acme-lab": 0}


def test_requirements_that_cannot_be_met_circles_and_versions_out_of_step_are_refused(
    made: UserProject, on: Indexes
) -> None:
    change(made, replace(WEB, requires=["acme-core>=2"]))
    refused(made, on, "acme-web needs 'acme-core>=2', but this set releases acme-core 1.0")
    change(made, WEB, replace(TOOL, requires=["acme-lab"]))
    refused(made, on, "acme-tool needs 'acme-lab', but acme-lab is private")
    change(made, TOOL, replace(CORE, requires=["acme-web"]))
    refused(made, on, "acme-core → acme-web → acme-core", "acme-core needs 'acme-web' (packages/", status=2)
    change(made, replace(CORE, version="1.1"), TOOL)
    text = (made.root / "pyproject.toml").read_text()
    made.write("pyproject.toml", text.replace("only-changed", "lockstep"))
    refused(made, on, "[the-members-have-one-version]", "set the version of acme-tool, acme-web to 1.1")
    for allow, status in (((), 1), (("--allow",), 0)):  # a rehearsal shows it, and continues
        told = made.run("set", "rehearse", "--only", "acme-core", *allow)
        assert told.status == status, told.all
        assert "set the version of acme-tool, acme-web to 1.1" in told.all
        assert "✓ acme-core 1.1" in told.all
    told = made.run("set", "list", "--only", "acme-wbe")
    assert (told.status, "did you mean 'acme-web'?" in told.all) == (2, True)

"""Which index a run would create the project on; the tag, its push, and the page on GitHub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.git import pushes, repository, tags
from release.adapters.github import releases
from release.adapters.system.system import System, real_system
from release.core import plan
from release.core.config import Config
from release.core.errors import ToolError
from release.core.facts import ProjectMetadata, Source
from release.core.models.distribution import Distribution
from release.core.models.index import TESTPYPI, ProjectListing
from release.core.models.results import StepResult
from release.core.secret import Secret
from release.publishing import journal as journals
from release.publishing import promote


def test_only_a_new_project_on_a_lasting_index_is_named() -> None:
    """A dry run may create projects; with trusted publishing, the user has entered the name already."""
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    release = plan.make_plan("release", Config(), source)
    new: dict[str, ProjectListing | None] = {"testpypi": None, "pypi": None}
    assert promote.new_project_index(release, new, ()) == "pypi"
    assert promote.new_project_index(release, new, {"pypi"}) is None
    assert promote.new_project_index(release, new | {"pypi": ProjectListing(name="a", files=())}, ()) is None
    assert promote.new_project_index(release, {}, ()) is None


COMMIT = "c" * 40
FILES = (
    Distribution(path=Path("dist/a-1rc1.tar.gz"), size=1, sha256="1" * 64),
    Distribution(path=Path("dist/a-1rc1-py3-none-any.whl"), size=1, sha256="2" * 64),
)
HASHES = f"{'1' * 64}  a-1rc1.tar.gz\n{'2' * 64}  a-1rc1-py3-none-any.whl"
TAG, PUSH = plan.Tag(name="v1rc1", remote="origin"), plan.PushTag(name="v1rc1", remote="origin")
PUSH_COMMIT = plan.PushCommit(commit=COMMIT, remote="origin", branch="main")
ON_GITHUB = plan.ReleaseOnGitHub(repository="acme/a", tag="v1rc1")


class World:
    """What a promotion finds, what it does with it, and its journal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.done: list[Any] = []
        self.root: Path | None = folder
        self.tagged: str | None = None
        self.changes = True
        self.secret: Secret | None = Secret("x")
        self.folder = folder
        self.system = replace(real_system(), env={})
        self.journal = journals.for_release(folder, version="1rc1", commit=COMMIT)
        answers: list[tuple[Any, str, Callable[..., Any]]] = [
            (repository, "find_root", lambda _, directory: self.root if directory == folder else None),
            (repository, "tag_commit", lambda *words: self.tagged if words[1:] == (self.root, "v1rc1") else ""),
            (tags, "create_tag", lambda *words: self._note("tag", words[1:])),
            (pushes, "push_tag", lambda *words: self._note("push", words[1:])),
            (pushes, "push_commit", lambda *words, **named: self._note("commit", (*words[1:], named))),
            (releases, "find_github_token", lambda _: self.secret),
            (releases, "publish_release", self._publish),
            (promote, "compare_with_dry_run", lambda *words: self._note("compare", words)),
        ]
        for module, name, answer in answers:
            monkeypatch.setattr(module, name, answer)

    def _note(self, what: str, words: Any) -> bool:
        self.done.append((what, words))
        return self.changes

    def _publish(self, _: System, secret: Secret, request: releases.ReleaseRequest) -> Any:
        self.done.append((secret, request))
        return SimpleNamespace(changed=self.changes, url="https://github.test/1")

    def run(self, step: plan.Promotion, *, commit: str | None = COMMIT, config: Config | None = None) -> StepResult:
        source = Source(
            config=Config(), project=ProjectMetadata(name="a", version="1rc1"), git=None, tag=None, changelog=None
        )
        whole = replace(plan.make_plan("release", Config(), source), commit=commit)
        return promote.execute_promotion(
            step, plan=whole, config=config or Config(), system=self.system, directory=self.folder, files=FILES,
            journal=self.journal,
        )  # fmt: skip

    def events(self) -> list[dict[str, Any]]:
        same = {"time", "version", "commit"}
        return [{key: one[key] for key in one if key not in same} for one in self.journal.events()]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def test_the_tag_has_the_hashes_of_the_files(world: World) -> None:
    assert world.run(TAG) == StepResult(changed=True)
    assert world.done == [("tag", (world.folder, "v1rc1", COMMIT, f"a 1rc1\n\n{HASHES}\n"))]
    assert world.events() == [{"event": "tagged", "tag": "v1rc1"}]


def test_a_tag_that_exists_stays(world: World) -> None:
    exists = StepResult(changed=False, note="v1rc1 exists already")
    world.tagged = COMMIT
    assert world.run(TAG) == exists
    world.tagged = None
    assert world.run(TAG, commit=None) == exists
    world.root = None
    assert world.run(TAG) == exists
    assert (world.done, world.events()) == ([], [])


def test_what_is_pushed_is_recorded(world: World) -> None:
    assert world.run(PUSH) == world.run(PUSH_COMMIT) == StepResult(changed=True)
    assert world.done == [
        ("push", (world.folder, "origin", "v1rc1")),
        ("commit", (world.folder, COMMIT, {"remote": "origin", "ref": "refs/heads/main"})),
    ]
    assert world.events() == [
        {"event": "pushed", "tag": "v1rc1", "remote": "origin"},
        {"event": "pushed", "commit_of": COMMIT, "branch": "main", "remote": "origin"},
    ]


def test_what_the_remote_has_is_not_recorded_again(world: World) -> None:
    world.changes = False
    assert world.run(PUSH) == StepResult(changed=False, note="origin has v1rc1")
    assert world.run(PUSH_COMMIT) == StepResult(changed=False, note="origin has cccccccccccc")
    assert world.events() == []


def test_the_page_on_github(world: World) -> None:
    assert world.run(ON_GITHUB) == StepResult(changed=True, note="https://github.test/1")
    ((secret, request),) = world.done
    assert secret is world.secret
    assert (request.repository, request.tag, request.title, request.files) == ("acme/a", "v1rc1", "a 1rc1", FILES)
    assert request.body == f"SHA-256 of the files on testpypi and pypi:\n\n```\n{HASHES}\n```\n"
    assert request.prerelease
    assert world.events() == [{"event": "released", "on": "github", "tag": "v1rc1", "url": "https://github.test/1"}]
    world.changes = False
    assert world.run(ON_GITHUB) == StepResult(changed=False, note="https://github.test/1")
    assert len(world.events()) == 1


def test_no_page_without_credentials(world: World) -> None:
    world.secret = None
    with pytest.raises(ToolError, match=r"^no GitHub credentials: neither GH_TOKEN nor GITHUB_TOKEN is set") as refused:
        world.run(ON_GITHUB)
    assert refused.value.remedy == ("run `gh auth login` or set GH_TOKEN; to skip this step: github-release = false")
    assert world.done == []


def test_the_files_are_compared_with_those_of_the_dry_run(world: World) -> None:
    config = replace(Config(), waive={"a-check": "why"})
    world.run(plan.CompareWithDryRun(proven_on="testpypi"), config=config)
    world.run(plan.CompareWithDryRun(proven_on="sandbox"), config=config)
    assert world.done == [
        ("compare", (FILES, TESTPYPI, "a", world.journal, config.waive)),
        ("compare", (FILES, None, "a", world.journal, config.waive)),
    ]

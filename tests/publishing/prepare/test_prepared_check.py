"""A prepared project is checked as it will be: after the commit, and after the tag if the version comes from it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from packaging.version import Version

from release.adapters import collect
from release.adapters.oidc import provider
from release.adapters.system.system import System, real_system
from release.core import plan as plans
from release.core.config import Config
from release.core.errors import RefusedError
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Unknown
from release.core.repeated_command import RepeatedCommand
from release.publishing import runner
from release.publishing.prepare.prepared_check import check_prepared, source_after

GIT = GitState(
    commit="c" * 40, branch="main", changes=("made",), upstream=None, behind=0, tagged_commit="d" * 40, shallow=False,
    tags=("old",), on_remote=True,
)  # fmt: skip
COMMAND = RepeatedCommand(verb=("prepare",))


def prepared(**changes: Any) -> Any:
    proposal = SimpleNamespace(version=Version("1.1"), text="1.1")
    made = {"tag": None, "project": "acme", "proposal": proposal, "message": "release 1.1"} | changes
    before = SimpleNamespace(git=replace(GIT, changes=("before",)))
    return SimpleNamespace(
        config=Config(), directory=Path("/r"), preparation=SimpleNamespace(**made), source=before
    )  # fmt: skip


def collected(project: Any, git: Any = GIT) -> Source:
    return Source(config=Config(), project=project, git=git, tag=None, changelog=None)


SYSTEM = replace(real_system(), env={"A": "b"})
NEW, OLD = ProjectMetadata(name="acme", version="1.1.0"), ProjectMetadata(name="acme", version="1.0")


def after(monkeypatch: pytest.MonkeyPatch, source: Source, made: Any) -> Source:
    def collect_source(*words: Any) -> Source:
        assert words == (SYSTEM, made.directory, made.config)
        return source

    def with_project(given: Source, system: System, directory: Path, project: ProjectMetadata) -> Source:
        assert (given, system, directory) == (source, SYSTEM, made.directory)
        return replace(source, project=project)

    monkeypatch.setattr(collect, "collect_source", collect_source)
    monkeypatch.setattr(collect, "with_project", with_project)
    return source_after(SYSTEM, made)


def git_after(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> GitState:
    found = after(monkeypatch, collected(NEW), prepared(**changes))
    assert isinstance(found.git, GitState)
    return found.git


def test_the_source_after_the_commit_and_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    committed = git_after(monkeypatch)
    assert (committed.changes, committed.tags, committed.on_remote) == (("before",), (), None)
    assert committed.tagged_commit == GIT.tagged_commit
    tagged = git_after(monkeypatch, tag="v1.1")
    assert (tagged.tags, tagged.tagged_commit) == (("v1.1",), GIT.commit)
    assert git_after(monkeypatch, tag="v1.1", message=None).tags == ("old", "v1.1")
    assert git_after(monkeypatch, message=None).tags == ("old",)
    outside = prepared()
    outside.source.git = None
    found = after(monkeypatch, collected(NEW), outside).git
    assert isinstance(found, GitState)
    assert found.changes == ()
    assert after(monkeypatch, collected(NEW, None), prepared()).git is None


def test_the_version_of_a_tag_is_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = after(monkeypatch, collected(OLD), prepared(tag="v1.1"))
    assert found.project == ProjectMetadata(name="acme", version="1.1")


def test_an_edit_that_the_backend_does_not_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError) as refused:
        after(monkeypatch, collected(OLD), prepared())
    assert refused.value.message == (
        "the version is still '1.0' after the edit: '1.1' was written, and the build backend reads another place"
    )
    assert refused.value.remedy == (
        "set it where the build backend reads it, commit it, then run the same command again"
    )
    with pytest.raises(RefusedError) as refused:
        after(monkeypatch, collected(Unknown(reason="it does not build", remedy="mend it")), prepared())
    assert (refused.value.message, refused.value.remedy) == ("it does not build", "mend it")


@pytest.mark.parametrize(
    ("offline", "exchange", "in_ci", "exchanges"),
    [
        (True, "auto", True, False),
        (False, "auto", True, True),
        (False, "auto", False, False),
        (False, "never", True, False),
    ],
)
def test_what_is_checked(
    monkeypatch: pytest.MonkeyPatch, offline: bool, exchange: Any, in_ci: bool, exchanges: bool
) -> None:
    run: list[Any] = []
    result: Any = SimpleNamespace()

    def execute_plan(plan: plans.Plan, options: runner.RunOptions) -> Any:
        run.append((plan, options))
        return result

    monkeypatch.setattr(runner, "execute_plan", execute_plan)
    monkeypatch.setattr(provider, "may_request_identity", lambda env: in_ci and env == SYSTEM.env)
    made = prepared()
    made.config = replace(Config(), exchange=exchange)
    source = collected(NEW)
    monkeypatch.setattr(collect, "collect_source", lambda *_: source)
    notify: Any = object()
    found = check_prepared(SYSTEM, made, index="testpypi", offline=offline, notify=notify, command=COMMAND)
    assert found is result
    ((plan, options),) = run
    assert plan.verb == "check"
    credentials = set() if offline else {plans.CheckCredentials}
    assert {type(one) for one in plan.steps} == {plans.CheckSource, *credentials}
    assert plan.exchanges is exchanges
    assert {one.index for one in plan.steps if isinstance(one, plans.CheckCredentials)} <= {"testpypi"}
    assert (options.config, options.directory, options.system, options.notify, options.command, options.offline) == (
        made.config, made.directory, SYSTEM, notify, COMMAND, offline,
    )  # fmt: skip
    assert options.source.project == NEW
    assert options.approve(plan, None)

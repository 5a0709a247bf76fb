"""The members of a set that are prepared, their versions, and what the requirements on each other become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import lock_files, project_version
from release.adapters.builds import builder
from release.adapters.git import commits
from release.adapters.git.member_history import MemberRepository
from release.checks import set_checks
from release.core.config import Config
from release.core.errors import RefusedError, UsageError
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Unknown
from release.core.models.preparation import CommitSummary, ToolRun
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from release.core.tag_form import DatedTag, RepositoryTags, declared_form
from release.publishing.prepare import collect_set_preparation as collecting
from release.publishing.prepare.collect_preparation import PrepareOptions, ProjectState
from release.publishing.prepare.collect_set_preparation import SetPreparation, check_prepared_set
from tests.fake_system import fake_system

COMMIT = "c" * 40
GIT = GitState(
    commit=COMMIT, branch="main", changes=(), upstream=None, behind=0, tagged_commit=None, shallow=False
)  # fmt: skip


@dataclass
class Workspace:
    """A set in a repository: files in a directory, and a history that only the test knows."""

    root: Path
    settings: SetSettings = field(default_factory=SetSettings)
    facts: list[MemberFacts] = field(default_factory=list)
    #: directory → subjects of the commits since the last tag
    history: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    tags: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    loaded: list[dict[str, Any]] = field(default_factory=list)
    #: directory → options, and the directories inside of it that do not count
    collected: dict[Path, tuple[PrepareOptions, Sequence[Path]]] = field(default_factory=dict)

    def add(
        self, name: str, version: str = "1.0.0", *requires: str, since: Sequence[str] = (),
        tags: Sequence[str] | None = None, directory: str | None = None, **facts: Any,
    ) -> None:  # fmt: skip
        """A member; `tags`: the versions that are released, the last one last."""
        place = f"packages/{name}" if directory is None else directory
        path = self.root / place
        path.mkdir(parents=True, exist_ok=True)
        needs = ", ".join(f'"{one}"' for one in requires)
        (path / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = [{needs}]\n'
            f'[tool.release]\nbranch = "of-{name}"\n'
        )
        self.history[path] = tuple(since)
        self.tags[path] = tuple([version] if tags is None else tags)
        member = Member(name=name, version=version, directory=place, requires=requires)
        given: dict[str, Any] = {"member": member, "state": "release"}
        self.facts.append(MemberFacts(**given | facts))

    def set(self) -> ReleaseSet:
        return ReleaseSet(settings=self.settings, members=tuple(self.facts), levels=())

    def load(self, system: Any, directory: Path, **wanted: Any) -> ReleaseSet:
        assert (system.env, directory) == ({}, self.root)
        self.loaded.append(wanted)
        return self.set()

    def state(self, options: PrepareOptions, others: Sequence[Path] = ()) -> ProjectState:
        directory = options.directory
        self.collected[directory] = (options, tuple(others))
        table = builder.load_pyproject(directory)
        name = next(one.member.name for one in self.facts if (self.root / one.member.directory) == directory)
        project = ProjectMetadata(name=name, version=next(
            one.member.version for one in self.facts if one.member.name == name
        ))  # fmt: skip
        form = declared_form("{name}-v{version}", name)
        tags = [form.tag(one) for one in self.tags[directory]]
        repository = MemberRepository(
            root=self.root, tags=RepositoryTags(DatedTag(name=one, time=0) for one in tags),
            merged=frozenset(tags), commit=COMMIT, shallow=False,
        )  # fmt: skip
        since = self.history[directory]
        return ProjectState(
            source=Source(config=options.config, project=project, git=GIT, tag=None, changelog=None, tag_form=form),
            project=project, repository=repository, branch="main", form=form, last_tag=tags[-1] if tags else None,
            commits=tuple(CommitSummary(commit=f"{name}{n}", subject=one) for n, one in enumerate(since)),
            places=project_version.find_version(directory, table),
        )  # fmt: skip

    def options(self, wish: str | None = None) -> PrepareOptions:
        config = Config(branch="of-the-root")
        return PrepareOptions(system=fake_system(), directory=self.root, config=config, wish=wish, offline=True)

    def prepare(self, wish: str | None = None, only: Sequence[str] = ()) -> SetPreparation:
        return collecting.collect_set_preparation(self.options(wish), only)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Workspace(tmp_path)
    monkeypatch.setattr(collecting, "load_set", made.load)
    monkeypatch.setattr(collecting, "collect_state", made.state)
    monkeypatch.setattr(commits, "has_identity", lambda *_: True)
    monkeypatch.setattr(commits, "dirty_paths", lambda *_: ())
    monkeypatch.setattr(lock_files, "plan_lock", lambda *_, **__: None)
    return made


def versions(found: SetPreparation) -> dict[str, str]:
    return {one.preparation.project: one.preparation.proposal.text for one in found.members}


def pyproject(found: SetPreparation, name: str) -> str:
    """The file as it is to be."""
    edits = next(one.preparation.edits for one in found.members if one.preparation.project == name)
    return next(edit.after or b"" for edit in edits if edit.path == "pyproject.toml").decode()


def test_each_member_that_has_changed_gets_a_version_of_its_own(workspace: Workspace) -> None:
    workspace.add("a", since=["feat: add a lid"])
    workspace.add("b", "2.1.0", since=["fix: close it"])
    workspace.add("quiet", "3.0.0")
    workspace.add("new", "0.1.0", tags=())
    workspace.add("ready", "1.1.0", tags=["1.0.0"], since=["Release 1.1.0"])
    workspace.add("private", state="private", reason="classifier 'Private :: Do Not Upload'")
    workspace.add("other", state="not-selected")
    workspace.add("there", "4.0.0", state="released", since=["fix: a hinge"])
    found = workspace.prepare(only=["a"])
    assert versions(found) == {"a": "1.1.0", "b": "2.1.1", "there": "4.0.1"}
    assert found.left_out == {
        "quiet": "no commit since quiet-v3.0.0", "new": "0.1.0 is prepared already",
        "ready": "1.1.0 is prepared already", "private": "classifier 'Private :: Do Not Upload'",
        "other": "not-selected",
    }  # fmt: skip
    assert workspace.loaded == [{"only": ["a"], "offline": True}], "no index is asked which versions it has"
    assert 'version = "1.1.0"' in pyproject(found, "a")
    assert [one.root for one in found.members] == [workspace.root] * 3


def test_a_version_that_a_tag_has_is_not_proposed_again(workspace: Workspace) -> None:
    workspace.add("a", "1.0.0", since=["fix: x"], tags=["1.5.0", "1.0.0"])
    workspace.add("dated", "2026.10.0", since=["fix: x"], tags=["2026.9.0", "2026.10.0"])
    assert versions(workspace.prepare()) == {"a": "1.5.1", "dated": "2026.11.0"}


@pytest.mark.parametrize(
    ("wish", "only", "expected"),
    [
        (None, [], {"a": "1.0.1"}),
        (None, ["B.c"], {"a": "1.0.1"}),
        ("minor", [], {"a": "1.1.0"}),
        ("minor", ["B.c"], {"a": "1.1.0", "b-c": "1.1.0"}),
        ("major", ["a"], {"a": "2.0.0"}),
    ],
)
def test_a_member_without_a_commit_is_prepared_where_it_is_named_with_what_to_raise(
    workspace: Workspace, wish: str | None, only: list[str], expected: dict[str, str]
) -> None:
    workspace.add("a", since=["fix: x"])
    workspace.add("b-c")
    assert versions(workspace.prepare(wish, only)) == expected


def test_a_version_is_for_one_member(workspace: Workspace) -> None:
    workspace.add("a", since=["fix: x"])
    assert versions(workspace.prepare("1.7.0")) == {"a": "1.7.0"}
    workspace.add("b", since=["fix: x"])
    with pytest.raises(UsageError) as refused:
        workspace.prepare("1.7.0")
    assert refused.value.message == "'1.7.0' is a version, but the members have versions of their own"
    assert "--only NAME" in refused.value.remedy


@pytest.mark.parametrize("lockstep", [True, False])
def test_a_set_without_a_change_is_refused(workspace: Workspace, lockstep: bool) -> None:
    workspace.settings = SetSettings(lockstep=lockstep)
    workspace.add("a")
    workspace.add("private", state="private", since=["feat: x"])
    with pytest.raises(RefusedError) as refused:
        workspace.prepare()
    assert refused.value.message == "no member has changed since its last tag"
    assert "pypi-preflight set prepare patch --only NAME" in refused.value.remedy


def test_a_member_that_cannot_be_read_stops_the_preparation(workspace: Workspace) -> None:
    workspace.add("a", since=["fix: x"])
    workspace.add("b", state="unknown", problem=Unknown(reason="no version", remedy="add one"))
    with pytest.raises(RefusedError) as refused:
        workspace.prepare()
    assert (refused.value.message, refused.value.remedy) == ("b: no version", "add one")


def test_each_member_is_collected_with_its_configuration_and_without_those_inside(workspace: Workspace) -> None:
    workspace.add("top", directory=".", since=["fix: x"])
    workspace.add("a", since=["fix: x"])
    workspace.add("inner", directory="packages/a/inner", since=["fix: x"])
    workspace.add("a2", since=["fix: x"])
    found = workspace.prepare("minor")
    root = workspace.root
    places = {"top": root, "a": root / "packages/a", "inner": root / "packages/a/inner", "a2": root / "packages/a2"}
    assert {one.preparation.project: one.directory for one in found.members} == places
    branches = {name: workspace.collected[place][0].config.branch for name, place in places.items()}
    assert branches == {"top": "of-the-root", "a": "of-a", "inner": "of-inner", "a2": "of-a2"}
    assert {one.preparation.project: one.config.branch for one in found.members} == branches
    others = {name: set(workspace.collected[place][1]) for name, place in places.items()}
    assert others == {
        "top": {places["a"], places["inner"], places["a2"]}, "a": {places["inner"]}, "inner": set(), "a2": set(),
    }  # fmt: skip
    assert {workspace.collected[place][0].wish for place in places.values()} == {"minor"}


def test_a_pin_of_a_member_is_raised_with_it(workspace: Workspace) -> None:
    workspace.add("a", since=["feat: x"])
    workspace.add("B.c", "1.0.0", since=["fix: x"])
    workspace.add("quiet")
    workspace.add("d", "1.0.0", "a==1.0.0", "b-c>=1.0.0", "quiet==1.0.0", "outside==1.0.0", since=["fix: x"])
    changed = pyproject(workspace.prepare(), "d")
    assert '["a==1.1.0", "b-c>=1.0.0", "quiet==1.0.0", "outside==1.0.0"]' in changed


def test_the_version_before_is_that_of_the_files_or_of_the_last_tag(workspace: Workspace) -> None:
    workspace.add("a", "1.1.0", since=["feat: x"], tags=["1.0.0"])
    workspace.add("b", "1.0.0", "a==1.1.0", since=["fix: x"])
    workspace.add("c", "1.0.0", "a==1.0.0", since=["fix: x"])
    found = workspace.prepare("major")
    assert '"a==2.0.0"' in pyproject(found, "b")
    assert '"a==1.0.0"' in pyproject(found, "c"), "its author means another one"


def test_in_lockstep_all_get_one_version_from_the_commits_of_all(workspace: Workspace) -> None:
    workspace.settings = SetSettings(lockstep=True)
    workspace.add("a", "1.0.0", since=["fix: x"])
    workspace.add("b", "1.2.0", "a>=1.0.0", since=["feat: y"], tags=["1.4.0", "1.2.0"])
    workspace.add("quiet", "1.0.0", "b~=1.2.0")
    found = workspace.prepare()
    assert versions(found) == dict.fromkeys(("a", "b", "quiet"), "1.5.0")
    assert '"a>=1.5.0"' in pyproject(found, "b")
    assert '"b~=1.5.0"' in pyproject(found, "quiet")
    assert versions(workspace.prepare("major")) == dict.fromkeys(("a", "b", "quiet"), "2.0.0")
    assert versions(workspace.prepare("1.9.0")) == dict.fromkeys(("a", "b", "quiet"), "1.9.0")
    with pytest.raises(UsageError) as refused:
        workspace.prepare(only=["a"])
    assert "lockstep in [tool.release.set] asks for one version of all members" in refused.value.message
    assert refused.value.remedy == "leave out --only"


def test_in_lockstep_a_new_member_makes_a_version_of_all(workspace: Workspace) -> None:
    workspace.settings = SetSettings(lockstep=True)
    workspace.add("a", "1.0.0")
    workspace.add("new", "1.0.0", tags=())
    assert versions(workspace.prepare("patch")) == {"a": "1.0.1", "new": "1.0.1"}


def test_in_lockstep_the_newest_version_of_the_files_counts(workspace: Workspace) -> None:
    """It is the version of all as soon as one member states it."""
    workspace.settings = SetSettings(lockstep=True)
    workspace.add("a", "1.0.0", since=["fix: x"])
    workspace.add("new", "2.0.0", tags=())
    found = workspace.prepare()
    assert versions(found) == {"a": "2.0.0"}
    assert found.left_out == {"new": "2.0.0 is prepared already"}


def test_a_lock_file_of_several_members_is_updated_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan_lock(_: object, root: Path, directory: Path, *__: object, **___: object) -> ToolRun:
        own = directory.name == "own"
        up = "" if own else "../" * len(directory.relative_to(root).parts)
        return ToolRun(argv=("uv", "lock"), what=f"update of {directory.name}", paths=(f"{up}uv.lock",))

    monkeypatch.setattr(lock_files, "plan_lock", plan_lock)
    for name in ("a", "own", "b"):
        workspace.add(name, since=["fix: x"])
    found = workspace.prepare()
    assert versions(found) == dict.fromkeys(("a", "own", "b"), "1.0.1")
    runs = {one.preparation.project: [run.what for run in one.preparation.runs] for one in found.members}
    assert runs == {"a": ["update of a"], "own": ["update of own"], "b": []}


# -- the checks of what was prepared -------------------------------------------------------------------


def test_the_set_is_checked_as_it_was_prepared(workspace: Workspace) -> None:
    workspace.add("a", since=["feat: x"])
    prepared = workspace.prepare()
    workspace.loaded.clear()
    check_prepared_set(workspace.options(), prepared)
    assert workspace.loaded == [{"offline": True}]
    workspace.add("b", "1.0.0", "a>=7")
    with pytest.raises(RefusedError, match="a>=7") as refused:
        check_prepared_set(workspace.options(), prepared)
    assert refused.value.remedy
    name = set_checks.requirements_on_members_can_be_met.name
    check_prepared_set(replace(workspace.options(), config=Config(waive={name: "a test"})), prepared)


def test_a_warning_stops_a_preparation_where_the_configuration_makes_it_block(workspace: Workspace) -> None:
    workspace.add("a", "1.0.0", "p; extra == 'all'", since=["feat: x"])
    workspace.add("p", state="private")
    private = workspace.facts.pop()
    workspace.facts.append(replace(private, member=replace(private.member, private=True, private_by="a classifier")))
    prepared = workspace.prepare()
    check_prepared_set(workspace.options(), prepared)
    config = Config(block=frozenset({set_checks.requirements_on_members_can_be_met.name}))
    with pytest.raises(RefusedError, match="p is private: a classifier"):
        check_prepared_set(replace(workspace.options(), config=config), prepared)


def test_versions_that_are_derived_from_tags_are_not_checked_before_the_tags(workspace: Workspace) -> None:
    workspace.add("a", since=["feat: x"])
    prepared = workspace.prepare()
    (one,) = prepared.members
    tagged = replace(one, preparation=replace(one.preparation, tag="a-v1.1.0"))
    workspace.add("b", "1.0.0", "a>=7")
    check_prepared_set(workspace.options(), replace(prepared, members=(tagged,)))

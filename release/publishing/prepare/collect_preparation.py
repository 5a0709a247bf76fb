"""Collect what the preparation of a release changes. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct
from packaging.version import Version

from release.adapters import changelog, collect, lock_files, project_config, project_version
from release.adapters.builds import pinned_builds
from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.git import commits, member_history
from release.adapters.git.member_history import MemberRepository
from release.adapters.system.system import System
from release.checks import engine, source_checks
from release.core.config import Config
from release.core.errors import RefusedError
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Finding, Outcome, Unknown
from release.core.models.distribution import parse_version
from release.core.models.index import ProjectListing, files_by_release
from release.core.models.preparation import (
    CommitSummary,
    DerivedFromTags,
    EarlierVersion,
    FileEdit,
    Preparation,
    Proposal,
    ToolRun,
    VersionPlace,
)
from release.core.next_version import propose_version
from release.core.quoting import quote_path
from release.core.tag_form import TagForm
from release.publishing.prepare import requirement_edits

#: the checks of the source that hold for any version, so that they are run before anything is changed
_BEFORE = frozenset(
    check.name for check in (
        source_checks.the_project_is_in_a_repository, source_checks.the_tree_is_clean,
        source_checks.the_branch_is_the_release_branch,
        source_checks.the_branch_is_not_behind_its_upstream, source_checks.the_submodules_are_checked_out,
    )
)  # fmt: skip


class PrepareOptions(Struct, frozen=True, kw_only=True):
    """What a preparation is asked for."""

    system: System
    directory: Path
    config: Config
    #: "minor", "1.2.0", …; None: what the history asks for
    wish: str | None = None
    #: whether no index is asked
    offline: bool = False


class CollectedPreparation(Struct, frozen=True, kw_only=True):
    """A preparation, and what it was collected from."""

    preparation: Preparation
    directory: Path
    #: of the repository
    root: Path
    config: Config
    #: before the preparation
    source: Source
    #: the commit that it starts from
    commit: str
    branch: str
    #: of the checks that hold for any version
    outcomes: tuple[Outcome, ...]

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to change: the release is prepared already."""
        made = self.preparation
        return not (made.edits or made.runs or made.tag)


class ProjectState(Struct, frozen=True, kw_only=True):
    """A project and its history, before a version is proposed."""

    source: Source
    project: ProjectMetadata
    repository: MemberRepository
    branch: str
    form: TagForm
    last_tag: str | None
    commits: tuple[CommitSummary, ...]
    places: tuple[VersionPlace, ...] | DerivedFromTags

    @property
    def current(self) -> Version | None:
        """The version that the files state; None where it is derived from tags, or is none."""
        parsed = parse_version(self.project.version)
        return None if isinstance(self.places, DerivedFromTags) or isinstance(parsed, str) else parsed


def collect_preparation(options: PrepareOptions) -> CollectedPreparation:
    """The preparation of one project.

    Raises `RefusedError` where nothing can be prepared here, and `UsageError` for a wish that is no newer version.
    """
    state = collect_state(options)
    if options.wish is None and state.last_tag is not None and not state.commits:
        raise RefusedError(
            f"nothing has changed since {state.last_tag}",
            remedy="commit what is to be released; to release what is tagged: pypi-preflight release; for a new "
            "version of the same: pypi-preflight prepare patch",
        )
    proposal = propose_version(
        state.current, state.commits, options.wish, today=today_of(options.system),
        released=released_versions(options, state),
    )  # fmt: skip
    return plan_preparation(options, state, proposal)


def collect_state(options: PrepareOptions, others: Sequence[Path] = ()) -> ProjectState:
    """The project and its commits since the last release. `others`: directories inside of it that do not count.

    Raises `RefusedError` where there is no repository, no branch, or something that git has not ended.
    """
    directory = options.directory
    system = pinned_builds.pin_builds(options.system, directory, options.config)
    source = collect.collect_source(system, directory, options.config)
    if isinstance(source.git, Unknown) or isinstance(source.project, Unknown):
        unknown = source.git if isinstance(source.git, Unknown) else source.project
        assert isinstance(unknown, Unknown)
        raise RefusedError(unknown.reason, remedy=unknown.remedy)
    repository = member_history.open_repository(system, directory)
    if repository is None or source.git is None:
        raise RefusedError(
            "the project is not in a git repository, so that there is nothing to commit to",
            remedy="run git init, and commit everything",
        )
    branch = _require_branch(system, repository.root, source.git)
    assert source.tag_form is not None
    last_tag = member_history.tag_before(source.tag_form, "", repository)
    paths = _pathspecs(repository.root, directory, others)
    return ProjectState(
        source=source, project=source.project, repository=repository, branch=branch, form=source.tag_form,
        last_tag=last_tag, commits=commits.commits_after(system, repository.root, last_tag, paths),
        places=project_version.find_version(directory, _load_pyproject(directory)),
    )  # fmt: skip


def plan_preparation(
    options: PrepareOptions, state: ProjectState, proposal: Proposal, replaced: Mapping[str, str] | None = None
) -> CollectedPreparation:
    """The preparation for this version. `replaced`: requirement, as pyproject.toml spells it → what replaces it."""
    config, directory, root = options.config, options.directory, state.repository.root
    tag = _require_free_tag(state, proposal)
    edits = _version_edits(directory, state, proposal)
    edits, unplaced = requirement_edits.replace_requirements(directory, edits, replaced or {})
    changed = _plan_changelog(options, state, proposal, tag)
    edits, runs = (*edits, *changed.edits), list(changed.runs)
    findings = [*_prepared_earlier(state, proposal), *unplaced, *changed.findings]
    lock = lock_files.plan_lock(
        options.system, root, directory.resolve(), state.project.name, proposal.version, offline=options.offline
    )
    if isinstance(lock, ToolRun):
        runs.append(lock)
    elif lock is not None:
        findings.append(lock)
    derived = isinstance(state.places, DerivedFromTags)
    commits_something = bool(edits or runs)
    if commits_something and not commits.has_identity(options.system, root):
        findings.append(_no_identity())
    outcomes = tuple(engine.run(
        [check for check in source_checks.CHECKS if check.name in _BEFORE], state.source,
        waive=config.waive, block=config.block,
    ))  # fmt: skip
    if not any(one.state.blocks for one in outcomes):  # else they name the same files
        findings += _affected_findings(options.system, root, directory, edits, runs)
    preparation = Preparation(
        project=state.project.name, current=state.current, proposal=proposal, last_tag=state.last_tag,
        commits=state.commits, edits=tuple(edits), runs=tuple(runs), findings=tuple(findings),
        message=f"Release {proposal.text}" if commits_something else None, tag=tag if derived else None,
    )  # fmt: skip
    return CollectedPreparation(
        preparation=preparation, directory=directory, root=root, config=config, source=state.source,
        commit=state.repository.commit, branch=state.branch, outcomes=outcomes,
    )  # fmt: skip


def _require_branch(system: System, root: Path, state: GitState) -> str:
    ongoing = commits.ongoing_operation(system, root)
    if ongoing is not None:
        raise RefusedError(
            f"a git {ongoing} is not finished in {quote_path(root)}", remedy=f"finish it: git {ongoing} --help"
        )
    if state.shallow:
        raise RefusedError(
            "the clone is shallow, so that the commits since the last release are not known",
            remedy="fetch the history: git fetch --unshallow --tags (actions/checkout: fetch-depth: 0)",
        )
    if state.branch is None:
        raise RefusedError(
            "HEAD is detached, so that the commit of the release would be on no branch",
            remedy="switch to the branch to release from: git switch BRANCH",
        )
    return state.branch


def _require_free_tag(state: ProjectState, proposal: Proposal) -> str:
    """The release's tag. Raises `RefusedError` where another commit has a tag of this version."""
    existing = state.form.existing_tag(str(proposal.version), (one.name for one in state.repository.tags))
    if existing is not None:
        raise RefusedError(
            f"the tag {existing!r} of {proposal.text} exists already", remedy="pass a newer version: pypi-preflight "
            "prepare VERSION; to release the tagged commit: git switch --detach " + existing,
        )  # fmt: skip
    return state.form.tag(proposal.text)


def _prepared_earlier(state: ProjectState, proposal: Proposal) -> list[Finding]:
    """A finding where the version of the files was prepared, but not released: another one would leave it out."""
    version, named = state.project.version, f"{state.project.name} {state.project.version}"
    prepared = any(
        one.subject == f"Release {version}"
        or (
            one.subject.startswith("Release ") and named in re.split(r", |^Release |\n- ", f"{one.subject}\n{one.body}")
        )
        for one in state.commits
    )
    if proposal.bump is None or not prepared:
        return []
    return [
        Finding(
            message=f"{state.project.version} is prepared, but not released: it has no tag",
            remedy=f"release it: pypi-preflight release; to leave it out: pypi-preflight prepare {proposal.text}",
        )
    ]


def released_versions(options: PrepareOptions, state: ProjectState) -> tuple[EarlierVersion, ...]:
    """The versions of the tags that HEAD has; and of the index, unless it is not to be asked."""
    known = () if options.offline else _released_on_index(options, state)
    return (*_tagged_versions(state), *known)


def _tagged_versions(state: ProjectState) -> list[EarlierVersion]:
    """The versions of the tags that HEAD has."""
    found = []
    for one in state.repository.tags:
        match = state.form.pattern.fullmatch(one.name) if one.name in state.repository.merged else None
        if match is not None and state.form.version_of(one.name) is not None:
            released = datetime.fromtimestamp(one.time, UTC).date() if one.time else None
            found.append(EarlierVersion(text=match["version"].replace("_", "."), released=released))
    return found


def _released_on_index(options: PrepareOptions, state: ProjectState) -> list[EarlierVersion]:
    """The versions on the index that have no tag here: those of other branches are of later series."""
    listing = collect.collect_listing(options.config.index("pypi"), state.project.name, retries=0)
    if not isinstance(listing, ProjectListing):
        return []  # the check of the access reports what is wrong
    tagged = {state.form.version_of(one.name) for one in state.repository.tags}
    return [EarlierVersion(text=str(one)) for one in files_by_release(listing) if one not in tagged]


def _version_edits(directory: Path, state: ProjectState, proposal: Proposal) -> tuple[FileEdit, ...]:
    if isinstance(state.places, DerivedFromTags) or state.current == proposal.version:
        return ()
    return project_version.write_version(directory, state.places, proposal.text)


def _plan_changelog(
    options: PrepareOptions, state: ProjectState, proposal: Proposal, tag: str
) -> ChangelogChange:  # fmt: skip
    system, root, last = options.system, state.repository.root, state.last_tag
    place = options.directory.resolve().relative_to(root.resolve())

    def at_last_tag(path: str) -> bytes | None:
        return commits.bytes_at(system, root, last, (place / path).as_posix()) if last else None

    return changelog.plan_changelog(
        ChangelogRequest(
            system=system, directory=options.directory, version=proposal.version, text=proposal.text,
            today=today_of(system), tag=tag, last_tag=last, commits=state.commits,
            configured=options.config.changelog, at_last_tag=at_last_tag,
        )
    )  # fmt: skip


def _affected_findings(
    system: System, root: Path, directory: Path, edits: Iterable[FileEdit], runs: Iterable[ToolRun]
) -> list[Finding]:
    """A finding for each affected file that has uncommitted changes, which could not be told from the release's."""
    paths = [one.path for one in edits] + [path for run in runs for path in run.paths]
    place = [repository_path(root, directory, path) for path in paths]
    return [
        Finding(
            message=f"{path!r} is to be changed, but it has uncommitted changes",
            remedy="commit them first, or take them back; see git status", where=path,
        )
        for path in commits.dirty_paths(system, root, place)
    ]  # fmt: skip


def repository_path(root: Path, directory: Path, path: str) -> str:
    """A path of a project, relative to the root of its repository, with slashes; links are followed.

    Raises `RefusedError` where it leads out of the repository: that could neither be committed nor undone.
    """
    place, top = (directory.resolve() / path).resolve(), root.resolve()
    if not place.is_relative_to(top):
        raise RefusedError(
            f"{path!r} is to be changed, but it is outside of the repository: {quote_path(place)}",
            remedy="put the file itself in the repository, not a link to it, and commit it",
        )
    return place.relative_to(top).as_posix()


def _pathspecs(root: Path, directory: Path, others: Sequence[Path]) -> list[str]:
    top = root.resolve()
    place = directory.resolve().relative_to(top).as_posix()
    excluded = (one.resolve().relative_to(top).as_posix() for one in others)
    start = [] if place == "." and not others else [":(top)" if place == "." else f":(top,literal){place}"]
    return [*start, *(f":(top,exclude,literal){one}" for one in excluded)]


def _load_pyproject(directory: Path) -> dict[str, object]:
    path = directory / "pyproject.toml"
    return project_config.load_toml(path) if path.is_file() else {}


def _no_identity() -> Finding:
    return Finding(
        message="git does not know who commits: user.name and user.email are not set",
        remedy='git config user.name "YOUR NAME", then git config user.email YOUR@ADDRESS',
    )


def today_of(system: System) -> date:
    """The day in UTC, by which indexes date releases."""
    return system.now().date()

"""Why a member of a set is released, or is not: by its source, its history, its journals and the index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from msgspec import Struct

from release.adapters import collect, project_config
from release.adapters.git import member_history, projects
from release.adapters.git.member_history import MemberRepository
from release.adapters.system.system import System
from release.core.errors import Exit, ReleaseError, ToolError
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.index import Index, ProjectListing, files_by_release, files_of_version
from release.core.models.release_set import Member, MemberFacts, SetSettings
from release.core.tag_form import TagForm
from release.publishing import journal as journals
from release.publishing.sets.read_members import FoundMember

Listing = ProjectListing | Unknown | None


class SetContext(Struct, frozen=True, kw_only=True):
    """What all members of a set share."""

    system: System
    root: Path
    settings: SetSettings
    #: the index that the set is released to
    target: Index
    #: canonical names of the members that may be released
    selected: frozenset[str]
    #: directories of all members, sorted
    directories: tuple[str, ...]
    #: directory of a member → its repository, or why that is unknown; None without one
    repositories: Mapping[str, MemberRepository | Unknown | None]
    #: root of a repository → the name of the project there; None without one
    root_projects: Mapping[Path, str | None]
    #: whether no index was asked
    offline: bool
    #: canonical names of the members that are named to be released: `only-changed` leaves none of them out
    named: frozenset[str] = frozenset()


class _History(Struct, frozen=True, kw_only=True):
    tag: str | None = None
    commits: int = 0
    tag_format: str = ""
    shallow: bool = False
    problem: Unknown | None = None


def describe_member(one: FoundMember, listings: Mapping[str, Listing], context: SetContext) -> MemberFacts:
    """The facts of a member."""
    member, target = one.member, context.target.name
    if member.private:
        return MemberFacts(member=member, state="private", listings=listings, reason=member.private_by)
    if one.name not in context.selected:
        return MemberFacts(member=member, state="not-selected", listings=listings, reason="--only names others")
    listing = listings.get(target)
    problem = one.problem or (listing if isinstance(listing, Unknown) else None)
    if problem is not None or isinstance(listing, Unknown):
        return MemberFacts(member=member, state="unknown", listings=listings, problem=problem)
    missing = "no index was asked" if context.offline else _missing(member, listing, context)
    history = _history(one, context, released=not missing)
    if history.problem is not None:
        return MemberFacts(member=member, state="unknown", listings=listings, problem=history.problem)
    leave_out = context.settings.only_changed and one.name not in context.named
    unchanged = missing and leave_out and history.tag is not None and not history.commits
    reason = missing or f"{target} has it"
    return MemberFacts(
        member=member, listings=listings, last_tag=history.tag, commits_since=history.commits,
        tag_format=history.tag_format, shallow=history.shallow,
        state="unchanged" if unchanged else "release" if missing else "released",
        reason=f"no commit since {history.tag}" if unchanged else reason,
    )  # fmt: skip


def _missing(member: Member, listing: ProjectListing | None, context: SetContext) -> str:
    """What the index lacks of the member; empty where its release is whole."""
    name = context.target.name
    if listing is None:
        return f"new on {name}"
    there = files_of_version(listing, member.version)
    if not there:
        newest = max(files_by_release(listing), default=None)
        return f"{name} has {newest}" if newest else f"{name} has no release"
    if member.files:
        listed = {one.filename: one.sha256 for one in there}
        same = sum(listed.get(one.filename) == one.sha256 for one in member.files)
        return "" if same == len(member.files) else f"{name} has {same} of {len(member.files)} files"
    return _unfinished(member, {one.filename for one in there}, context)


def _unfinished(member: Member, listed: set[str], context: SetContext) -> str:
    """What a run that began the release here has not done yet, by its journal."""
    name, place = context.target.name, context.root / member.directory
    repository = context.repositories.get(member.directory)
    commit = repository.commit if isinstance(repository, MemberRepository) else None
    for journal in reversed(journals.release_journals(place)):
        if journal.version != member.version:
            continue
        events, built = list(journal.events()), journal.built()
        if not built or not any(one.get("index") == name for one in events):
            continue
        there = sum(one.filename in listed for one in built)
        if there < len(built):
            return f"{name} has {there} of {len(built)} files"
        if journal.commit != commit:
            return ""  # whole; what else that run has left to do is about another commit
        if not any(one["event"] == "verified" and one.get("index") == name for one in events):
            return f"not confirmed on {name}"
        exits = [one.get("exit") for one in events if one["event"] == "ended"]
        return "its last run did not complete" if exits[-1:] == [Exit.INCOMPLETE] else ""
    return ""


def _history(one: FoundMember, context: SetContext, *, released: bool) -> _History:
    """The tag that the member is compared with, and the commits since."""
    member, repository = one.member, context.repositories.get(one.member.directory)
    only_changed = context.settings.only_changed and bool(member.directory) and not released
    only_changed = only_changed and one.name not in context.named
    if isinstance(repository, Unknown):
        return _History(problem=repository)
    if repository is None:
        reason = f"only-changed in [tool.release.set] needs the history of {member.name}, but there is no repository"
        remedy = "run it in a clone of the repository, or remove only-changed"
        return _History(problem=Unknown(reason=reason, remedy=remedy) if only_changed else None)
    try:
        form = _tag_form(one, repository, context)
        if released:
            merged = (one.name for one in repository.tags.of_form(form) if one.name in repository.merged)
            tag = form.existing_tag(member.version, merged)
        else:
            tag = member_history.tag_before(form, member.version, repository)
        if tag is None:
            reason = f"the clone is shallow, so the commits since the last release of {member.name} are not known"
            unknown = Unknown(reason=reason, remedy="fetch the history: git fetch --unshallow --tags")
            problem = unknown if only_changed and repository.shallow else None
            return _History(problem=problem, tag_format=form.template, shallow=repository.shallow)
        place = context.root / member.directory
        inside = [context.root / other for other in _directories_inside(context.directories, member.directory)]
        commits = member_history.commits_since(context.system, repository, tag, place, inside)
        return _History(tag=tag, commits=commits, tag_format=form.template)
    except ToolError as error:
        return _History(problem=Unknown(reason=error.message, remedy=error.remedy))


def _directories_inside(directories: Sequence[str], directory: str) -> Sequence[str]:
    """Those of the sorted directories that are inside of one."""
    if directory == ".":
        return [other for other in directories if other != directory]
    start, end = f"{directory}/", f"{directory}0"  # "0" follows "/" in the order of texts
    return directories[bisect_left(directories, start) : bisect_left(directories, end)]


def _tag_form(one: FoundMember, repository: MemberRepository, context: SetContext) -> TagForm:
    """The form of the member's tags, as `pypi-preflight release` in its directory would have it."""
    project = ProjectMetadata(name=one.member.name, version=one.member.version)
    place = context.root / one.member.directory
    at_root = place.resolve() == repository.root.resolve()
    root_project = None if at_root else context.root_projects[repository.root]
    same = (other for other in context.repositories.values() if other is repository)
    shared = len(list(islice(same, 2))) > 1
    alone = not shared and not projects.has_other_projects(context.system, repository.root, place)
    return collect.choose_tag_form(one.config, project, repository.tags, root_project=root_project, alone=alone)


def load_root_projects(repositories: Iterable[MemberRepository | Unknown | None]) -> dict[Path, str | None]:
    """The name of the project at the root of each repository; None where there is none, or it cannot be read."""
    found: dict[Path, str | None] = {}
    for one in repositories:
        if isinstance(one, MemberRepository) and one.root not in found:
            found[one.root] = None
            with suppress(ReleaseError):
                found[one.root] = project_config.load_project_name(one.root)
    return found


def find_repositories(
    system: System, root: Path, directories: Sequence[str]
) -> dict[str, MemberRepository | Unknown | None]:
    """The repository of each member: that of the root, or its own, as in a submodule."""
    opened: dict[Path, MemberRepository | Unknown | None] = {}
    found = {}
    for directory in directories:
        top = root
        for place in ((root / directory), *(root / directory).parents):
            if place == root or (place / ".git").exists():
                top = place
                break
        if top not in opened:
            try:
                opened[top] = member_history.open_repository(system, top)
            except ToolError as error:
                opened[top] = Unknown(reason=error.message, remedy=error.remedy)
        found[directory] = opened[top]
    return found

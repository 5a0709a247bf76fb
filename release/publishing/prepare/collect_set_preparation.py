"""Collect what the preparation of a set changes: the next version of each member that has changed, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from packaging.version import Version

from release.checks import engine, set_checks
from release.core.errors import RefusedError, UsageError
from release.core.models import check_result
from release.core.models.index import normalize_name
from release.core.models.preparation import CommitSummary, EarlierVersion, Proposal
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.core.next_version import WORDS, propose_version
from release.core.set_order import sibling_requirements
from release.publishing.prepare.collect_preparation import (
    CollectedPreparation,
    PrepareOptions,
    ProjectState,
    collect_state,
    plan_preparation,
    released_versions,
    repository_path,
    today_of,
)
from release.publishing.prepare.requirement_edits import raised_requirement
from release.publishing.sets.collect_set import load_set
from release.publishing.sets.read_members import load_member_config


class SetPreparation(Struct, frozen=True, kw_only=True):
    """The preparations of a set's members."""

    members: tuple[CollectedPreparation, ...]
    #: names of the members that are left out → why
    left_out: Mapping[str, str]


class _Member(Struct, frozen=True, kw_only=True):
    name: str
    options: PrepareOptions
    state: ProjectState


def collect_set_preparation(options: PrepareOptions, only: Sequence[str] = ()) -> SetPreparation:
    """The preparation of the set at `options.directory`.

    Members with commits since their last tag get a version each; with `lockstep`, all get one. `only`: names of the
    members to prepare. Raises `RefusedError` where no member has changed, `UsageError` for a wish that does not fit.
    """
    found = load_set(options.system, options.directory, only=only, offline=True)
    lockstep = found.settings.lockstep
    if lockstep and only:
        raise UsageError(
            "lockstep in [tool.release.set] asks for one version of all members", remedy="leave out --only"
        )
    left_out = {one.member.name: one.reason or one.state for one in found.members if one.state in _LEFT_OUT}
    states = [_state(options, one, found) for one in found.members if one.state not in _LEFT_OUT]
    proposals = _in_lockstep(options, states) if lockstep else _one_by_one(options, states, only)
    for one in states:
        if one.name not in proposals:
            left_out[one.name] = f"no commit since {one.state.last_tag}"
    if not proposals:
        raise RefusedError(
            "no member has changed since its last tag",
            remedy="commit what is to be released; for a new version of the same: pypi-preflight set prepare patch "
            "--only NAME",
        )
    prepared = [
        plan_preparation(one.options, one.state, proposals[one.name], _requirements(found, one, states, proposals))
        for one in states if one.name in proposals
    ]  # fmt: skip
    changed = _lock_once([one for one in prepared if not one.is_complete])
    left_out |= {
        one.preparation.project: f"{one.preparation.proposal.text} is prepared already"
        for one in prepared if one.is_complete
    }  # fmt: skip
    return SetPreparation(members=changed, left_out=left_out)


def _lock_once(members: Sequence[CollectedPreparation]) -> tuple[CollectedPreparation, ...]:
    """The members, of which the first one updates the lock file that several have."""
    seen: set[tuple[str, ...]] = set()
    found = []
    for one in members:
        places = {run: tuple(repository_path(one.root, one.directory, path) for path in run.paths)
                  for run in one.preparation.runs}  # fmt: skip
        runs = tuple(run for run, paths in places.items() if paths not in seen)
        seen |= set(places.values())
        found.append(replace(one, preparation=replace(one.preparation, runs=runs)))
    return tuple(found)


#: the states of members that are not prepared
_LEFT_OUT = frozenset({"private", "not-selected"})


def check_prepared_set(options: PrepareOptions, prepared: SetPreparation) -> None:
    """Run the checks of the set on the changed files. Raises `RefusedError` where one blocks."""
    if any(one.preparation.tag for one in prepared.members):
        return  # versions that are derived from tags change with the tags
    found = load_set(options.system, options.directory, offline=True)
    config = options.config
    outcomes = list(engine.run(set_checks.CHECKS, found, waive=config.waive, block=config.block))
    problem = check_result.blocking_problem(outcomes)
    if problem is not None:
        raise RefusedError(problem.message, remedy=problem.remedy, cause=problem.cause)


def _state(options: PrepareOptions, facts: MemberFacts, found: ReleaseSet) -> _Member:
    """Raises `RefusedError` where the member cannot be read."""
    if facts.problem is not None:
        raise RefusedError(f"{facts.member.name}: {facts.problem.reason}", remedy=facts.problem.remedy)
    root, place = options.directory, facts.member.directory
    config = options.config if place == "." else load_member_config(options.config, root / place, root=root)
    own = replace(options, directory=(root / place).resolve(), config=config)
    inside = [root / one.member.directory for one in found.members if _is_inside(one.member.directory, place)]
    return _Member(name=facts.member.name, options=own, state=collect_state(own, inside))


def _is_inside(other: str, directory: str) -> bool:
    return other != directory and (directory == "." or other.startswith(f"{directory}/"))


def _one_by_one(options: PrepareOptions, states: Sequence[_Member], only: Sequence[str]) -> dict[str, Proposal]:
    """Name → proposal, of the members with commits since their last tag, or without a tag.

    Where the user names members and what to raise, those without a commit are prepared, too.
    """
    named = set(map(normalize_name, only)) if options.wish is not None else set()
    if options.wish is not None and options.wish not in WORDS and len(states) > 1:
        raise UsageError(
            f"{options.wish!r} is a version, but the members have versions of their own",
            remedy="name one member: --only NAME; or pass a word: patch, minor, major",
        )
    return {
        one.name: propose_version(
            one.state.current, one.state.commits, options.wish, today=today_of(options.system),
            released=released_versions(one.options, one.state),
        )
        for one in states
        if one.state.commits or one.state.last_tag is None or normalize_name(one.name) in named
    }  # fmt: skip


def _in_lockstep(options: PrepareOptions, states: Sequence[_Member]) -> dict[str, Proposal]:
    """One proposal for all members, from the commits of all; empty where none has changed."""
    if not any(one.state.commits or one.state.last_tag is None for one in states):
        return {}
    commits: dict[str, CommitSummary] = {}
    released: dict[str, EarlierVersion] = {}
    for one in states:
        commits |= {each.commit: each for each in one.state.commits}
        released |= {each.text: each for each in released_versions(one.options, one.state)}
    current = max((one.state.current for one in states if one.state.current is not None), default=None)
    proposal = propose_version(
        current, list(commits.values()), options.wish, today=today_of(options.system), released=list(released.values())
    )
    return {one.name: proposal for one in states}


def _requirements(
    found: ReleaseSet, member: _Member, states: Sequence[_Member], proposals: Mapping[str, Proposal]
) -> dict[str, str]:
    """The requirements of a member on others that are prepared with it → what replaces them."""
    new = {
        str(normalize_name(one.name)): (_version_before(one), proposals[one.name].text)
        for one in states if one.name in proposals
    }  # fmt: skip
    replaced = {}
    for edge in sibling_requirements(one.member for one in found.members):
        if edge.member == normalize_name(member.name) and edge.needs in new:
            before, after = new[edge.needs]
            text = raised_requirement(edge, before, after, lockstep=found.settings.lockstep)
            if text is not None:
                replaced[edge.text] = text
    return replaced


def _version_before(one: _Member) -> Version | None:
    """The version of the last release, or that of the files."""
    tagged = one.state.form.version_of(one.state.last_tag) if one.state.last_tag else None
    return one.state.current or tagged

"""The result of a set's run: exit status, message, remedy, the next command, and what each index has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from release.checks import post_upload
from release.core.errors import Exit, ReleaseError
from release.core.models.check_result import (
    BlockingProblem,
    CheckState,
    Outcome,
    Unknown,
    blocking_problem,
    first_problem,
)
from release.core.models.distribution import Distribution, Receipt, UnclearResponse
from release.core.models.index import ProjectListing, files_of_version, normalize_name
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.core.models.results import RunResult
from release.core.models.set_results import IndexStanding, MemberResult, SetRunResult, SetVerb, Standing
from release.core.plan import SANDBOX
from release.core.repeated_command import RepeatedCommand
from release.core.shell import command_line
from release.core.time_text import format_count
from release.publishing.result import tag_to_push

#: up to this many members are named one by one
_FEW = 6
#: up to this many partial or unknown members are named on each index
_NAMED = 3
_CONFIRMING = frozenset(check.name for check in post_upload.CHECKS)
_NOT_ASKED = Unknown(reason="the index was not asked", remedy="")
#: options of a rehearsal that a release does not have
_ONLY_REHEARSED = ("--offline", "--allow")


class SetRunState(Struct, frozen=True, kw_only=True):
    """What a run of a set has done until its end."""

    verb: SetVerb
    release_set: ReleaseSet
    #: names of the indexes that the run uploads to, in order; a rehearsal has the sandbox
    indexes: tuple[str, ...]
    #: canonical name of a member → the result of its run; a member that did not begin is missing
    results: Mapping[str, RunResult]
    #: canonical names of the members whose run ended only because another one failed, or by an interrupt
    stopped: Collection[str] = ()
    #: canonical name of a member → name of an index → the files that it has by the member's journal
    recorded: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    #: canonical name of a member → the files of its last build, where its run did not get as far as them
    built: Mapping[str, Sequence[Distribution]] = field(default_factory=dict)
    #: what stopped the run outside of any member's run; None if nothing did
    failure: ReleaseError | None = None
    #: the checks of the set as a whole
    outcomes: Sequence[Outcome] = ()
    #: the command that repeats the run
    command: RepeatedCommand


def set_run_result(state: SetRunState) -> SetRunResult:
    """The result of the run."""
    members = tuple(_member_result(state, facts) for facts in _released_members(state.release_set))
    done = _is_complete(state, members)
    cause = None if done else _cause(state, members)
    return SetRunResult(
        verb=state.verb, release_set=state.release_set, indexes=state.indexes, members=members,
        exit=Exit.DONE if done else _exit_status(state, members),
        message=_success_message(state, members) if cause is None
        else "\n".join([cause.message, *progress_lines(members, _reported_indexes(state))]),
        remedy=_success_remedy(members) if cause is None else cause.remedy,
        next_command=_next_command(state, members) if cause is None
        else str(state.command.with_option(*cause.option)),
        outcomes=tuple(state.outcomes),
    )  # fmt: skip


def _released_members(release_set: ReleaseSet) -> Iterator[MemberFacts]:
    """The members that are to be released, in the order of the levels."""
    known = {normalize_name(facts.member.name): facts for facts in release_set.members}
    yield from (known[normalize_name(name)] for level in release_set.levels for name in level)


def _member_result(state: SetRunState, facts: MemberFacts) -> MemberResult:
    name = normalize_name(facts.member.name)
    result = state.results.get(name)
    recorded, built = state.recorded.get(name, {}), state.built.get(name, ())
    return MemberResult(
        name=facts.member.name, version=facts.member.version, result=result, stopped=name in state.stopped,
        standings=tuple(
            index_standing(facts, index, result=result, recorded=recorded.get(index, ()), files=built)
            for index in state.indexes
        ),
    )  # fmt: skip


def index_standing(
    facts: MemberFacts,
    index: str,
    *,
    result: RunResult | None = None, recorded: Collection[str] = (), files: Sequence[Distribution] = (),
) -> IndexStanding:  # fmt: skip
    """What an index has of a member, by its listing, by the answers to the uploads of a run, and by the journal.

    `recorded`: names of the files that the index has accepted by the journal; they count where the index was not asked,
    or did not answer. `files`: the member's files, where neither the run nor the set knows them.
    """
    answers = result.uploads.get(index, ()) if result else ()
    there = {one.filename for one in answers if isinstance(one, Receipt)}
    known = (result.files if result else ()) or facts.member.files or files
    hashes = {file.filename: file.sha256 for file in known}
    listing = facts.listings.get(index, _NOT_ASKED)
    if isinstance(listing, ProjectListing):
        listed = files_of_version(listing, facts.member.version)
        there |= {one.filename for one in listed if hashes.get(one.filename) in {None, one.sha256}}
    elif isinstance(listing, Unknown):
        there |= set(recorded)
    expected = len(hashes) or None
    if hashes:
        there &= hashes.keys()
    unclear = any(isinstance(one, UnclearResponse) and one.sent == "all" for one in answers)
    silent = isinstance(listing, Unknown) and listing is not _NOT_ASKED
    uncertain = unclear or silent or facts.problem is not None or (bool(there) and expected is None)
    return IndexStanding(
        index=index, standing=_standing(len(there), expected, uncertain=uncertain), accepted=len(there),
        expected=expected, confirmed=_is_confirmed(result, index),
    )  # fmt: skip


def _standing(accepted: int, expected: int | None, *, uncertain: bool) -> Standing:
    if expected is not None and accepted >= expected > 0:
        return "whole"
    if accepted and expected is not None:
        return "partial"
    return "unknown" if uncertain else "not-begun"


def _is_confirmed(result: RunResult | None, index: str) -> bool:
    """Whether the run made the last checklist for the index, and none of its checks blocks."""
    outcomes = result.outcomes if result else ()
    found = [one for one in outcomes if one.subject == index and one.check in _CONFIRMING]
    return bool(found) and not any(one.state.blocks for one in found)


def _is_complete(state: SetRunState, members: Sequence[MemberResult]) -> bool:
    blocked = state.failure is not None or any(one.state.blocks for one in state.outcomes)
    blocked = blocked or any(one.state == "unknown" for one in state.release_set.members)
    ended = all(one.result is not None and one.result.exit == Exit.DONE and not one.stopped for one in members)
    return ended and not blocked


def _exit_status(state: SetRunState, members: Sequence[MemberResult]) -> Exit:
    exits = [one.result.exit for one in members if one.result]
    if Exit.INCOMPLETE in exits or any(_has_uploaded(one.result) for one in members if one.result):
        return Exit.INCOMPLETE
    if Exit.UNCHANGED in exits:
        return Exit.UNCHANGED
    if state.failure is not None:
        return state.failure.exit
    own = [one.result.exit for one in members if one.result and one.failed]
    return own[0] if own else Exit.REFUSED


def _has_uploaded(result: RunResult) -> bool:
    """Whether the run has, or may have, uploaded something to an index that lasts."""
    return any(
        (isinstance(one, Receipt) and not one.already_there) or (isinstance(one, UnclearResponse) and one.sent == "all")
        for index, answers in result.uploads.items() if index != SANDBOX for one in answers
    )  # fmt: skip


# -- texts -----------------------------------------------------------------------------------------


def _cause(state: SetRunState, members: Sequence[MemberResult]) -> BlockingProblem:
    """Why the run stopped: what is wrong with the set, else with the first member in the order of the levels."""
    if state.failure is not None:
        return BlockingProblem(
            message=state.failure.message, remedy=state.failure.remedy, cause=state.failure.cause,
            option=state.failure.option,
        )  # fmt: skip
    problem = blocking_problem(state.outcomes)
    if problem is not None:
        return problem
    failed = [one for one in members if one.failed]
    unknown = _unknown_member(state.release_set)
    if not failed and unknown is not None:
        return unknown
    if not failed:
        left = [one for one in members if one.result is None or one.stopped]
        message = f"{format_count(len(left), 'member')} not finished: {_names([one.name for one in left])}"
        return BlockingProblem(message=message, remedy="run it again: it continues where it stopped", cause=None)
    first = failed[0].result
    assert first is not None
    others = _names([one.name for one in failed[1:]])
    more = f"; {_also(len(failed) - 1)} failed: {others}" if others else ""
    message = f"{failed[0].title}: {_one_line(first.message)}{more}"
    return BlockingProblem(message=message, remedy=first.remedy, cause=None)


def _unknown_member(release_set: ReleaseSet) -> BlockingProblem | None:
    """Why the first member that cannot be read is unknown: it may be one to release."""
    for one in release_set.members:
        if one.state == "unknown":
            reason = one.problem.reason if one.problem else "its state is not known"
            remedy = one.problem.remedy if one.problem else "run: pypi-preflight set list"
            return BlockingProblem(message=f"{one.member.name}: {reason}", remedy=remedy, cause=None)
    return None


def _also(count: int) -> str:
    return f"{count} more member{'' if count == 1 else 's'}"


def _one_line(text: str) -> str:
    return "; ".join(text.splitlines())


def _reported_indexes(state: SetRunState) -> tuple[str, ...]:
    """The indexes that a stop reports: those that last, and only of a release. The sandbox is gone by then."""
    return tuple(one for one in state.indexes if one != SANDBOX) if state.verb == "release" else ()


def progress_lines(members: Iterable[MemberResult], indexes: Iterable[str]) -> Iterator[str]:
    """A line for each index: which members are whole, which partial, which not begun; counts where they are many."""
    known = tuple(members)
    for index in indexes:
        found = [(one, standing) for one in known if (standing := one.standing(index))]
        if found:
            yield f"{index}: {_progress(found)}"


def _progress(found: Sequence[tuple[MemberResult, IndexStanding]]) -> str:
    by: dict[Standing, list[tuple[MemberResult, IndexStanding]]] = {}
    for one in found:
        by.setdefault(one[1].standing, []).append(one)
    if len(by) == 1 and "not-begun" in by:
        return "no member begun"
    counts = len(found) > _FEW
    parts = []
    if whole := by.get("whole"):
        total = f"{len(whole)} of {len(found)} members" if counts else _names([one.name for one, _ in whole])
        parts.append(f"{total} whole")
    for standing, word in (("partial", "partial"), ("unknown", "unknown")):
        some = by.get(standing, ())  # type: ignore[call-overload] # both are standings
        named = ", ".join(f"{one.name}: {_file_count(at)}" for one, at in some[:_NAMED])
        if some:
            parts.append(f"{len(some)} {word} ({named}{', …' if len(some) > _NAMED else ''})")
    if left := by.get("not-begun"):
        parts.append(f"{len(left) if counts else _names([one.name for one, _ in left])} not begun")
    return ", ".join(parts) if counts else "; ".join(parts)


def _file_count(standing: IndexStanding) -> str:
    if standing.expected is None:
        return format_count(standing.accepted, "file")
    return f"{standing.accepted} of {format_count(standing.expected, 'file')}"


def _names(names: Sequence[str]) -> str:
    """Up to `_FEW` names, else their number behind the first ones."""
    if len(names) <= _FEW:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])}, … {names[-1]}"


def _success_message(state: SetRunState, members: Sequence[MemberResult]) -> str:
    target = state.release_set.index
    if not members:
        return f"nothing to do: {_idle_text(state.release_set)}"
    count = format_count(len(members), "member")
    levels = f"in {format_count(len(state.release_set.levels), 'level')}"
    are = "is" if len(members) == 1 else "are"
    if state.verb == "check":
        return f"{count} {are} ready to be released {levels}"
    if state.verb == "rehearse":
        return _rehearsed_message(members, f"{count} {'was' if len(members) == 1 else 'were'} rehearsed {levels}")
    where = " and ".join([one for one in state.indexes if one != SANDBOX] or [target])
    if not all(at.confirmed for one in members for at in one.standings if at.index != SANDBOX):
        return f"{count} {are} on {where}"
    waived = _waived(members)
    proof = f"; waived: {waived}" if waived else ": hashes verified, installed and tested"
    return f"{count} {are} on {where}, confirmed{proof}"


def _rehearsed_message(members: Sequence[MemberResult], start: str) -> str:
    single = len(members) == 1
    works = "it, and it installs and works" if single else "them, and they install and work"
    waived = _waived(members)
    message = f"{start}: the index accepted {works}" if not waived else f"{start}; waived: {waived}"
    notes = [(one, problem) for one in members if (problem := _open_problem(one))]
    if notes:
        member, problem = notes[0]
        more = f" (and {_also(len(notes) - 1)})" if len(notes) > 1 else ""
        message += f"; before a release: {member.title}: {problem.message}{more}"
    return message


def _idle_text(release_set: ReleaseSet) -> str:
    """The members of a set that has nothing to release: "3 members released on pypi, 1 private"."""
    states = [facts.state for facts in release_set.members]
    words = {
        "released": f"on {release_set.index}", "unchanged": "unchanged since the last tag", "private": "private",
        "not-selected": "not selected", "unknown": "unknown",
    }  # fmt: skip
    found = [(states.count(state), word) for state, word in words.items() if state in states]
    texts = [f"{format_count(number, 'member')} {word}" for number, word in found[:1]]
    return ", ".join(texts + [f"{number} {word}" for number, word in found[1:]]) or "the set has no members"


def _open_problem(member: MemberResult) -> BlockingProblem | None:
    """What would block a release although the rehearsal succeeded."""
    return first_problem(member.result.outcomes if member.result else ())


def _success_remedy(members: Sequence[MemberResult]) -> str:
    found = (_open_problem(one) for one in members)
    return next((problem.remedy for problem in found if problem), "")


def _waived(members: Iterable[MemberResult]) -> str:
    """The names of the waived checks of what was uploaded: what they would show is not claimed."""
    names = (
        one.check
        for member in members if member.result
        for one in member.result.outcomes if one.state is CheckState.WAIVED and one.check in _CONFIRMING
    )  # fmt: skip
    return ", ".join(dict.fromkeys(names))


def _next_command(state: SetRunState, members: Sequence[MemberResult]) -> str:
    """What follows a success: the release, or the push of the tags that it created."""
    if not members:
        return ""
    if state.verb != "release":
        return str(set_command_for("release", state.command))
    ended = (one.result for one in members if one.result is not None and one.result.next_command)
    tags = [tag for tag in (tag_to_push(one.plan) for one in ended) if tag is not None]
    names = [tag.name for tag in tags if tag.remote == tags[0].remote]
    return command_line(state.command.shell, "git", "push", str(tags[0].remote), *names) if tags else ""


def set_command_for(verb: SetVerb, command: RepeatedCommand) -> RepeatedCommand:
    """The command that does something else with the same set."""
    found = command.with_verb("set", verb)
    return found.without(*_ONLY_REHEARSED) if verb == "release" else found

"""The status of a set: what each index has of its members, by their journals, the indexes and the set's record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from release.core.models.distribution import Distribution
from release.core.models.index import ProjectListing, name_from_filename, normalize_name
from release.core.models.release_set import Member, MemberFacts, ReleaseSet
from release.core.models.set_results import IndexStanding, MemberResult
from release.core.repeated_command import RepeatedCommand
from release.core.time_text import format_count
from release.publishing import journal as journals
from release.publishing.sets import set_recorder
from release.publishing.sets.set_result import index_standing, progress_lines, set_command_for
from release.reports import record_text, set_record_text

#: the states of members that are, or are to be, on an index
_OF_INDEXES = {"release", "released", "unknown"}


class MemberHistory(Struct, frozen=True, kw_only=True):
    """What the last journal of a member's version contains."""

    #: the files of the last build; empty if there was none, or if they were built elsewhere
    built: tuple[Distribution, ...] = ()
    #: name of an index → names of the files that it has accepted
    accepted: Mapping[str, frozenset[str]]
    #: names of the indexes on which the release is confirmed
    confirmed: frozenset[str] = frozenset()


class SetStatus(Struct, frozen=True, kw_only=True):
    """The status of a set."""

    release_set: ReleaseSet
    #: names of the indexes, in order
    indexes: tuple[str, ...]
    #: the members that are, or are to be, on an index, in the order of the levels, then the released ones
    members: tuple[MemberResult, ...]
    #: the record of the last run; None if there is none
    last_run: Mapping[str, Any] | None
    #: path of that record; empty if there is none
    record: str
    #: the command that continues; empty if nothing remains to be done
    next_command: str
    #: whether no index was asked
    offline: bool


def load_set_status(
    root: Path, release_set: ReleaseSet, *, command: RepeatedCommand, offline: bool
) -> SetStatus:  # fmt: skip
    """The status of the set at `root`, by the journals of its members and the listings in `release_set`.

    `command`: the one of `set status`, of which the other commands are derived. `offline`: whether no index was asked.
    """
    indexes = tuple(one.name for one in release_set.indexes) or (release_set.index,)
    last_run = set_recorder.load_last_set_record(root)
    paths = set_recorder.set_record_paths(root)
    members = tuple(_member_status(root, facts, release_set, indexes) for facts in _in_order(release_set))
    return SetStatus(
        release_set=release_set, indexes=indexes, members=members, last_run=last_run, offline=offline,
        record=str(paths[-1]) if last_run is not None else "",
        next_command=_next_command(release_set, last_run, command),
    )  # fmt: skip


def _in_order(release_set: ReleaseSet) -> list[MemberFacts]:
    places = {normalize_name(name): at for at, level in enumerate(release_set.levels) for name in level}
    known = [one for one in release_set.members if one.state in _OF_INDEXES]
    return sorted(known, key=lambda one: places.get(normalize_name(one.member.name), len(release_set.levels)))


def _member_status(
    root: Path, facts: MemberFacts, release_set: ReleaseSet, indexes: Iterable[str]
) -> MemberResult:  # fmt: skip
    history = load_member_history(root, facts.member)
    standings = (_standing(facts, index, history, target=index == release_set.index) for index in indexes)
    return MemberResult(
        name=facts.member.name, version=facts.member.version, result=None,
        standings=tuple(one for one in standings if one),
    )  # fmt: skip


def load_member_history(root: Path, member: Member) -> MemberHistory:
    """The newest journal of the member's version; an empty history if there is none."""
    accepted: dict[str, set[str]] = {}
    confirmed: set[str] = set()
    name = normalize_name(member.name)
    place = journals.member_directory(root, member.directory, name)
    found = [one for one in journals.release_journals(place) if one.version == member.version]
    if not found:
        return MemberHistory(accepted={})
    journal = found[-1]
    for event in journal.events():
        match event:
            case {"event": "accepted", "index": str(index), "file": str(file)} if name_from_filename(file) == name:
                accepted.setdefault(index, set()).add(file)
            case {"event": "verified", "index": str(index)}:
                confirmed.add(index)
            case _:
                pass
    built = tuple(one for one in journal.built() if name_from_filename(one.filename) == name)
    files = {index: frozenset(some) for index, some in accepted.items()}
    return MemberHistory(built=built, accepted=files, confirmed=frozenset(confirmed))


def _standing(facts: MemberFacts, index: str, history: MemberHistory, *, target: bool) -> IndexStanding | None:
    """What an index has of a member; None where it is released, and no dry run of it is on this index."""
    accepted: Collection[str] = history.accepted.get(index, ())
    found = index_standing(facts, index, recorded=accepted, files=history.built)
    if facts.state == "released" and target and found.standing != "whole":  # its files were built elsewhere
        listing = facts.listings.get(index)
        count = found.accepted if isinstance(listing, ProjectListing) else 0
        found = replace(found, standing="whole", accepted=count, expected=count or None)
    if facts.state == "released" and not target and found.standing == "not-begun":
        return None
    return replace(found, confirmed=found.standing == "whole" and index in history.confirmed)


def _next_command(release_set: ReleaseSet, last_run: Mapping[str, Any] | None, command: RepeatedCommand) -> str:
    """What continues: the last run if it did not end well, else what follows it."""
    if not release_set.levels and all(one.state != "unknown" for one in release_set.members):
        return ""
    if last_run is None:
        return str(set_command_for("rehearse", command))
    if last_run["exit"] is None or last_run["exit"]["status"]:
        return str(last_run["command"])
    done = {one["name"]: one["version"] for one in last_run["members"] if one["level"] is not None}
    versions = {one.member.name: one.member.version for one in release_set.members if one.state == "release"}
    rehearsed = last_run["verb"] != "release" and versions.items() <= done.items()
    return str(set_command_for("release" if rehearsed else "rehearse", command))


def set_status_to_lines(status: SetStatus) -> Iterator[str]:
    """The status for a terminal: a line for each member, then what each index has, and the command that continues."""
    release_set = status.release_set
    levels = {normalize_name(name): at for at, level in enumerate(release_set.levels, 1) for name in level}
    documents = {one["name"]: one for one in _members_to_json(status)}
    for member in status.members:
        document = {**documents[member.name], "level": levels.get(normalize_name(member.name))}
        at = [
            f"{one.index}: {set_record_text.standing_text(asdict(one), released=document['level'] is None).text}"
            for one in member.standings
        ]
        reason = f" ({document['reason']})" if document["state"] == "unknown" and document["reason"] else ""
        yield f"  {document['level'] or '-'}  {member.title}: {'; '.join(at)}{reason}"
    if left := set_record_text.left_out_text({"members": [one for one in documents.values() if not one["standings"]]}):
        yield f"not released: {left}"
    count, total = sum(map(len, release_set.levels)), format_count(len(release_set.members), "member")
    yield (
        f"{count} of {total} to release, in {format_count(len(release_set.levels), 'level')}"
        if count
        else "no member to release"
    )
    yield from progress_lines(status.members, status.indexes)
    if status.offline:
        yield "by the journals: no index was asked"
    if status.last_run:
        yield _last_run_text(status.last_run)
        yield f"record: {status.record}"
    if status.next_command:
        yield f"next: {status.next_command}"


def _last_run_text(record: Mapping[str, Any]) -> str:
    begun = record_text.timestamp_to_text(record["begun"])
    failed = record["exit"] is None or record["exit"]["status"]
    reason = f": {set_record_text.set_headline(record)}" if failed else ""
    return f"last run: {record['verb']}, {begun}: {set_record_text.set_outcome(record)[1]}{reason}"


def set_status_to_json(status: SetStatus) -> dict[str, Any]:
    """The status for JSON, schema 1."""
    run = status.last_run
    return {
        "schema": 1, "index": status.release_set.index, "indexes": list(status.indexes), "offline": status.offline,
        "levels": [list(level) for level in status.release_set.levels],
        "members": list(_members_to_json(status)),
        "progress": list(progress_lines(status.members, status.indexes)),
        "last_run": {key: run[key] for key in ("verb", "command", "begun", "ended", "exit")} if run else None,
        "record": status.record, "next": status.next_command,
    }  # fmt: skip


def _members_to_json(status: SetStatus) -> Iterator[dict[str, Any]]:
    levels = {normalize_name(name): at for at, level in enumerate(status.release_set.levels, 1) for name in level}
    standings = {one.name: one.standings for one in status.members}
    for facts in status.release_set.members:
        member = facts.member
        yield {
            "name": member.name, "version": member.version, "directory": member.directory, "state": facts.state,
            "reason": facts.problem.reason if facts.problem else facts.reason,
            "remedy": facts.problem.remedy if facts.problem else "",
            "level": levels.get(normalize_name(member.name)),
            "standings": [asdict(one) for one in standings.get(member.name, ())],
        }  # fmt: skip

"""The record of a set's run: one JSON document, schema 1, from which the reports of a set are made.

Pure: `release.publishing.sets.set_recorder` writes it. docs/sets.md describes it, and `set_record.schema.json`
defines it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from release.core.errors import Exit, ReleaseError
from release.core.events import CheckFinished, MemberFinished
from release.core.models.check_result import CheckState
from release.core.models.distribution import Receipt
from release.core.models.index import ProjectListing, files_of_version, normalize_name
from release.core.models.release_set import Member, MemberFacts, ReleaseSet
from release.core.models.set_results import IndexStanding, MemberResult, SetRunResult, SetVerb, Standing
from release.core.plan import SANDBOX
from release.core.quoting import quote_path
from release.reports.check_tally import tally_key
from release.reports.lines import outcome_to_json
from release.reports.record import format_timestamp
from release.reports.run_text import answer_to_json

SCHEMA_OF_SETS = 1

#: the keys that each item of a list has at least
_SET_LISTS = {
    "members": {"name", "version", "state", "level", "needs", "how", "message", "remedy", "standings", "tally"},
    "phases": {"title", "index", "level", "begun", "seconds", "members"},
    "checks": {"check", "title", "state", "findings"},
}
#: the states that are recorded in full; checks in other states are counted
_RECORDED = {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED, CheckState.WAIVED}


class PhaseRecord(Struct, frozen=True, kw_only=True):
    """A phase that started."""

    title: str
    #: names of its members
    members: tuple[str, ...]
    #: None for a phase without lasting uploads
    index: str | None
    level: int | None
    #: aware, UTC
    begun: datetime
    #: None while it goes on, or if the run was interrupted during this phase
    seconds: float | None = None
    #: seconds after it that a person took to answer
    prompted: float = 0
    #: name of a member → how it ended
    ends: Mapping[str, MemberFinished] = field(default_factory=dict)


class SetRunRecord(Struct, frozen=True, kw_only=True):
    """A run of a set: at its end, or so far. Times are aware, UTC."""

    verb: SetVerb
    #: the command that repeats the run
    command: str
    release_set: ReleaseSet
    #: names of the indexes of the run, in order
    indexes: tuple[str, ...]
    begun: datetime
    phases: Sequence[PhaseRecord]
    #: None while the run goes on
    ended: datetime | None = None
    #: None while the run goes on
    result: SetRunResult | None = None
    #: name of a member → each check with the title of its step, in order
    checks: Mapping[str, Sequence[tuple[str, CheckFinished]]] = field(default_factory=dict)
    #: name of a tool → version
    tools: Mapping[str, str] = field(default_factory=dict)
    #: the directory of the set, to which the paths of the members' records are relative
    root: str = ""


def set_record_to_json(run: SetRunRecord) -> dict[str, Any]:
    """The record. While the run goes on it contains no text of a member, so that it needs no redaction."""
    result, release_set = run.result, run.release_set
    return {
        "schema": SCHEMA_OF_SETS, "verb": run.verb, "command": run.command,
        "begun": format_timestamp(run.begun), "ended": format_timestamp(run.ended) if run.ended else None,
        "exit": {
            "status": int(result.exit), "message": result.message, "remedy": result.remedy, "next": result.next_command,
        } if result else None,
        "index": release_set.index, "indexes": list(run.indexes),
        "levels": [list(level) for level in release_set.levels],
        "members": [_member(run, facts) for facts in release_set.members],
        "checks": [outcome_to_json(one) for one in result.outcomes] if result else [],
        "phases": [_phase(one, with_notes=result is not None) for one in run.phases],
        "tools": dict(run.tools),
    }  # fmt: skip


def _member(run: SetRunRecord, facts: MemberFacts) -> dict[str, Any]:
    member, level = facts.member, _level(run.release_set, facts.member)
    ended = {one.name: one for one in run.result.members}.get(member.name) if run.result else None
    result = ended.result if ended else None
    how, message, remedy = _end_of_member(run, member.name, ended) if level is not None else ("left out", "", "")
    checks = run.checks.get(member.name, ()) if ended else ()
    seconds = [phase.ends[member.name].seconds for phase in run.phases if member.name in phase.ends]
    standings = ended.standings if ended else _standings(run, facts, planned=level is not None)
    return {
        "name": member.name, "version": member.version, "directory": member.directory, "state": facts.state,
        "level": level, "needs": sibling_names(member, run.release_set),
        "how": how, "message": message, "remedy": remedy,
        "seconds": round(sum(seconds), 3) if seconds else None,
        "standings": [asdict(one) for one in standings],
        "tally": dict(Counter(tally_key(one) for _, one in checks)),
        "checks": [
            outcome_to_json(one.outcome) | {"step": step, "stops": one.stops}
            for step, one in checks if one.outcome.state in _RECORDED
        ],
        "uploads": {
            index: [answer_to_json(one) for one in answers if not isinstance(one, Receipt)]
            for index, answers in result.uploads.items()
        } if result else {},
        "record": _relative(result.record, run.root) if result else "",
    }  # fmt: skip


def _level(release_set: ReleaseSet, member: Member) -> int | None:
    name = normalize_name(member.name)
    levels = enumerate(release_set.levels, 1)
    return next((number for number, level in levels if name in map(normalize_name, level)), None)


def sibling_names(member: Member, release_set: ReleaseSet) -> list[str]:
    """Canonical names of the members that a member requires, to run or to be built, in the order of the set."""
    from packaging.requirements import InvalidRequirement, Requirement

    wanted = set()
    for text in (*member.requires, *member.build_requires):
        try:
            wanted.add(normalize_name(Requirement(text).name))
        except InvalidRequirement:  # a check of the member reports it
            continue
    names = (normalize_name(facts.member.name) for facts in release_set.members)
    return [name for name in names if name in wanted and name != normalize_name(member.name)]


def _end_of_member(run: SetRunRecord, name: str, ended: MemberResult | None) -> tuple[str, str, str]:
    """How a member ended, with message and remedy."""
    if ended is None:
        return _how_so_far(run, name), "", ""
    if ended.result is not None:
        how = "stopped" if ended.stopped else "done" if ended.result.exit == Exit.DONE else "refused"
        return how, ended.result.message, ended.result.remedy
    last = next((phase.ends[name] for phase in reversed(run.phases) if name in phase.ends), None)
    if last is not None and last.status == "refused":  # its run could not start
        return "refused", last.note, last.remedy
    return "not reached", "", ""


def _how_so_far(run: SetRunRecord, name: str) -> str:
    """How a member ended its last phase so far; "broken off" if it did not end it, or has more of them before it."""
    phase = next((one for one in reversed(run.phases) if name in one.members), None)
    if phase is None:
        return "not reached"
    end = phase.ends.get(name)
    uploads = [index for index in run.indexes if index != SANDBOX]
    last = phase.index == (uploads[-1] if uploads else None)
    return end.status if end and (last or end.status not in {"done", "skipped"}) else "broken off"


def _standings(run: SetRunRecord, facts: MemberFacts, *, planned: bool) -> Iterable[IndexStanding]:
    """What the indexes have of a member, where there is no result: by the phases, or by the listing."""
    name = facts.member.name
    if planned:
        for index in run.indexes:
            ends = [one.ends.get(name) for one in run.phases if one.index == index and name in one.members]
            done = bool(ends) and all(end is not None and end.status in {"done", "skipped"} for end in ends)
            standing: Standing = "whole" if done else "unknown" if ends else "not-begun"
            yield IndexStanding(index=index, standing=standing, confirmed=done)
    elif facts.state == "released":
        listing = facts.listings.get(run.release_set.index)
        count = len(files_of_version(listing, facts.member.version)) if isinstance(listing, ProjectListing) else 0
        yield IndexStanding(index=run.release_set.index, standing="whole", accepted=count, expected=count or None)


def _phase(phase: PhaseRecord, *, with_notes: bool) -> dict[str, Any]:
    return {
        "title": phase.title, "index": phase.index, "level": phase.level, "begun": format_timestamp(phase.begun),
        "seconds": None if phase.seconds is None else round(phase.seconds, 3), "prompted": round(phase.prompted, 3),
        "members": [_end(name, phase.ends.get(name), with_notes=with_notes) for name in phase.members],
    }  # fmt: skip


def _end(name: str, end: MemberFinished | None, *, with_notes: bool) -> dict[str, Any]:
    return {
        "name": name, "how": end.status if end else "broken off",
        "seconds": round(end.seconds, 3) if end else None, "note": end.note if end and with_notes else "",
    }  # fmt: skip


def _relative(path: str, root: str) -> str:
    """The path relative to the set's directory, with slashes; unchanged where it is elsewhere."""
    pure = PurePath(path)
    return pure.relative_to(root).as_posix() if path and root and pure.is_relative_to(root) else path


def validate_set_record(value: Any, where: str) -> dict[str, Any]:
    """The value as the record of a set; `where` is its path. Raises `ReleaseError` if it is not a valid one."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA_OF_SETS:
        raise ReleaseError(
            f"{quote_path(where)} has schema {schema}, but this version supports only {SCHEMA_OF_SETS}",
            remedy="upgrade: python -m pip install --upgrade pypi-preflight",
        )
    if schema != SCHEMA_OF_SETS or not _is_set_record(value):
        raise ReleaseError(
            f"{quote_path(where)} is not the record of a set",
            remedy="restore the file that `pypi-preflight set` has written: .release/sets/TIME/record.json",
        )
    return dict(value)


def _is_set_record(record: dict[str, Any]) -> bool:
    """Whether the record has everything that the reports read, of the right type."""
    exit_ = record.get("exit")
    if exit_ is not None and not (isinstance(exit_, dict) and {"status", "message", "remedy", "next"} <= exit_.keys()):
        return False
    lists = all(_has_items(record, key, wanted) for key, wanted in _SET_LISTS.items())
    texts = all(isinstance(record.get(key), str) for key in ("verb", "command", "begun", "index"))
    return lists and texts and all(isinstance(record.get(key), list) for key in ("levels", "indexes"))


def _has_items(record: Mapping[str, Any], key: str, wanted: set[str]) -> bool:
    items = record.get(key)
    return isinstance(items, list) and all(isinstance(one, dict) and wanted <= one.keys() for one in items)

"""The record of a set's run as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.harmless import harmless_lines
from release.core.time_text import format_count, format_duration
from release.reports import record_text, set_record_text
from release.reports.plain_text import problem_lines, text_section
from release.reports.record_text import Data


def render(record: Data) -> str:
    return "".join(f"{harmless_lines(text)}\n" for text in _lines(record))


def _lines(record: Data) -> Iterator[str]:
    members = set_record_text.released(record)
    yield set_record_text.set_title(record)
    took = f", {format_duration(record_text.run_seconds(record))}" if record["ended"] else ""
    begun = record_text.timestamp_to_text(record["begun"])
    yield f"  {begun}{took}: {set_record_text.set_outcome(record)[1]}"
    yield f"  {set_record_text.set_headline(record)}"
    yield from (f"    {one}" for one in set_record_text.set_progress(record))
    if remedy := set_record_text.set_remedy(record):
        yield from (f"  {'  ' if number else '→ '}{line}" for number, line in enumerate(remedy.splitlines()))
    if command := set_record_text.set_next_command(record):
        yield f"  next: {command}"
    yield from text_section("members", (_member(record, one) for one in members))
    if left := set_record_text.left_out_text(record):
        yield f"not released: {left}"
    yield from text_section("phases", map(_phase, record["phases"]))
    yield from text_section("problems of the set", problem_lines({**record, "uploads": {}}))
    for member in members:
        if set_record_text.has_problem(member):
            message = [member["message"]] if member["message"] else []
            message += [f"→ {member['remedy']}"] if member["remedy"] else []
            title = set_record_text.member_title(member)
            yield from text_section(title, [*message, *problem_lines(member)])
    yield from text_section("warnings", map(_shared, set_record_text.shared_warnings(members)))


def _member(record: Data, member: Data) -> str:
    standings = ((index, set_record_text.member_standing(member, index)) for index in record["indexes"])
    at = [f"{index}: {found.text}" for index, found in standings if found]
    tally = set_record_text.member_tally(member)
    parts = [set_record_text.member_end(member)[1], *at, *([tally] if tally else [])]
    return f"{member['level']}. {set_record_text.member_title(member)}: {'; '.join(parts)}"


def _phase(phase: Data) -> str:
    took = "not ended" if phase["seconds"] is None else format_duration(phase["seconds"])
    return f"{phase['title']}: {format_count(len(phase['members']), 'member')}, {took}"


def _shared(warning: set_record_text.SharedWarning) -> str:
    return f"{warning.check['title']} [{warning.check['check']}]: {', '.join(warning.members)}"

"""The members of a set, as text and JSON: what each is, what happens to it, and in which order."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from release.core.models.check_result import Unknown
from release.core.models.index import files_of_version, normalize_name
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.core.time_text import format_count
from release.reports.line_width import truncate_middle
from release.reports.lines import Line

#: columns
_WIDTH = 80
_LONGEST_NAME, _LONGEST_VERSION = 28, 16
_STYLES: Mapping[str, str] = {"release": "green", "unknown": "bold red"}


def set_to_lines(found: ReleaseSet) -> Iterator[Line]:
    """The members by levels, then those that are not released; within 80 columns."""
    by_name: dict[str, MemberFacts] = {normalize_name(one.member.name): one for one in found.members}
    names = min(_LONGEST_NAME, max((len(one.member.name) for one in found.members), default=0))
    versions = min(_LONGEST_VERSION, max((len(one.member.version) for one in found.members), default=0))
    to = " and ".join(one.name for one in found.indexes) or found.index
    releasing = sum(map(len, found.levels)) or "none"
    levels = f" in {format_count(len(found.levels), 'level')}" if len(found.levels) > 1 else ""
    yield Line(
        text=f"{format_count(len(found.members), 'member')}: {releasing} to release to {to}{levels}", style="bold"
    )
    for number, level in enumerate(found.levels, 1):
        yield Line(text=f"level {number}")
        for name in level:
            yield from _member_to_lines(by_name[name], names, versions)
    rest = [one for one in found.members if one.state != "release"]
    if rest:
        yield Line(text="not released")
        for one in rest:
            yield from _member_to_lines(one, names, versions)
    for note in found.notes:
        yield from (Line(text=text, style="dim") for text in _wrap(f"note: {note}", "", "      "))


def _member_to_lines(one: MemberFacts, names: int, versions: int) -> Iterator[Line]:
    """The line of a member, and what to do about one that cannot be read."""
    member = one.member
    name, version = truncate_middle(member.name, names), truncate_middle(member.version or "?", max(versions, 1))
    start = f"  {name:<{names}}  {version:<{versions}}  "
    reason = one.problem.reason.partition("\n")[0] if one.problem else one.reason
    changes = ""
    if one.state == "released" and one.commits_since:
        changes = f", but {format_count(one.commits_since, 'commit')} since {one.last_tag}"
    text = f"{one.state}: {reason}{changes}" if reason else one.state
    for line in _wrap(text, start, " " * len(start)):
        yield Line(text=line, style=_STYLES.get(one.state, ""))
    if one.problem and one.problem.remedy:
        yield from (Line(text=f"    {mark} {line}") for mark, line in _marked(one.problem.remedy.splitlines()))


def _marked(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from ((" " if number else "→", line) for number, line in enumerate(lines))


def _wrap(text: str, start: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def set_to_json(found: ReleaseSet) -> dict[str, Any]:
    """The set for JSON, schema 1: members with state and reason, and the levels."""
    return {
        "schema": 1,
        "index": found.index,
        "indexes": [one.name for one in found.indexes],
        "levels": [list(level) for level in found.levels],
        "members": [_member_to_json(one) for one in found.members],
        "notes": list(found.notes),
    }


def _member_to_json(one: MemberFacts) -> dict[str, Any]:
    member = one.member
    return {
        "name": member.name,
        "version": member.version or None,
        "directory": member.directory or None,
        "state": one.state,
        "reason": one.problem.reason if one.problem else one.reason,
        "remedy": one.problem.remedy if one.problem else "",
        "requires": list(member.requires),
        "build_requires": list(member.build_requires),
        "last_tag": one.last_tag,
        "commits_since": one.commits_since,
        "files": [file.filename for file in member.files],
        #: of each index: the number of files of this version; null where it did not answer
        "listed": {
            name: None if isinstance(listing, Unknown) else len(files_of_version(listing, member.version))
            for name, listing in one.listings.items()
        },
    }

"""The record of a set's run as one HTML page: members and indexes as a table, the levels as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from release.core.models.index import normalize_name
from release.core.time_text import format_duration
from release.reports import record_text, set_record_text
from release.reports.html import timeline
from release.reports.line_width import truncate_middle
from release.reports.record_text import Data, Level
from release.reports.templating import render_page

#: members in a row of the picture; a level with more has several rows
_ROW_LENGTH = 10
#: pixels: the title of a level, the distance of rows with and without names, and the radius of a member
_LEVEL_TITLE, _NAMED_ROW, _ROW, _RADIUS = 24, 52, 32, 12
#: members in a row up to which their names are shown, and the pixels of a row that they share
_NAMED = {False: (5, 840), True: (2, 300)}
#: pixels: the width of a character of a name, about
_CHARACTER = 7.5


class _Node(Struct, frozen=True, kw_only=True):
    """A member in the picture."""

    number: int
    title: str
    level: Level
    text: str
    #: per cent of the width
    x: float
    #: pixels
    y: int
    #: under the node; empty where there is no room for it
    label: str
    #: on a narrow screen
    short_label: str


def render(record: Data) -> str:
    """The page: result, levels, a table of members and indexes, phases, then each member with its problems."""
    members = set_record_text.released(record)
    # what is wrong comes first
    parts = sorted(enumerate(members, 1), key=lambda part: not set_record_text.has_problem(part[1]))
    return render_page(
        "set.html", title=f"{set_record_text.set_title(record)}: {set_record_text.set_outcome(record)[1]}",
        record=record, members=members, parts=parts,
        text=record_text, set_text=set_record_text, format_duration=format_duration,
        picture=_picture(record, members), timeline=timeline, phases=_phases_as_run(record),
        first_failed=next((n for n, one in enumerate(members, 1) if set_record_text.has_problem(one)), None),
    )  # fmt: skip


def _picture(record: Data, members: Sequence[Data]) -> Data | None:
    """The levels from top to bottom, and a line from each member to those that it needs; None without levels."""
    if not members:
        return None
    titles: list[tuple[int, int]] = []
    nodes: dict[str, _Node] = {}
    top = 0
    for level in sorted({int(one["level"]) for one in members}):
        titles.append((level, top + 14))
        top += _LEVEL_TITLE
        some = [(number, one) for number, one in enumerate(members, 1) if one["level"] == level]
        for row in _rows(some):
            named = len(row) <= _NAMED[False][0]
            nodes |= {normalize_name(node_of["name"]): node for node_of, node in _nodes(row, top + _RADIUS + 2)}
            top += _NAMED_ROW if named else _ROW
    return {
        "titles": titles, "nodes": list(nodes.values()), "height": top, "radius": _RADIUS,
        "edges": list(_edges(members, nodes)), "description": "; ".join(
            f"level {number}: {', '.join(map(str, level))}" for number, level in enumerate(record["levels"], 1)
        ),
    }  # fmt: skip


def _rows(members: Sequence[tuple[int, Data]]) -> Iterator[Sequence[tuple[int, Data]]]:
    """The members of a level in rows of about one length."""
    count = -(-len(members) // _ROW_LENGTH)
    length = -(-len(members) // count)
    yield from (members[at : at + length] for at in range(0, len(members), length))


def _nodes(row: Sequence[tuple[int, Data]], y: int) -> Iterator[tuple[Data, _Node]]:
    for place, (number, member) in enumerate(row):
        level, text = set_record_text.member_end(member)
        label, short = (_label(str(member["name"]), len(row), narrow=narrow) for narrow in (False, True))
        yield member, _Node(
            number=number, title=set_record_text.member_title(member), level=level, text=text,
            x=round((place + 0.5) / len(row) * 100, 2), y=y, label=label, short_label=short,
        )  # fmt: skip


def _label(name: str, count: int, *, narrow: bool) -> str:
    most, width = _NAMED[narrow]
    return truncate_middle(name, int(width / count / _CHARACTER)) if count <= most else ""


def _edges(members: Sequence[Data], nodes: Mapping[str, _Node]) -> Iterator[tuple[_Node, _Node]]:
    for member in members:
        end = nodes[normalize_name(member["name"])]
        yield from ((nodes[name], end) for name in member["needs"] if name in nodes)


def _phases_as_run(record: Data) -> Data:
    """The phases in the form of the steps of a run."""
    steps = [
        {
            "title": one["title"],
            "begun": one["begun"],
            "seconds": one["seconds"],
            "prompted": one.get("prompted", 0),
            "how": _phase_end(one),
        }
        for one in record["phases"]
    ]
    return {"begun": record["begun"], "ended": record["ended"], "steps": steps}


def _phase_end(phase: Data) -> str:
    ends = {one["how"] for one in phase["members"]}
    if phase["seconds"] is None or "broken off" in ends:
        return "broken off"
    return "done" if ends <= {"done", "skipped"} else "refused"

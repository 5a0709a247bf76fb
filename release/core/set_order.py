"""The order of the members of a set: which needs which, and the levels that follow from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from release.core.errors import ConfigError
from release.core.models.index import normalize_name
from release.core.models.release_set import Member

#: one comparison of a marker, as `packaging` writes it. Source: dependency specifiers, "Environment Markers"
_TERM = r"""(?:"[^"]*"|'[^']*'|[\w.]+)"""
_COMPARISON = re.compile(rf"{_TERM}\s*(?:===|[<>=!~]=|[<>]|not\s+in\b|in\b)\s*{_TERM}")
_ALWAYS = 'python_version > "0"'


class SiblingRequirement(Struct, frozen=True, kw_only=True):
    """A requirement of one member on another."""

    #: canonical names
    member: str
    needs: str
    #: as the member spells it
    text: str
    #: "install": wherever the member is installed, under any marker of the environment; "extra": only with an extra;
    #: "build": to build the member
    kind: Literal["install", "extra", "build"]
    requirement: Requirement
    #: the file that has it
    where: str


def sibling_requirements(members: Iterable[Member]) -> tuple[SiblingRequirement, ...]:
    """The requirements of members on other members, in the order of the members.

    A requirement of a member on itself (`pkg[all]` in its own extras) is none. Texts that are no requirements are left
    out: the rules of the index refuse the files that have them.
    """
    members = tuple(members)
    names = {normalize_name(one.name) for one in members}
    return tuple(edge for one in members for edge in _requirements_of(one, names))


def requirements_by_member(members: Iterable[Member]) -> Mapping[str, tuple[SiblingRequirement, ...]]:
    """Canonical name of each member → its requirements on other members."""
    members = tuple(members)
    found: dict[str, list[SiblingRequirement]] = {normalize_name(one.name): [] for one in members}
    for edge in sibling_requirements(members):
        found[edge.member].append(edge)
    return {name: tuple(edges) for name, edges in found.items()}


def requirement_name(text: str) -> str | None:
    """The canonical name of the project that a requirement is on; None for a text that is no requirement."""
    with suppress(InvalidRequirement):
        return normalize_name(Requirement(text).name)
    return None


def needed_members(members: Iterable[Member]) -> Mapping[str, frozenset[str]]:
    """Canonical name of a member → the canonical names of the members that it needs, under any marker or extra."""
    return {name: frozenset(edge.needs for edge in edges) for name, edges in requirements_by_member(members).items()}


def order_levels(members: Iterable[Member], selected: Collection[str] | None = None) -> tuple[tuple[str, ...], ...]:
    """The canonical names of the members in levels: each level needs only the levels before it.

    `selected`: the canonical names to be ordered; None: all. What the others need counts where a selected member needs
    them. Names of a level are sorted. Raises `ConfigError` with the circle where members need each other.
    """
    members = tuple(members)
    graph = _graph(members, selected)[0]
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise _circle_error(members, list(reversed(error.args[1]))) from None
    levels = []
    while sorter.is_active():
        ready = sorter.get_ready()
        levels.append(tuple(sorted(ready)))
        sorter.done(*ready)
    return tuple(levels)


def order_notes(members: Iterable[Member], selected: Collection[str] | None = None) -> tuple[str, ...]:
    """The requirements of extras that do not order, because they would close a circle; one sentence each."""
    return tuple(
        f"{edge.needs} is released after {edge.member}, whose extra needs it ({edge.text}, {edge.where}): "
        f"{edge.needs} needs {edge.member}"
        for edge in _graph(tuple(members), selected)[1]
    )


def _requirements_of(member: Member, names: Collection[str]) -> Iterator[SiblingRequirement]:
    ours, place = normalize_name(member.name), _place(member)
    for texts, build in ((member.requires, False), (member.build_requires, True)):
        for text in texts:
            try:
                parsed = Requirement(text)
            except InvalidRequirement:
                continue
            needs = normalize_name(parsed.name)
            if needs == ours or needs not in names:
                continue
            kind: Literal["install", "extra", "build"]
            kind = "build" if build else "install" if holds_for(parsed.marker, "") else "extra"
            yield SiblingRequirement(
                member=ours, needs=needs, text=text, kind=kind, requirement=parsed, where=place
            )  # fmt: skip


def _place(member: Member) -> str:
    if not member.directory:
        return "the metadata of its files"
    return "pyproject.toml" if member.directory == "." else f"{member.directory}/pyproject.toml"


def holds_for(marker: Marker | None, extra: str) -> bool:
    """Whether a marker can be true in any environment, with this extra; "" is none.

    A marker is made of comparisons, "and" and "or", so it can be true if it is where all comparisons are that do not
    concern the extra.
    """
    if marker is None:
        return True
    text = _COMPARISON.sub(lambda found: found[0] if _names_extra(found[0]) else _ALWAYS, str(marker))
    return Marker(text).evaluate({"extra": extra})


def _names_extra(comparison: str) -> bool:
    return re.search(r"\bextras?\b", re.sub(r"""(["']).*?\1""", "", comparison)) is not None


def _graph(
    members: tuple[Member, ...], selected: Collection[str] | None
) -> tuple[dict[str, set[str]], list[SiblingRequirement]]:
    """Selected name → what must precede it; and the requirements of extras that would close a circle."""
    edges = sibling_requirements(members)
    names = {normalize_name(one.name) for one in members}
    chosen = names if selected is None else names & set(selected)
    extras = _Extras(members)
    inside = [edge for edge in edges if {edge.member, edge.needs} <= chosen]
    graph: dict[str, set[str]] = {name: set() for name in sorted(chosen)}
    for edge in inside:
        if edge.kind != "extra":
            graph[edge.member] |= {edge.needs} | (extras.needed_by(edge) & chosen) - {edge.member}
    dropped = _add_extras(graph, [edge for edge in inside if edge.kind == "extra"])
    _add_indirect(graph, edges)
    return graph, dropped


def _add_extras(graph: dict[str, set[str]], edges: Sequence[SiblingRequirement]) -> list[SiblingRequirement]:
    """Add the requirements of extras that close no circle; the others are returned."""
    whole = {name: set(needs) for name, needs in graph.items()}
    for edge in edges:
        whole[edge.member].add(edge.needs)
    try:
        TopologicalSorter(whole).prepare()
    except CycleError:  # one after the other, since it depends on the order which of them close one
        return [edge for edge in edges if not _add(graph, edge.member, edge.needs)]
    graph |= whole
    return []


def _add(graph: dict[str, set[str]], name: str, needs: str) -> bool:
    """Whether an edge closes no circle; it is added then."""
    if name in _reachable(graph, needs):
        return False
    graph[name].add(needs)
    return True


def _add_indirect(graph: dict[str, set[str]], edges: Iterable[SiblingRequirement]) -> None:
    """Order members that need each other through members that are not released, where that closes no circle."""
    whole: dict[str, set[str]] = {}
    for edge in edges:
        whole.setdefault(edge.member, set()).add(edge.needs)
    outside = {name: needs for name, needs in whole.items() if name not in graph}
    for name in sorted(graph):
        entered = whole.get(name, set()) - graph.keys()
        found = {one for start in entered for one in _reachable(outside, start)} & graph.keys()
        for needed in sorted(found - {name}):
            _add(graph, name, needed)


class _Extras:
    """What members need through the extras of others, as in `a[fast]`."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._requires: dict[str, list[Requirement]] = {}
        for one in members:
            self._requires[normalize_name(one.name)] = list(_parse_all(one.requires))

    def needed_by(self, edge: SiblingRequirement) -> set[str]:
        """The members that the extras of the required one need, with the extras of these."""
        needs: set[str] = set()
        seen: set[tuple[str, str]] = set()
        todo = [(edge.needs, normalize_name(extra)) for extra in edge.requirement.extras]
        while todo:
            name, extra = todo.pop()
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for one in self._requires[name]:
                needed = normalize_name(one.name)
                if needed in self._requires and holds_for(one.marker, extra):
                    needs |= {needed} - {name}
                    todo += [(needed, normalize_name(inner)) for inner in one.extras]
        return needs


def _parse_all(texts: Iterable[str]) -> Iterator[Requirement]:
    """The texts that are requirements."""
    for text in texts:
        with suppress(InvalidRequirement):
            yield Requirement(text)


def _reachable(graph: Mapping[str, Collection[str]], start: str) -> set[str]:
    """The nodes that `start` leads to, with itself."""
    seen, todo = {start}, [start]
    while todo:
        for one in graph.get(todo.pop(), ()):
            if one not in seen:
                seen.add(one)
                todo.append(one)
    return seen


def _circle_error(members: tuple[Member, ...], circle: list[str]) -> ConfigError:
    """`circle`: canonical names, each of which needs the next one; the first is the last, too."""
    edges = sibling_requirements(members)
    lines = []
    for name, needs in pairwise(circle):
        between = [one for one in edges if (one.member, one.needs) == (name, needs)]
        edge = next((one for one in between if one.kind != "extra"), between[0] if between else None)
        if edge is None:  # through an extra of another one
            lines.append(f"{name} needs {needs} through the extra of another member")
            continue
        purpose = " to build" if edge.kind == "build" else ""
        lines.append(f"{name} needs {edge.text!r}{purpose} ({edge.where})")
    return ConfigError(
        f"the members need each other, so that none can be released first: {' → '.join(circle)}\n" + "\n".join(lines),
        remedy="remove one of these requirements, or make it one of an extra",
    )

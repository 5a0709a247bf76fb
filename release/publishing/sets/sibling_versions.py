"""What the members of a set need of each other, and which versions of each other they install. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from release.core.models.distribution import parse_version
from release.core.models.index import Index, ProjectListing, files_by_release, files_of_version, normalize_name
from release.core.models.release_set import MemberFacts, ReleaseSet, Sibling
from release.core.set_order import SiblingRequirement, needed_members, requirements_by_member


class SetNeeds(Struct, frozen=True, kw_only=True):
    """What each member of a set needs of the others; the keys are canonical names."""

    #: directly or through others
    members: Mapping[str, frozenset[str]]
    #: directly
    requirements: Mapping[str, tuple[SiblingRequirement, ...]]
    #: the place of each member in the set
    order: Mapping[str, int]


def set_needs(release_set: ReleaseSet) -> SetNeeds:
    """Read the requirements of all members on each other."""
    requirements = requirements_by_member(one.member for one in release_set.members)
    direct = {name: frozenset(edge.needs for edge in edges) for name, edges in requirements.items()}
    return SetNeeds(
        members={name: frozenset(_reachable(direct, name) - {name}) for name in direct},
        requirements=requirements,
        order={normalize_name(one.member.name): number for number, one in enumerate(release_set.members)},
    )


def needs_by_level(release_set: ReleaseSet) -> Mapping[str, frozenset[str]]:
    """Canonical name → the members of lower levels that it needs, directly or through others."""
    levels = {name: number for number, names in enumerate(release_set.levels) for name in names}
    direct = needed_members(one.member for one in release_set.members)
    return {
        name: frozenset(one for one in _reachable(direct, name) if levels.get(one, level) < level)
        for name, level in levels.items()
    }


def _reachable(graph: Mapping[str, Collection[str]], start: str) -> set[str]:
    seen, todo = set[str](), [start]
    while todo:
        new = set(graph.get(todo.pop(), ())) - seen
        seen |= new
        todo += new
    return seen


def siblings_on(
    release_set: ReleaseSet, name: str, index: Index, uploaded: Collection[str], needs: SetNeeds | None = None
) -> tuple[Sibling, ...]:
    """The siblings that a member takes from an index: those of this release whose version is there.

    Only those that it needs, directly or through others. `name` and `uploaded` are canonical; these were uploaded by
    this run. Where a requirement excludes the version of the set, the newest older release that the set's index has and
    that is not excluded; without one, the installer decides.
    One that the set's index had before this run, as after a run that was stopped, is taken from there: the user's
    ordinary index need not have it. `needs`: those of the set, where they are known.
    """
    needs = needs or set_needs(release_set)
    wanted = _specifiers(needs, name)
    last = release_set.indexes[-1]
    found = []
    for other in sorted(needs.members[name], key=needs.order.__getitem__):
        facts = release_set.members[needs.order[other]]
        version = facts.member.version
        specifier = wanted.get(other, SpecifierSet())
        listing = facts.listings.get(index.name)
        listed = isinstance(listing, ProjectListing) and bool(files_of_version(listing, version))
        new = facts.state in {"release", "not-selected"}
        if not specifier.contains(version, prereleases=True):
            older = _older_release(facts, release_set.index, specifier)
            if older is not None:
                found.append(Sibling(name=facts.member.name, version=older, page=f"{last.simple_url}{other}/"))
        elif other in uploaded or (new and listed):
            found.append(Sibling(name=facts.member.name, version=version, page=f"{index.simple_url}{other}/"))
        elif _is_newest(facts, release_set.index):
            found.append(Sibling(name=facts.member.name, version=version, page=f"{last.simple_url}{other}/"))
    return tuple(found)


def _specifiers(needs: SetNeeds, name: str) -> Mapping[str, SpecifierSet]:
    """Canonical name of a sibling → what the member, and the siblings that it needs, require of its version here.

    Of the member itself, what it needs to be built counts, too; of extras, those that a requirement names.
    """
    edges = [edge for one in (name, *needs.members[name]) for edge in needs.requirements[one]]
    extras = {(edge.needs, extra) for edge in edges for extra in edge.requirement.extras}
    found: dict[str, SpecifierSet] = {}
    for edge in edges:
        with_extras = ["", *(extra for member, extra in extras if member == edge.member)]
        marker = edge.requirement.marker
        holds = marker is None or any(marker.evaluate({"extra": one}) for one in with_extras)
        if holds and (edge.kind != "build" or edge.member == name):
            found[edge.needs] = found.get(edge.needs, SpecifierSet()) & edge.requirement.specifier
    return found


def _older_release(facts: MemberFacts, index: str, specifier: SpecifierSet) -> str | None:
    """The newest release on that index that is older than the member, and meets the specifier; without yanked ones."""
    listing, version = facts.listings.get(index), parse_version(facts.member.version)
    if facts.state == "private" or not isinstance(listing, ProjectListing) or isinstance(version, str):
        return None
    known = (one for one, files in files_by_release(listing).items() if any(file.yanked is None for file in files))
    return max(map(str, specifier.filter(one for one in known if one < version)), key=Version, default=None)


def _is_newest(facts: MemberFacts, index: str) -> bool:
    """Whether a member is released, and its version is the one that installers choose on that index."""
    listing, version = facts.listings.get(index), parse_version(facts.member.version)
    if facts.state != "released" or not isinstance(listing, ProjectListing):
        return False
    return max((one for one in files_by_release(listing) if not one.is_prerelease), default=version) == version

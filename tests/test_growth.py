"""What many files, members or tokens cost: nothing grows faster than n log n, by the lines that Python executes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import pytest
from msgspec.structs import replace

from release.checks import set_checks
from release.core import set_order
from release.core.models.index import PYPI
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from release.publishing.sets import set_plan, sibling_versions
from tests.executed_lines import executed_lines

SMALL, LARGE = 32, 128
#: of n log n
MARGIN = 1.2


def release_set(count: int) -> ReleaseSet:
    """Eight levels; each member needs two of the level before, a third one to be built, and one for its tests."""
    width = count // 8
    members: list[Member] = []
    for number in range(count):
        below = [f"acme-{(number - width) // width * width + (number + step) % width}" for step in (0, 1, 2)]
        requires = (*(f"{one}>=1" for one in below[:2]), f"{below[1]} ; extra == 'test'")
        alone = number < width
        members.append(
            Member(
                name=f"acme-{number}", version="1.0", directory=f"packages/{number}",
                requires=() if alone else requires, build_requires=() if alone else (below[2],),
            )
        )  # fmt: skip
    facts = tuple(MemberFacts(member=one, state="release", listings={"pypi": None}) for one in members)
    return ReleaseSet(
        settings=SetSettings(), members=facts, levels=set_order.order_levels(members), index="pypi", indexes=(PYPI,)
    )


def members_of(found: ReleaseSet) -> list[Member]:
    return [one.member for one in found.members]


def first_of_each_level(found: ReleaseSet) -> object:
    """What the first member of a level, and the last one, take from their siblings."""
    needs = sibling_versions.set_needs(found)
    return [sibling_versions.siblings_on(found, level[0], PYPI, (), needs) for level in found.levels]


def jobs(found: ReleaseSet) -> object:
    builds = set_plan.needed_builds(found)
    levels = set_plan.build_levels(builds)
    return [
        list(set_plan._build_jobs(one, builds[one.name], levels[one.name], frozenset())) for one in members_of(found)
    ]


BY_MEMBERS: dict[str, Callable[[ReleaseSet], object]] = {
    "levels": lambda found: set_order.order_levels(members_of(found)),
    "notes": lambda found: set_order.order_notes(members_of(found)),
    "needed members": lambda found: set_order.needed_members(members_of(found)),
    "builds": jobs,
    "new projects": lambda found: set_checks._first_new(found, "pypi", len(found.members) // 2),
}


@pytest.mark.parametrize("name", BY_MEMBERS)
def test_work_for_a_set_grows_with_its_members(name: str) -> None:
    small, large = (executed_lines(partial(BY_MEMBERS[name], release_set(count))) for count in (SMALL, LARGE))
    assert large <= limit(small)


def limit(small: int) -> float:
    return small * MARGIN * (LARGE * math.log(LARGE)) / (SMALL * math.log(SMALL))


def test_a_quadratic_function_is_noticed() -> None:
    def quadratic(count: int) -> object:
        return [None for _ in range(count) for _ in range(count)]

    small, large = (executed_lines(partial(quadratic, count)) for count in (SMALL, LARGE))
    assert small >= SMALL * SMALL
    assert large > limit(small)


def test_a_member_looks_at_the_siblings_that_it_needs_only() -> None:
    """Each member asks for its siblings in each phase of a run."""
    found = release_set(SMALL)
    needs = sibling_versions.set_needs(found)
    small = executed_lines(lambda: sibling_versions.siblings_on(found, found.levels[1][0], PYPI, (), needs))
    many = tuple(
        MemberFacts(member=Member(name=f"other-{number}", version="1"), state="release") for number in range(LARGE)
    )
    found = replace(found, members=(*many, *found.members))
    needs = sibling_versions.set_needs(found)
    assert executed_lines(lambda: sibling_versions.siblings_on(found, found.levels[1][0], PYPI, (), needs)) == small

"""Which versions of its siblings a member installs from an index."""

from __future__ import annotations

import pytest

from release.core.models.index import PYPI, Index, IndexFile, ProjectListing
from release.core.models.release_set import Member, MemberFacts, MemberState, ReleaseSet, SetSettings
from release.publishing.sets.sibling_versions import needs_by_level, siblings_on
from tests.sample_distributions import wheel_name

CORP = Index(name="corp", upload_url="https://corp.example.org/u/", simple_url="https://corp.example.org/simple/")
SANDBOX = Index(name="sandbox", upload_url="http://127.0.0.1:1/u/", simple_url="http://127.0.0.1:1/simple/")


def listing(*versions: str) -> ProjectListing:
    files = (IndexFile(filename=wheel_name("core", one), url="x", sha256=None) for one in versions)
    return ProjectListing(name="core", files=tuple(files))


def facts(
    name: str, *requires: str, version: str = "2.0", state: MemberState = "release", listed: tuple[str, ...] = ()
) -> MemberFacts:
    files = tuple(IndexFile(filename=wheel_name(name, one), url="x", sha256=None) for one in listed)
    listing = ProjectListing(name=name, files=files)
    return MemberFacts(
        member=Member(name=name, version=version, requires=requires), state=state, listings={"pypi": listing}
    )


def release_set(*members: MemberFacts) -> ReleaseSet:
    levels = tuple((one.member.name,) for one in members if one.state == "release")
    return ReleaseSet(settings=SetSettings(), members=members, levels=levels, indexes=(PYPI,))


def test_a_member_waits_for_all_that_it_needs_through_others() -> None:
    found = release_set(facts("a"), facts("b", "a"), facts("c", "b"), facts("d"))
    assert needs_by_level(found) == {"a": frozenset(), "b": {"a"}, "c": {"a", "b"}, "d": frozenset()}


@pytest.mark.parametrize(
    ("sibling", "requirement", "uploaded", "expected"),
    [
        (facts("a"), "a>=2", {"a"}, ["2.0"]),
        (facts("a"), "a>=2", set(), []),  # not there yet
        (facts("a", listed=("1.0", "2.0")), "a", set(), ["2.0"]),  # since an earlier run
        (facts("a"), "a<2", {"a"}, []),  # an older release is meant, and there is none
        (facts("a", listed=("1.0", "1.5", "2.0")), "a<2", {"a"}, ["1.5"]),
        (facts("a", listed=("1.0", "1.5", "1.6rc1")), "a<2", set(), ["1.5"]),
        (facts("a"), "a<2; python_version < '3'", {"a"}, ["2.0"]),  # not here
        (facts("a"), "a<2; extra == 'old'", {"a"}, ["2.0"]),  # only with an extra
        (facts("a", version="2.0rc1"), "a>=2.0rc1", {"a"}, ["2.0rc1"]),
        (facts("a", state="not-selected", listed=("2.0",)), "a", set(), ["2.0"]),
        (facts("a", state="private"), "a", set(), []),
        (facts("a"), "other", {"a"}, []),  # one that is not needed has no effect, so none is asked for
    ],
)
def test_a_sibling_is_taken_from_an_index_that_has_its_new_version(
    sibling: MemberFacts, requirement: str, uploaded: set[str], expected: list[str]
) -> None:
    found = release_set(sibling, facts("b", requirement))
    siblings = siblings_on(found, "b", PYPI, uploaded)
    assert [one.version for one in siblings] == expected
    assert all(one.page == f"{PYPI.simple_url}a/" for one in siblings)


@pytest.mark.parametrize(
    ("of_b", "of_c", "expected"),
    [
        (["a<2"], "b", {"a": "1.5", "b": "2.0"}),
        (["a>=2"], "b", {"a": "2.0", "b": "2.0"}),
        (["a", "a<2; extra == 'old'"], "b", {"a": "2.0", "b": "2.0"}),
        (["a", "a<2; extra == 'old'"], "b[old]", {"a": "1.5", "b": "2.0"}),
        (["a<2; sys_platform == 'none'", "a"], "b", {"a": "2.0", "b": "2.0"}),
    ],
)
def test_what_a_sibling_requires_of_another_one_counts(of_b: list[str], of_c: str, expected: dict[str, str]) -> None:
    """A constraint that contradicts it would let no installer find a solution."""
    found = release_set(facts("a", listed=("1.5",)), facts("b", *of_b), facts("c", of_c))
    assert {one.name: one.version for one in siblings_on(found, "c", PYPI, {"a", "b"})} == expected


def test_a_build_requirement_of_another_member_does_not_count() -> None:
    b = MemberFacts(
        member=Member(name="b", version="2.0", requires=("a",), build_requires=("a<2",)), state="release"
    )  # fmt: skip
    found = release_set(facts("a", listed=("1.5",)), b, facts("c", "b"))
    assert [one.version for one in siblings_on(found, "c", PYPI, {"a", "b"})] == ["2.0", "2.0"]
    assert [one.version for one in siblings_on(found, "b", PYPI, {"a"})] == ["1.5"]


@pytest.mark.parametrize(
    ("state", "listed", "requirement", "taken"),
    [
        ("released", ("0.9", "1.0"), "core", True), ("released", ("1.0", "2.0rc1"), "core>=1", True),
        ("released", ("1.0", "2.0"), "core", False), ("released", ("1.0",), "core>=2", False),
        ("released", ("1.0",), "other", False), ("unchanged", ("0.9",), "core", False),
        ("private", ("1.0",), "core", False), ("not-selected", ("0.9",), "core", False),
    ],
)  # fmt: skip
def test_a_member_that_was_released_before_is_taken_from_the_index_of_the_set(
    state: str, listed: tuple[str, ...], requirement: str, *, taken: bool
) -> None:
    """Only where it is the version that installers choose: the user's own index may lack it."""
    core = MemberFacts(
        member=Member(name="core", version="1.0"), listings={"corp": listing(*listed)},
        state=state,  # type: ignore[arg-type] # a test names it
    )  # fmt: skip
    web = MemberFacts(member=Member(name="web", version="1.0", requires=(requirement,)), state="release")
    found = ReleaseSet(
        settings=SetSettings(), members=(core, web), levels=(("web",),), index="corp", indexes=(CORP,)
    )  # fmt: skip
    pages = [one.page for one in siblings_on(found, "web", SANDBOX, ())]
    assert pages == (["https://corp.example.org/simple/core/"] if taken else [])

"""The checklist of a set: versions, requirements on each other, quotas."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from release.checks import set_checks
from release.checks.engine import run
from release.core import set_order
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.index import PYPI, TESTPYPI, Index, IndexFile, ProjectListing, normalize_name
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from tests.sample_distributions import sdist_name, wheel_name


def listing(name: str, *versions: str, yanked: str | None = None) -> ProjectListing:
    files = (IndexFile(filename=wheel_name(name, one), url="x", sha256=None, yanked=yanked) for one in versions)
    return ProjectListing(name=name, files=tuple(files))


def member(
    name: str, version: str, *requires: str, state: str = "release", build: str = "", **more: Any
) -> MemberFacts:
    return MemberFacts(
        member=Member(
            name=name, version=version, directory=f"packages/{name}", requires=requires,
            build_requires=(build,) if build else (), private_by="classifier 'Private :: X'" * (state == "private"),
        ),
        state=state,  # type: ignore[arg-type] # a test names it
        **more,
    )  # fmt: skip


def release_set(*members: MemberFacts, indexes: tuple[Index, ...] = (PYPI,), lockstep: bool = False) -> ReleaseSet:
    releasing = [normalize_name(one.member.name) for one in members if one.state == "release"]
    levels = set_order.order_levels([one.member for one in members], releasing)
    return ReleaseSet(
        settings=SetSettings(lockstep=lockstep), members=members, levels=levels, index=indexes[-1].name, indexes=indexes
    )


def outcome(found: ReleaseSet, name: str) -> Outcome:
    return next(one for one in run(set_checks.CHECKS, found) if one.check == name)


def finding(found: ReleaseSet, name: str) -> Finding | None:
    (one, *rest) = outcome(found, name).findings or (None,)
    assert not rest
    return one


REQUIREMENTS = "requirements-on-members-can-be-met"


def test_a_member_that_cannot_be_read_blocks_and_the_others_are_named() -> None:
    down = Unknown(reason="no answer", remedy="try again")
    broken = Unknown(reason="broken", remedy="correct it")
    found = release_set(
        member("a", "1", state="unknown", problem=down), member("b", "1", state="unknown", problem=down),
        member("c", "", state="unknown", problem=broken), member("d", "1", "a>=9"),
    )  # fmt: skip
    result = outcome(found, "each-member-can-be-read")
    assert [(one.message, one.remedy) for one in result.findings] == [
        ("a, b: no answer", "try again; to release the others only: --only d"),
        ("c: broken", "correct it; to release the others only: --only d"),
    ]
    assert [one.check for one in run(set_checks.CHECKS, found) if one.state.blocks] == ["each-member-can-be-read"]


@pytest.mark.parametrize(
    ("facts", "remedy"),
    [
        ({"state": "released", "last_tag": "b-v1.2", "commits_since": 3},
         "bump the version of b, 3 commits since b-v1.2: pypi-preflight set prepare"),
        ({"state": "released", "last_tag": "v1.2", "commits_since": 1},
         "bump the version of b, 1 commit since v1.2: pypi-preflight set prepare"),
        ({"state": "released", "last_tag": "b-v1.2"}, None), ({"state": "released"}, None),
        ({"state": "release", "last_tag": "b-v1.1", "commits_since": 3}, None),
        ({"state": "not-selected", "last_tag": "b-v1.2", "commits_since": 3}, None),
        ({"state": "private", "last_tag": "b-v1.2", "commits_since": 3}, None),
    ],
)  # fmt: skip
def test_a_changed_member_needs_a_new_version(facts: dict[str, Any], remedy: str | None) -> None:
    one = finding(release_set(member("b", "1.2", **facts)), "a-changed-member-has-a-new-version")
    assert (one.remedy if one else None) == remedy


def test_without_the_tag_of_a_release_its_changes_are_not_known() -> None:
    name = "a-changed-member-has-a-new-version"
    by_hand = member("b", "1.2", state="released", tag_format="b-v{version}")
    result = outcome(release_set(by_hand), name)
    assert (result.state, result.reason) == (
        CheckState.PASSED, "b 1.2 has no tag, so the commits since are not known",
    )  # fmt: skip
    result = outcome(release_set(replace(by_hand, shallow=True)), name)
    assert result.state is CheckState.UNKNOWN
    assert result.remedy.startswith("fetch the history: git fetch --unshallow --tags")
    tagged = replace(by_hand, shallow=True, last_tag="b-v1.2")
    for one in (tagged, replace(by_hand, shallow=True, state="release"), member("b", "1.2", state="released")):
        assert outcome(release_set(one), name).state is CheckState.PASSED


def test_the_members_that_can_be_released_without_a_changed_one_are_named() -> None:
    changed = member("b", "1.2", state="released", last_tag="b-v1.2", commits_since=3)
    one = finding(release_set(member("a", "1"), changed, member("c", "1")), "a-changed-member-has-a-new-version")
    assert one is not None
    assert one.remedy.endswith("; to release the others only: --only a c")


@pytest.mark.parametrize(
    ("requirement", "version", "is_met"),
    [
        ("a>=2", "1.9", False), ("a>=2", "2.0", True), ("a", "0.1", True), ("A[x]>=2", "1.9", False),
        ("a<2", "2.0", False), ("a~=1.4", "1.9", True), ("a==1.*", "1.9", True), ("a!=1.9", "1.9", False),
        ("a>=2; python_version < '3'", "1.9", False), ("a>=2; extra == 'x'", "1.9", False),
        ("a>=2", "2.0rc1", False), ("a>=1", "2.0rc1", True), ("a>=2.0rc1", "2.0rc1", True),
        ("a>1.9", "1.9.post1", False),
        ("a===1.9", "1.9", True), ("a===1.9.0", "1.9", False), ("a==1.9.0", "1.9", True),
        ("a>=2", "2.0.dev3+g123", True), ("a>=2", "2.0.dev3", False), ("a>=2", "1.9+local", False),
        ("a @ https://example.org/a-1.0-py3-none-any.whl", "1.9", True), ("aa>=2", "1.9", True),
    ],
)  # fmt: skip
def test_a_requirement_is_met_by_the_version_that_the_set_releases(
    requirement: str, version: str, *, is_met: bool
) -> None:
    found = release_set(member("a", version, listings={"pypi": None}), member("b", "1", requirement))
    one = finding(found, REQUIREMENTS)
    assert (one is None) == is_met
    if one is not None:
        assert one.message.startswith(f"b needs {requirement!r}, but this set releases a {version}")
        assert one.remedy.endswith("or change the requirement of b (packages/b/pyproject.toml)")
    built = outcome(release_set(member("a", version), member("b", "1", build=requirement)), REQUIREMENTS)
    assert (built.state is CheckState.PASSED) == is_met


def test_a_member_may_need_an_older_release_of_a_sibling() -> None:
    """The index has it, and goes on to have it: that is said, and refused only where there is none."""
    old = member("a", "2.0", listings={"pypi": listing("a", "1.0", "1.9", yanked=None)})
    found = outcome(release_set(old, member("b", "1", "a<2")), REQUIREMENTS)
    assert found.state == CheckState.PASSED
    assert found.reason == "b needs 'a<2', but this set releases a 2.0: it uses 1.9, which pypi has"
    withdrawn = member("a", "2.0", listings={"pypi": listing("a", "1.9", yanked="broken")})
    refused = finding(release_set(withdrawn, member("b", "1", "a<2")), REQUIREMENTS)
    assert refused is not None
    assert refused.message == "b needs 'a<2', but this set releases a 2.0"


@pytest.mark.parametrize(
    ("requirement", "state", "listed", "words"),
    [
        ("a>=2", "released", ("1.9", "2.1"), None), ("a>=2", "released", ("1.9",), "set a version of a that is >=2"),
        ("a>=2", "not-selected", ("1.9",), "release them together: --only a b"),
        ("a>=2", "unchanged", ("1.9",), "release them together: --only a b"),
        ("a>=3", "not-selected", ("1.9",), "set a version of a that is >=3"), ("a", "not-selected", (), "--only a b"),
        ("a>=1", "not-selected", ("1.9",), None), ("a>=2", "not-selected", ("2.1rc1",), None),
    ],
)  # fmt: skip
def test_a_requirement_on_a_member_that_is_not_released_is_met_by_the_index(
    requirement: str, state: str, listed: tuple[str, ...], words: str | None
) -> None:
    listings = {"pypi": listing("a", *listed) if listed else None}
    one = finding(
        release_set(member("a", "2.0", state=state, listings=listings), member("b", "1", requirement)), REQUIREMENTS
    )
    assert (one is None) == (words is None)
    if one is not None and words is not None:
        assert words in one.remedy
        assert "but pypi has" in one.message


def test_yanked_versions_are_used_only_where_they_are_pinned() -> None:
    for requirement, state in (("a>=2", CheckState.FAILED), ("a==2.0", CheckState.PASSED)):
        there = {"pypi": listing("a", "2.0", yanked="broken")}
        found = release_set(member("a", "2.0", state="released", listings=there), member("b", "1", requirement))
        assert outcome(found, REQUIREMENTS).state is state


def test_a_requirement_on_a_private_member_cannot_be_met_and_an_unknown_one_is_unknown() -> None:
    one = finding(release_set(member("a", "1", state="private"), member("b", "1", "a")), REQUIREMENTS)
    assert one is not None
    assert one.message == "b needs 'a', but a is private: classifier 'Private :: X'"
    for_development = release_set(member("a", "1", state="private"), member("b", "1", "a; extra == 'dev'"))
    assert outcome(for_development, REQUIREMENTS).state is CheckState.WARNED
    private = release_set(member("a", "1"), member("b", "1", "a>=9", state="private"))
    assert outcome(private, REQUIREMENTS).state is CheckState.PASSED
    listings = {"pypi": Unknown(reason="no answer", remedy="try again")}
    found = release_set(member("a", "1", state="not-selected", listings=listings), member("b", "1", "a"))
    assert outcome(found, REQUIREMENTS).state is CheckState.UNKNOWN
    offline = release_set(member("a", "1", state="not-selected"), member("b", "1", "a>=9"))
    assert outcome(offline, REQUIREMENTS).state is CheckState.PASSED


def test_tags_without_a_name_are_for_members_with_one_version() -> None:
    name = "members-with-versions-of-their-own-have-tags-of-their-own"
    a, b = member("a", "1.1", tag_format="v{version}"), member("b", "2.0", tag_format="v{version}")
    result = outcome(release_set(a, b), name)
    assert result.state is CheckState.WARNED
    assert result.findings[0].message == "the tags of 'a', 'b' are alike (v{version}), but their versions are not"
    assert outcome(release_set(a, b, lockstep=True), name).state is CheckState.NOT_APPLICABLE
    fine = [
        (a, member("b", "1.1.0", tag_format="v{version}")), (a, member("b", "2", tag_format="b-v{version}")),
        (member("a", "1"), member("b", "2")), (a, member("b", "2", state="private")),
    ]  # fmt: skip
    for members in fine:
        assert outcome(release_set(*members), name).state is CheckState.PASSED


def test_a_release_without_a_kind_of_file_that_the_last_one_has_is_a_warning() -> None:
    name = "a-released-member-is-whole"

    def whole(*filenames: str, state: str = "released") -> Outcome:
        files = tuple(IndexFile(filename=one, url="x", sha256=None) for one in filenames)
        there = {"pypi": ProjectListing(name="a", files=files)}
        return outcome(release_set(member("a", "1.1", state=state, listings=there)), name)

    both = (wheel_name("a", "1.0"), sdist_name("a", "1.0"))
    result = whole(*both, wheel_name("a", "1.1"))
    assert result.findings[0].message == "pypi has no sdist of a 1.1, but of 1.0"
    assert result.findings[0].severity == "warn"
    assert whole(*both, sdist_name("a", "1.1")).state is CheckState.WARNED
    assert whole(*both, wheel_name("a", "1.1"), sdist_name("a", "1.1")).state is CheckState.PASSED
    assert whole(both[0], wheel_name("a", "1.1")).state is CheckState.PASSED
    assert whole(wheel_name("a", "1.1"), *(one.replace("1.0", "1.2") for one in both)).state is CheckState.PASSED
    assert whole(*both, wheel_name("a", "1.1"), state="release").state is CheckState.PASSED


def test_lockstep_asks_for_one_version() -> None:
    name = "the-members-have-one-version"
    members = (
        member("a", "1.3"),
        member("b", "1.2", state="released"),
        member("c", "9", state="private"),
        member("d", "1.3.0"),
    )
    assert outcome(release_set(*members), name).state is CheckState.NOT_APPLICABLE
    one = finding(release_set(*members, lockstep=True), name)
    assert one is not None
    assert one.message == "the members have 2 versions: 1.3: a, d; 1.2: b"
    assert one.remedy == "set the version of b to 1.3, or remove lockstep from [tool.release.set]"
    assert finding(release_set(members[0], *members[2:], lockstep=True), name) is None


def test_more_new_projects_than_the_index_accepts_in_a_day_are_refused() -> None:
    name = "the-new-projects-are-within-the-quota"
    new, old = {"testpypi": None, "pypi": None}, {"testpypi": None, "pypi": listing("f", "0.9")}
    members = (
        member("a", "1", "g", listings=new), *(member(one, "1", listings=new) for one in "bcde"),
        member("f", "1", listings=old), member("g", "1", listings=new), member("h", "1", "e", listings=old),
    )  # fmt: skip
    found = release_set(*members, indexes=(TESTPYPI, PYPI))
    of_test, of_pypi = outcome(found, name).findings
    assert of_pypi.message.startswith(
        "the set creates 6 projects on pypi, which accepts 4 new ones a day from one account"
    )
    assert of_pypi.remedy == "release the new projects on 2 days; the first ones: --only b c d e f h"
    assert of_test.message.startswith("the set creates 8 projects on testpypi")
    assert of_test.remedy == "release the new projects on 2 days; the first ones: --only b c d e"
    assert finding(release_set(*members[1:5], members[5]), name) is None
    corp = Index(
        name="pypi", upload_url="https://corp.example.org/", simple_url="https://corp.example.org/", kind="other"
    )
    assert finding(release_set(*members, indexes=(corp,)), name) is None
    released = (member(one, "1", state="released", listings=new) for one in "abcde")
    assert finding(release_set(*released), name) is None

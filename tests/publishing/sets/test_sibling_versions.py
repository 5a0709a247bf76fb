"""Which versions of each other the members of a set install."""

from __future__ import annotations

import pytest

from release.core.models.index import Index, IndexFile, ProjectListing
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from release.publishing.sets.sibling_versions import siblings_on
from tests.sample_distributions import wheel_name

CORP = Index(name="corp", upload_url="https://corp.example.org/u/", simple_url="https://corp.example.org/simple/")
SANDBOX = Index(name="sandbox", upload_url="http://127.0.0.1:1/u/", simple_url="http://127.0.0.1:1/simple/")


def listing(*versions: str) -> ProjectListing:
    files = (IndexFile(filename=wheel_name("core", one), url="x", sha256=None) for one in versions)
    return ProjectListing(name="core", files=tuple(files))


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

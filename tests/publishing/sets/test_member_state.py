"""Why a member of a set is released, or is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from release.adapters.git import member_history, projects
from release.adapters.git.member_history import MemberRepository
from release.core.config import Config
from release.core.errors import ToolError
from release.core.models.check_result import Unknown
from release.core.models.index import ProjectListing
from release.core.models.release_set import Member, MemberFacts, SetSettings
from release.core.tag_form import RepositoryTags
from release.publishing import journal
from release.publishing.sets.member_state import Listing, SetContext, describe_member
from release.publishing.sets.read_members import FoundMember
from tests.fake_system import LASTING, SDIST, WHEEL, as_built, fake_system, files_in, listing_of

LOCKED = Unknown(reason="no answer", remedy="wait")


def described(
    root: Path,
    listing: Listing,
    *,
    problem: Unknown | None = None,
    member: Mapping[str, Any] | None = None,
    **more: Any,
) -> MemberFacts:
    given: dict[str, Any] = {"name": "acme-widget", "version": "1.0", "directory": "."}
    context: dict[str, Any] = {
        "system": fake_system(), "root": root, "settings": SetSettings(), "target": LASTING, "offline": False,
        "selected": frozenset({"acme-widget"}), "directories": (".",), "repositories": {".": None},
        "root_projects": {},
    }  # fmt: skip
    found = FoundMember(member=Member(**given | dict(member or {})), config=Config(), problem=problem)
    return describe_member(found, {"acme": listing}, SetContext(**context | more))


def state(facts: MemberFacts) -> tuple[str, str]:
    return facts.state, facts.reason


def test_what_is_private_or_not_selected_is_left_out_whatever_the_index_says(tmp_path: Path) -> None:
    private = {"private": True, "private_by": "classifier 'Private :: X'"}
    assert state(described(tmp_path, LOCKED, member=private)) == ("private", "classifier 'Private :: X'")
    assert state(described(tmp_path, LOCKED, selected=frozenset())) == ("not-selected", "--only names others")


def test_an_unknown_member_or_listing_is_not_released(tmp_path: Path) -> None:
    unread = Unknown(reason="the backend fails", remedy="correct it")
    for facts, problem in (
        (described(tmp_path, LOCKED), LOCKED),
        (described(tmp_path, None, problem=unread), unread),
        (described(tmp_path, LOCKED, problem=unread), unread),
        (described(tmp_path, None, repositories={".": LOCKED}), LOCKED),
    ):
        assert (facts.state, facts.problem) == ("unknown", problem)


def test_what_the_index_lacks(tmp_path: Path) -> None:
    old = listing_of(files_in(tmp_path / "old", "acme_widget-0.9.tar.gz"))
    assert state(described(tmp_path, None)) == ("release", "new on acme")
    assert state(described(tmp_path, ProjectListing(name="acme-widget", files=()))) == (
        "release",
        "acme has no release",
    )
    assert state(described(tmp_path, old)) == ("release", "acme has 0.9")
    assert state(described(tmp_path, old, offline=True)) == ("release", "no index was asked")
    whole = listing_of(files_in(tmp_path / "new", WHEEL))
    assert state(described(tmp_path, whole)) == ("released", "acme has it")


def test_files_are_compared_by_hash(tmp_path: Path) -> None:
    files = files_in(tmp_path / "dist", WHEEL, SDIST)
    member = {"files": files, "directory": ""}
    others = files_in(tmp_path / "other", SDIST, text="other ")
    whole, part, other = listing_of(files), listing_of(files[:1]), listing_of([files[0], *others])
    assert described(tmp_path, whole, member=member).state == "released"
    for listing in (part, other):
        assert state(described(tmp_path, listing, member=member)) == ("release", "acme has 1 of 2 files")


@pytest.mark.parametrize(
    ("events", "listed", "expected"),
    [
        ([("accepted", {"index": "acme"})], 2, ("release", "not confirmed on acme")),
        ([("accepted", {"index": "acme"})], 1, ("release", "acme has 1 of 2 files")),
        ([("verified", {"index": "acme"})], 2, ("released", "acme has it")),
        ([("verified", {"index": "acme"}), ("ended", {"exit": 4})], 2, ("release", "its last run did not complete")),
        (
            [("verified", {"index": "acme"}), ("ended", {"exit": 4}), ("ended", {"exit": 0})],
            2,
            ("released", "acme has it"),
        ),
        ([("verified", {"index": "sandbox"})], 2, ("released", "acme has it")),
        (
            [("accepted", {"index": "acme"}), ("verified", {"index": "sandbox"})],
            2,
            ("release", "not confirmed on acme"),
        ),
    ],
)
def test_a_release_that_a_run_here_has_begun_is_continued(
    tmp_path: Path, events: list[tuple[str, dict[str, Any]]], listed: int, expected: tuple[str, str]
) -> None:
    book = journal.for_release(tmp_path, version="1.0", commit=None)
    files = files_in(book.dist, WHEEL, SDIST)
    book.write("built", files=as_built(files))
    for name, fields in events:
        book.write(name, file=WHEEL, **fields)
    assert state(described(tmp_path, listing_of(files[:listed]))) == expected


def test_a_member_whose_history_git_cannot_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not unchanged: it may have commits."""
    found = MemberRepository(root=tmp_path, tags=RepositoryTags(), merged=frozenset(), commit="c" * 40, shallow=False)

    def fail(*_: object) -> str:
        raise ToolError("git failed: 'bad object'", remedy="run git fsck")

    monkeypatch.setattr(member_history, "tag_before", fail)
    monkeypatch.setattr(projects, "has_other_projects", lambda *_: False)
    facts = described(tmp_path, None, repositories={".": found})
    assert (facts.state, facts.problem) == (
        "unknown", Unknown(reason="git failed: 'bad object'", remedy="run git fsck")
    )  # fmt: skip


def test_only_changed_needs_a_history_unless_the_member_is_named(tmp_path: Path) -> None:
    settings = SetSettings(only_changed=True)
    facts = described(tmp_path, None, settings=settings)
    assert facts.state == "unknown"
    assert facts.problem is not None
    assert "needs the history of acme-widget" in facts.problem.reason
    named = described(tmp_path, None, settings=settings, named=frozenset({"acme-widget"}))
    assert named.state == "release"

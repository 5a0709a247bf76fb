"""How a set's run ends: its exit status, and what each index has, with five members and with sixty."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import Exit, ReleaseError
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import IndexFile, ProjectListing
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from release.core.models.results import RunResult
from release.core.models.set_results import SetRunResult
from release.core.plan import Plan, Tag
from release.publishing.sets.set_result import SetRunState, index_standing, set_run_result
from tests.repeated_commands import repeated

LASTING = ("testpypi", "pypi")


def files(name: str, count: int = 3) -> tuple[Distribution, ...]:
    names = (f"{name}-1.0.tar.gz", *(f"{name}-1.0-cp31{n}-abi3-any.whl" for n in range(count - 1)))
    return tuple(Distribution(path=Path(one), sha256="0" * 64, size=1) for one in names)


def receipts(name: str, count: int = 3, **changes: Any) -> tuple[UploadResult, ...]:
    return tuple(Receipt(filename=one.filename, sha256=one.sha256, **changes) for one in files(name)[:count])


def confirmed(*indexes: str) -> tuple[Outcome, ...]:
    state = CheckState.PASSED
    return tuple(
        Outcome(check="every-file-is-listed", title="Every file is listed", state=state, subject=one) for one in indexes
    )


def ended(name: str, exit_: Exit = Exit.DONE, message: str = "", **changes: Any) -> RunResult:
    plan = Plan(verb="release", project=name, version="1.0", commit=None, strict=True, steps=())
    values: dict[str, Any] = {
        "plan": plan, "exit": exit_, "message": message, "remedy": "do it" if exit_ else "", "next_command": "",
        "outcomes": (), "files": files(name), "uploads": {}, "record": "",
    }  # fmt: skip
    return RunResult(**(values | changes))


def whole(name: str, *indexes: str, **changes: Any) -> RunResult:
    uploads = {index: receipts(name) for index in indexes}
    return ended(name, uploads=uploads, outcomes=confirmed(*indexes), **changes)


def a_set(*levels: Iterable[str], **listings: Any) -> ReleaseSet:
    names = [name for level in levels for name in level]
    members = tuple(
        MemberFacts(member=Member(name=name, version="1.0"), state="release", listings=listings) for name in names
    )
    return ReleaseSet(settings=SetSettings(), members=members, levels=tuple(tuple(level) for level in levels))


DIAMOND = a_set("a", "bcd", "e")


def run(results: Iterable[RunResult], release_set: ReleaseSet = DIAMOND, **changes: Any) -> SetRunResult:
    values: dict[str, Any] = {"verb": "release", "indexes": LASTING, "command": repeated("pypi-preflight set release")}
    by_name = {str(one.plan.project): one for one in results}
    return set_run_result(SetRunState(release_set=release_set, results=by_name, **(values | changes)))


REFUSED = Rejection(filename="b-1.0.tar.gz", status=400, message="no")
LOST = UnclearResponse(filename="b-1.0.tar.gz", kind="timeout", detail="")
UNSENT = UnclearResponse(filename="b-1.0.tar.gz", kind="connection", detail="", sent="nothing")


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], Exit.REFUSED),
        ([ended("b", Exit.REFUSED)], Exit.REFUSED),
        ([ended("b", Exit.USAGE)], Exit.USAGE),
        ([ended("b", Exit.REFUSED, uploads={"sandbox": receipts("b")})], Exit.REFUSED),
        ([ended("b", Exit.UNCHANGED, uploads={"testpypi": (REFUSED,)})], Exit.UNCHANGED),
        ([ended("b", Exit.UNCHANGED, uploads={"testpypi": (UNSENT,)})], Exit.UNCHANGED),
        ([ended("b", Exit.UNCHANGED), whole("a", "testpypi")], Exit.INCOMPLETE),
        ([ended("b", Exit.REFUSED), ended("a", uploads={"testpypi": receipts("a", 1)})], Exit.INCOMPLETE),
        ([ended("b", Exit.REFUSED), ended("a", uploads={"testpypi": (LOST,)})], Exit.INCOMPLETE),
        # what an earlier run has uploaded is no effect of this one
        ([ended("b", Exit.REFUSED), ended("a", uploads={"pypi": receipts("a", already_there=True)})], Exit.REFUSED),
        ([ended("b", Exit.INCOMPLETE)], Exit.INCOMPLETE),
        ([whole(name, *LASTING) for name in "abcde"], Exit.DONE),
        ([whole(name, *LASTING) for name in "abcd"], Exit.INCOMPLETE),
    ],
)
def test_each_way_to_stop_has_its_exit_status(results: list[RunResult], expected: Exit) -> None:
    end = run(results)
    assert end.exit == expected
    assert bool(end.remedy) == (expected != Exit.DONE)
    assert end.next_command == ("" if expected == Exit.DONE else "pypi-preflight set release")


def test_a_stop_names_the_cause_and_what_each_index_has() -> None:
    stopped = {name: whole(name, "testpypi", exit_=Exit.INCOMPLETE) for name in "ac"}
    broken = ended("b", Exit.INCOMPLETE, "the index refused it", uploads={"testpypi": receipts("b", 2)})
    end = run([*stopped.values(), broken], stopped=set(stopped))
    assert end.headline == "b 1.0: the index refused it"
    assert end.progress == (
        "testpypi: a, c whole; 1 partial (b: 2 of 3 files); d, e not begun",
        "pypi: no member begun",
    )
    assert [one.failed for one in end.members] == [False, True, False, False, False]


def test_the_first_level_has_the_cause_and_the_others_are_counted() -> None:
    end = run([ended("e", Exit.REFUSED, "E"), ended("b", Exit.REFUSED, "B\nmore"), ended("c", Exit.REFUSED, "C")])
    assert end.headline == "b 1.0: B; more; 2 more members failed: c, e"


def test_what_is_wrong_with_the_set_goes_before_its_members() -> None:
    outcome = Outcome(
        check="x", title="X", state=CheckState.FAILED, findings=(Finding(message="a circle", remedy="break it"),)
    )
    assert run([ended("b", Exit.REFUSED, "B")], outcomes=(outcome,)).headline == "a circle"
    failure = ReleaseError("interrupted", remedy="run it again")
    end = run([whole("a", "testpypi")], failure=failure)
    assert (end.headline, end.remedy, end.exit) == ("interrupted", "run it again", Exit.INCOMPLETE)


def test_sixty_members_are_counted_on_a_line_for_each_index() -> None:
    names = [f"acme-part-{number:02}" for number in range(60)]
    release_set = a_set(*(names[at : at + 8] for at in range(0, 60, 8)))
    results = [whole(name, "testpypi", exit_=Exit.INCOMPLETE) for name in names[:12]]
    results += [
        ended(names[12], Exit.INCOMPLETE, "no answer", uploads={"testpypi": receipts(names[12], 2)}),
        ended(names[13], Exit.INCOMPLETE, "no answer", uploads={"testpypi": (LOST,)}),
    ]
    end = run(results, release_set, stopped=names[:12])
    assert end.message.splitlines() == [
        "acme-part-12 1.0: no answer; 1 more member failed: acme-part-13",
        (
            "testpypi: 12 of 60 members whole, 1 partial (acme-part-12: 2 of 3 files), "
            "1 unknown (acme-part-13: 0 of 3 files), 46 not begun"
        ),
        "pypi: no member begun",
    ]
    many = run([ended(name, Exit.REFUSED, "no") for name in names], release_set)
    assert len(many.message.splitlines()) == 3
    assert max(map(len, many.message.splitlines())) < 160


def test_what_an_earlier_run_uploaded_counts() -> None:
    there = tuple(IndexFile(filename=one.filename, url="", sha256=one.sha256) for one in files("a"))
    listed = ProjectListing(name="a", files=there)
    facts = MemberFacts(member=Member(name="a", version="1.0"), state="release", listings={"testpypi": listed})
    assert index_standing(facts, "testpypi", files=files("a")).standing == "whole"
    assert index_standing(facts, "testpypi", files=files("a", 4)).standing == "partial"
    assert index_standing(facts, "testpypi").standing == "unknown"
    other = MemberFacts(member=Member(name="a", version="1.1"), state="release", listings={"testpypi": listed})
    assert index_standing(other, "testpypi", files=files("a")).standing == "not-begun"
    dark = MemberFacts(
        member=Member(name="a", version="1.0"), state="release", listings={"pypi": Unknown(reason="", remedy="")}
    )
    assert index_standing(dark, "pypi", files=files("a")).standing == "unknown"
    assert index_standing(dark, "pypi", files=files("a"), recorded={"a-1.0.tar.gz"}).standing == "partial"
    # the index is the truth, the journal counts where it was not asked
    assert index_standing(facts, "pypi", files=files("a"), recorded={"a-1.0.tar.gz"}).standing == "partial"
    none = MemberFacts(member=Member(name="a", version="1.0"), state="release", listings={"pypi": None})
    assert index_standing(none, "pypi", files=files("a"), recorded={"a-1.0.tar.gz"}).standing == "not-begun"
    # files of other names, or with other bytes, are not of this release
    assert index_standing(facts, "testpypi", result=ended("b")).standing == "not-begun"
    other_bytes = tuple(replace(one, sha256="1" * 64) for one in files("a"))
    assert index_standing(facts, "testpypi", result=ended("a", files=other_bytes)).standing == "not-begun"
    assert index_standing(facts, "testpypi", result=ended("a")).standing == "whole"


def test_a_member_that_cannot_be_read_is_no_success() -> None:
    problem = Unknown(reason="its version is not known", remedy="add a version")
    lost = MemberFacts(member=Member(name="lost", version=""), state="unknown", problem=problem)
    for release_set, results in ((DIAMOND, [whole(name, *LASTING) for name in "abcde"]), (a_set(), [])):
        end = run(results, replace(release_set, members=(*release_set.members, lost)))
        assert end.exit == (Exit.INCOMPLETE if results else Exit.REFUSED)
        assert (end.headline, end.remedy) == ("lost: its version is not known", "add a version")


def test_successes_claim_what_was_done() -> None:
    done = run([whole(name, *LASTING) for name in "abcde"])
    assert done.message == "5 members are on testpypi and pypi, confirmed: hashes verified, installed and tested"
    assert run([ended(name, uploads={"pypi": receipts(name)}) for name in "abcde"], indexes=("pypi",)).message == (
        "5 members are on pypi"
    )
    rehearsed = run(
        [ended(name) for name in "abcde"], verb="rehearse", indexes=("sandbox",),
        command=repeated("pypi-preflight set rehearse --directory x --allow --offline --only a"),
    )  # fmt: skip
    assert rehearsed.message == (
        "5 members were rehearsed in 3 levels: the index accepted them, and they install and work"
    )
    assert rehearsed.next_command == "pypi-preflight set release --directory x --only a"
    assert run([], a_set()).message == "nothing to do: the set has no members"
    assert (run([], a_set()).exit, run([], a_set()).next_command) == (Exit.DONE, "")


def test_a_rehearsal_does_not_claim_what_was_waived() -> None:
    waived = (replace(confirmed("sandbox")[0], state=CheckState.WAIVED),)
    results = [ended(name, outcomes=waived) for name in "abcde"]
    message = run(results, verb="rehearse", indexes=("sandbox",)).message
    assert message == f"5 members were rehearsed in 3 levels; waived: {waived[0].check}"
    whole_set = [whole(name, *LASTING) for name in "abcd"]
    last = whole("e", *LASTING)
    last = replace(last, outcomes=(*last.outcomes, waived[0]))
    assert (
        run([*whole_set, last]).message == f"5 members are on testpypi and pypi, confirmed; waived: {waived[0].check}"
    )


def test_a_rehearsal_names_what_would_block_a_release() -> None:
    dirty = Outcome(
        check="the-tree-is-clean", title="", state=CheckState.FAILED,
        findings=(Finding(message="1 file is not committed", remedy="git commit"),),
    )  # fmt: skip
    end = run([ended(name, outcomes=(dirty,)) for name in "abcde"], verb="rehearse", indexes=("sandbox",))
    assert end.exit == Exit.DONE
    assert end.message.endswith("; before a release: a 1.0: 1 file is not committed (and 4 more members)")
    assert end.remedy == "git commit"


def test_the_tags_of_all_members_are_pushed_by_one_command() -> None:
    results = []
    for name in ["a", "b", "c", "d", "e"]:
        one, tag = whole(name, *LASTING, next_command="git push …"), Tag(name=f"{name} v1.0", remote="origin")
        results.append(replace(one, plan=replace(one.plan, steps=(tag,))))
    expected = "git push origin 'a v1.0' 'b v1.0' 'c v1.0' 'd v1.0' 'e v1.0'"
    assert run(results).next_command == expected

"""What many files, members or tokens cost: nothing grows faster than n log n, by the lines that Python executes."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import FileUpload
from release.checks import set_checks, upload_sequence
from release.core import set_order
from release.core.models.distribution import Distribution
from release.core.models.index import PYPI, IndexFile, ProjectListing
from release.core.models.release_set import Member, MemberFacts, ReleaseSet, SetSettings
from release.publishing.sets import member_pool, set_plan, sibling_versions
from release.publishing.upload import upload_state
from release.sandbox.index_store import Store, add_file, create_project, index_contents, new_project
from tests.executed_lines import executed_lines

NOW = datetime(2026, 11, 28, tzinfo=UTC)
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


def order_of_work(found: ReleaseSet) -> list[str]:
    """All members, one at a time, each once those that it needs are through."""
    waiting = member_pool._Waiting(*work_of(found))
    begun: list[str] = []
    while some := waiting.take(1):
        begun += some
        waiting.release(some[0])
    assert len(begun) == len(found.members)
    return begun


def work_of(found: ReleaseSet) -> tuple[list[str], dict[str, frozenset[str]]]:
    return [one.name for one in members_of(found)], dict(set_order.needed_members(members_of(found)))


BY_MEMBERS: dict[str, Callable[[ReleaseSet], object]] = {
    "levels": lambda found: set_order.order_levels(members_of(found)),
    "notes": lambda found: set_order.order_notes(members_of(found)),
    "needed members": lambda found: set_order.needed_members(members_of(found)),
    "builds": jobs,
    "work": order_of_work,
    "new projects": lambda found: set_checks._first_new(found, "pypi", len(found.members) // 2),
}


@pytest.mark.parametrize("name", BY_MEMBERS)
def test_work_for_a_set_grows_with_its_members(name: str) -> None:
    small, large = (executed_lines(partial(BY_MEMBERS[name], release_set(count))) for count in (SMALL, LARGE))
    assert large <= limit(small)


def test_members_begin_in_their_order_as_soon_as_they_can() -> None:
    found = release_set(SMALL)
    names, needs = work_of(found)
    expected: list[str] = []
    while left := [name for name in names if name not in expected and needs[name] <= set(expected)]:
        expected.append(left[0])
    assert order_of_work(found) == expected


def limit(small: int) -> float:
    return small * MARGIN * (LARGE * math.log(LARGE)) / (SMALL * math.log(SMALL))


def accepted_in_turn(count: int) -> object:
    """Each file of an upload compared with those before it."""
    accepted = upload_sequence.AcceptedFiles()
    for number in range(count):
        one = sdist_upload(str(number), ".tar.gz")
        assert not list(upload_sequence.refusals_after(one, f"{number:064}", accepted, NOW))
        accepted.add(one, f"{number:064}")
    return accepted


def remaining(count: int) -> object:
    """The files of a release compared with an index that has half of them."""
    names = [f"acme-1.0-py3-none-manylinux_2_{number}_x86_64.whl" for number in range(count)]
    files = [Distribution(path=Path(one), sha256=f"{at:064}", size=1) for at, one in enumerate(names)]
    there = tuple(IndexFile(filename=one.filename, sha256=one.sha256, url="") for one in files[::2])
    listing = ProjectListing(name="acme", files=there)
    found = upload_state.find_remaining(files, PYPI, listing, "1.0", now=NOW)
    assert len(found.files) == len(found.receipts) == count // 2
    return found


def test_a_second_sdist_is_compared_with_that_of_its_own_release() -> None:
    accepted = upload_sequence.AcceptedFiles()
    for version in ("1.0", "2.0"):
        accepted.add(sdist_upload(version, ".tar.gz"), f"sha256 of {version}")
    ((check, finding),) = upload_sequence.refusals_after(sdist_upload("2", ".zip"), "another", accepted, NOW)
    assert check == upload_sequence.ONE_SDIST
    assert "the release has another sdist, 'acme-2.0.tar.gz'" in finding.message


def sdist_upload(version: str, suffix: str) -> FileUpload:
    name = f"acme-{version}{suffix}"
    fields = {"name": ("acme",), "version": (version,), "filetype": ("sdist",)}
    return FileUpload(fields=fields, file=OpenDistribution(name, BytesIO(name.encode())))


BY_FILES = {"files before": accepted_in_turn, "remaining files": remaining}


@pytest.mark.parametrize("name", BY_FILES)
def test_work_for_a_release_grows_with_its_files(name: str) -> None:
    small, large = (executed_lines(partial(BY_FILES[name], count)) for count in (SMALL, LARGE))
    assert large <= limit(small)


def test_an_upload_to_a_sandbox_reads_only_files_that_it_may_clash_with(tmp_path: Path) -> None:
    project = new_project("acme", "alice")
    with closing(Store(tmp_path / "state")) as store, store.writing() as db:
        db.execute("INSERT INTO users VALUES ('alice', 'alice', 1, 1, 0)")
        create_project(db, project, NOW)
        project = replace(project, is_new=False)
        for number in range(LARGE):
            name, digest = f"acme-{number}.tar.gz", f"{number:064}"
            row = {"filename": name, "filetype": "sdist", "pyversion": "source", "size": 3, "md5": digest}
            row |= {"sha256": digest, "blake2_256": digest, "metadata_sha256": None, "provenance": None}
            add_file(db, project, {"name": ("acme",), "version": (str(number),)}, row, NOW)
        fields = {"name": ("acme",), "version": ("5.0",), "filetype": ("sdist",)}
        upload = FileUpload(fields=fields, file=OpenDistribution("acme-7.tar.gz", BytesIO(b"new")))
        found = index_contents(db, project, NOW, upload)
    assert [one.filename for one in found.files] == ["acme-5.tar.gz", "acme-7.tar.gz"]
    assert (found.size, found.used_filenames) == (3 * LARGE, frozenset({"acme-7.tar.gz"}))
    assert (list(found.releases), found.names) == (["5"], frozenset())


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

"""A release whose journal is lost: a second build of the same contents is replaced by the files on the indexes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from functools import partial
from pathlib import Path

import pytest

from release.adapters.builds.builder import load_distribution
from release.adapters.system.system import real_system
from release.core.facts import BuiltFile, FilenameConflict
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution
from release.core.models.index import PYPI, TESTPYPI, IndexFile, ProjectListing
from release.publishing import journal
from release.publishing.adoption import adopt_released_files
from release.publishing.journal import Journal

NAME = "acme_widget-1.0.tar.gz"


def packed(content: bytes, *, time: int) -> bytes:
    """An sdist as setuptools makes it, with the time of the build in it."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=time) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        member = tarfile.TarInfo("acme_widget-1.0/a.py")
        member.size, member.mtime = len(content), time
        tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


OURS, SAME, OTHER = packed(b"x", time=2), packed(b"x", time=1), packed(b"y", time=1)


@pytest.fixture
def book(tmp_path: Path) -> Journal:
    book = journal.for_release(tmp_path, version="1.0", commit="c" * 40)
    book.dist.mkdir(parents=True)
    (book.dist / NAME).write_bytes(OURS)
    return book


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def listing(content: bytes | None) -> ProjectListing:
    file = IndexFile(filename=NAME, url="http://127.0.0.1:1/", sha256=sha256(content or b""), yanked=None)
    return ProjectListing(name="acme-widget", files=(file,) if content else ())


def on_index(content: bytes, *, known: bool) -> BuiltFile | Unknown:
    if not known:
        return Unknown(reason="too large", remedy="none")
    return BuiltFile(filename=NAME, size=len(content), sha256=None, open=partial(io.BytesIO, content))


def adopt(
    book: Journal, test: bytes | None, real: bytes | None, *, known: bool = True
) -> tuple[Distribution, ...] | None:
    conflicts = [
        FilenameConflict(
            index=index, on_dry_run_index=index is TESTPYPI, filename=NAME, sha256=sha256(content),
            file=on_index(content, known=known),
        )
        for index, content in ((TESTPYPI, test), (PYPI, real))
        if content is not None and content != OURS
    ]  # fmt: skip
    listings = {"testpypi": listing(test), "pypi": listing(real)}
    return adopt_released_files(real_system(), [load_distribution(book.dist / NAME)], conflicts, listings, book)


def test_files_of_the_same_contents_are_used(book: Journal) -> None:
    found = adopt(book, SAME, SAME)
    assert found is not None
    assert [file.sha256 for file in found] == [sha256(SAME)]
    assert (book.dist / NAME).read_bytes() == SAME
    assert book.built() == found


@pytest.mark.parametrize(
    ("test", "real"),
    [
        (OTHER, OTHER),  # another content: the name is used up
        (SAME, None),  # a release that is not complete
        (None, SAME),
        (SAME, OTHER),
        (SAME, OURS),
        (OURS, OURS),  # nothing differs
    ],
)
def test_everything_else_stays_as_it_was_built(book: Journal, test: bytes | None, real: bytes | None) -> None:
    assert adopt(book, test, real) is None
    assert (book.dist / NAME).read_bytes() == OURS
    assert book.last("built") is None


def test_an_index_that_does_not_know_the_project_lacks_the_release(book: Journal) -> None:
    """The others have one and the same file, which is not what all indexes have."""
    files = [load_distribution(book.dist / NAME)]
    conflict = FilenameConflict(
        index=PYPI, on_dry_run_index=False, filename=NAME, sha256=sha256(SAME), file=on_index(SAME, known=True)
    )
    for listings, adopted in (
        ({"testpypi": None, "pypi": listing(SAME)}, False),
        ({"pypi": listing(SAME)}, True),
        ({}, False),
    ):
        found = adopt_released_files(real_system(), files, [conflict], listings, book)
        assert (found is not None) is adopted
        if adopted:
            event = book.last("built")
            assert event is not None
            assert (event["origin"], event["files"]) == (
                "index", [{"file": NAME, "sha256": sha256(SAME), "size": len(SAME)}],
            )  # fmt: skip


def test_a_file_that_cannot_be_fetched_is_not_used(book: Journal) -> None:
    assert adopt(book, SAME, SAME, known=False) is None

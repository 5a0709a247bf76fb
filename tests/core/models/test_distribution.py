from __future__ import annotations

from pathlib import Path

import pytest

from release.core.models.distribution import Distribution, Receipt, Rejection, result_from_listing
from release.core.models.index import IndexFile, ProjectListing

OURS, OTHER = "a" * 64, "b" * 64
FILE = Distribution(path=Path("a-1.0.tar.gz"), sha256=OURS, size=1)


def listing(sha256: str | None, filename: str = "a-1.0.tar.gz") -> ProjectListing:
    return ProjectListing(name="a", files=(IndexFile(filename=filename, url="http://h/", sha256=sha256),))


@pytest.mark.parametrize("there", [None, ProjectListing(name="a", files=()), listing(OURS, "a-1.1.tar.gz")])
def test_a_file_that_is_not_there_settles_nothing(there: ProjectListing | None) -> None:
    assert result_from_listing(FILE, there) is None


@pytest.mark.parametrize("sent", [False, True])
def test_our_bytes_are_a_receipt_that_tells_whether_this_run_sent_them(sent: bool) -> None:
    assert result_from_listing(FILE, listing(OURS), sent=sent) == Receipt(
        filename=FILE.filename, sha256=OURS, already_there=not sent
    )


@pytest.mark.parametrize("sha256", [OTHER, None])
def test_other_bytes_are_a_rejection_with_both_hashes(sha256: str | None) -> None:
    """Bytes that can't be compared count as other bytes."""
    answer = result_from_listing(FILE, listing(sha256))
    assert isinstance(answer, Rejection)
    assert OURS in answer.message
    assert sha256 is None or sha256 in answer.message

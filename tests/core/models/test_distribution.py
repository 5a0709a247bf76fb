"""A record is read with care: it may come from anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import UsageError
from release.core.models.distribution import (
    Distribution,
    ManifestFile,
    Receipt,
    Rejection,
    parse_manifest,
    result_from_listing,
)
from release.core.models.index import IndexFile, ProjectListing

OURS, OTHER = "a" * 64, "b" * 64
BUILT = Distribution(path=Path("a-1.0.tar.gz"), sha256=OURS, size=1)


def listing(sha256: str | None, filename: str = "a-1.0.tar.gz") -> ProjectListing:
    return ProjectListing(name="a", files=(IndexFile(filename=filename, url="http://h/", sha256=sha256),))


@pytest.mark.parametrize("there", [None, ProjectListing(name="a", files=()), listing(OURS, "a-1.1.tar.gz")])
def test_a_file_that_is_not_there_settles_nothing(there: ProjectListing | None) -> None:
    assert result_from_listing(BUILT, there) is None


@pytest.mark.parametrize("sent", [False, True])
def test_our_bytes_are_a_receipt_that_tells_whether_this_run_sent_them(sent: bool) -> None:
    assert result_from_listing(BUILT, listing(OURS), sent=sent) == Receipt(
        filename=BUILT.filename, sha256=OURS, already_there=not sent
    )


@pytest.mark.parametrize("sha256", [OTHER, None])
def test_other_bytes_are_a_rejection_with_both_hashes(sha256: str | None) -> None:
    """Bytes that can't be compared count as other bytes."""
    answer = result_from_listing(BUILT, listing(sha256))
    assert isinstance(answer, Rejection)
    assert OURS in answer.message
    assert sha256 is None or sha256 in answer.message


SHA = "a" * 64
FILE = {"filename": "acme_widget-1.0.tar.gz", "kind": "sdist", "size": 3, "sha256": SHA.upper()}
RECORD = {"schema": 1, "project": "acme-widget", "version": "1.0", "files": [FILE], "runs": []}


def test_what_a_run_has_written_is_read() -> None:
    """Keys that are not ours are passed over; a size may be missing."""
    found = parse_manifest(json.dumps(RECORD), "record.json")
    assert (found.project, found.version) == ("acme-widget", "1.0")
    assert found.files == (ManifestFile(filename=FILE["filename"], size=3, sha256=SHA),)  # type: ignore[arg-type] # a text
    assert found.file("other") is None
    without = parse_manifest(json.dumps(RECORD | {"files": [{"filename": "x.whl", "sha256": SHA}]}), "record.json")
    assert without.files[0].size is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"project": None}, "project must be a non-empty string, not null"),
        ({"version": ""}, "version must be a non-empty string, not ''"),
        ({"files": []}, "files must be a list of files, not []"),
        ({"files": ["x"]}, "files[0] must be an object, not 'x'"),
        ({"files": [FILE, FILE]}, "files contains a file twice"),
        ({"files": [FILE | {"filename": None}]}, "files[0].filename must be a non-empty string, not null"),
        ({"files": [FILE | {"filename": "../x.whl"}]}, "files[0].filename must be a file name without a directory"),
        ({"files": [FILE | {"sha256": "abc"}]}, "files[0].sha256 must be 64 hex digits, not 'abc'"),
    ],
)
def test_what_is_no_record_names_the_key(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_manifest(json.dumps(RECORD | changes), "record.json")
    assert says in caught.value.message
    assert caught.value.message.startswith("'record.json' is not the record of a release: ")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "[" * 100_000])
def test_what_is_no_json_object_is_no_record(text: str) -> None:
    with pytest.raises(UsageError, match="is not the record of a release"):
        parse_manifest(text, "record.json")


def test_what_is_there_instead_is_named_with_its_cause() -> None:
    differs, unknown = (result_from_listing(BUILT, listing(digits)) for digits in (OTHER, None))
    assert differs == Rejection(
        filename="a-1.0.tar.gz", status=400, cause="file.exists-different",
        message=f"File already exists, with different content: SHA-256 {OTHER} there, SHA-256 {OURS} here",
    )  # fmt: skip
    assert unknown == Rejection(
        filename="a-1.0.tar.gz", status=400, cause="post.no-strong-hash",
        message="File already exists, and the index lists no SHA-256 for it that can be believed; SHA-256 "
        f"{OURS} here",
    )  # fmt: skip

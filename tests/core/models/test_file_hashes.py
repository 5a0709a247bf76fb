"""Which of the hashes that an index lists are believed."""

from __future__ import annotations

import io

import pytest

from release.adapters.index.simple_api import parse_html_page, parse_json_page
from release.core.models.file_hashes import has_strong_hash, hash_name, parse_hashes, wrong_hashes
from release.core.models.index import IndexFile

A, B = "a" * 64, "b" * 64
NAME = "acme-1.0.tar.gz"


def from_html(fragment: str) -> IndexFile:
    (found,) = parse_html_page(f'<a href="{NAME}#{fragment}">{NAME}</a>', "http://h/", "acme").files
    return found


def from_json(hashes: object, fragment: str = "") -> IndexFile:
    file = {"filename": NAME, "url": f"http://h/{NAME}{fragment}", "hashes": hashes}
    (found,) = parse_json_page({"meta": {"api-version": "1.0"}, "name": "acme", "files": [file]}, "http://h/").files
    return found


@pytest.mark.parametrize(
    ("file", "sha256", "others"),
    [
        (from_html(f"sha256={A}"), A, ()),
        (from_html(f"SHA256={A.upper()}"), A, ()),
        (from_html(f"sha256={A}&egg=acme"), A, ()),
        (from_html(f"md5=12&sha256={A}"), A, (("md5", "12"),)),
        (from_html(f"sha256={A[1:]}"), None, (("sha256", A[1:]),)),
        (from_html(f"sha256={A}&sha256={B}"), None, (("sha256", A), ("sha256", B))),
        (from_html("egg=acme"), None, ()),
        (from_json({"sha256": A.upper()}), A, ()),
        (from_json({"sha256": A}, f"#sha256={A}"), A, ()),
        (from_json({"sha256": A}, f"#sha256={B}"), None, (("sha256", A), ("sha256", B))),
        (from_json({"md5": "12"}, f"#sha256={B}"), B, (("md5", "12"),)),
        (from_json({"sha256": 5, "md5": None, "foo": "x"}), None, ()),
    ],
)
def test_a_sha256_is_believed_where_it_is_one_and_the_only_one(
    file: IndexFile, sha256: str | None, others: tuple[tuple[str, str], ...]
) -> None:
    assert (file.sha256, file.other_hashes) == (sha256, others)
    assert "#" not in file.url
    assert has_strong_hash(file.hashes) is ("sha256" in dict(others) or sha256 is not None)


def test_each_hash_that_differs_is_named() -> None:
    listed = from_json({"sha256": A, "md5": "12"}, f"#sha256={B}").hashes
    assert [text.split()[0] for text in wrong_hashes(listed, io.BytesIO(b"x"))] == ["SHA-256", "MD5", "SHA-256"]


def test_hashes_are_named_as_people_write_them() -> None:
    names = ("md5", "sha1", "sha512", "sha3_256", "blake2b", "blake2b_256")
    assert [*map(hash_name, names)] == ["MD5", "SHA-1", "SHA-512", "SHA3-256", "BLAKE2b", "BLAKE2b-256"]


@pytest.mark.parametrize(
    ("pairs", "sha256", "others"),
    [
        ([("sha256", A)], A, ()),
        ([("SHA256", A.upper()), ("md5", "AB ")], A, (("md5", "ab"),)),
        ([("sha256", A), ("sha256", B)], None, (("sha256", A), ("sha256", B))),
        ([("sha256", "abc")], None, (("sha256", "abc"),)),
        ([("crc32", "abc"), ("sha256", A)], A, ()),
        ([("crc32", "abc")], None, ()),
        ([("md5", 1), (2, A), (None, None), ("sha512", B)], None, (("sha512", B),)),
    ],
)
def test_the_hashes_of_pairs(
    pairs: list[tuple[object, object]], sha256: str | None, others: tuple[tuple[str, str], ...]
) -> None:
    found = parse_hashes(pairs)
    assert (found.sha256, found.others) == (sha256, others)

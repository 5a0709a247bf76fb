"""A secret in a file: how it is named, what counts as an example, and how searches are combined."""

from __future__ import annotations

import pytest

from release.core.facts import LeakScan
from release.core.models.leak import PRIVATE_KEY, Leak, ScanResult, UnscannedFile, merge_scans

OBJECT, COMMIT = "0123456789abcdef" * 2 + "01234567", "fedcba9876543210" * 2 + "fedcba98"


def leak(path: str = "a.py", identity: str = "12345678", kind: str = "github-token", **rest: object) -> Leak:
    return Leak(kind=kind, identity=identity, path=path, line=3, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (leak(), "a.py:3"),
        (leak(commit=COMMIT, object=OBJECT), "a.py:3 in commit fedcba987654"),
        (leak(object=OBJECT), "a.py:3"),
        (leak("", object=OBJECT), "line 3 of the object 0123456789ab"),
        (leak(""), "line 3 of the object "),
        (leak("", object=OBJECT, commit=COMMIT), "line 3 of the object 0123456789ab in commit fedcba987654"),
        (leak("", object=COMMIT, object_type="commit"), "the message of commit fedcba987654, line 3"),
        (leak("", object=OBJECT, object_type="tag"), "the message of tag 0123456789ab, line 3"),
    ],
)
def test_the_place(found: Leak, expected: str) -> None:
    assert found.where == expected


def test_each_secret_counts_once_at_its_first_place() -> None:
    scan = ScanResult(
        leaks=(leak("a.py"), leak("b.py", others=2), leak("c.whl!d.py", identity="87654321"), leak("c.whl!e.py")),
        count=3,
    )
    assert [(one.path, one.others) for one in scan.real()] == [("a.py", 2), ("c.whl!d.py", 0)]
    assert [(one.path, one.others) for one in scan.real(by_file=True)] == [
        ("a.py", 0), ("b.py", 2), ("c.whl!d.py", 0), ("c.whl!e.py", 0),
    ]  # fmt: skip
    assert LeakScan(scope="files", searched=scan).real == scan.real(by_file=True)
    assert LeakScan(scope="tree", searched=scan).real == scan.real()


def test_a_secret_that_is_an_example_at_one_place_is_one_everywhere() -> None:
    key = leak("src/key.pem", kind=PRIVATE_KEY)
    example = leak("tests/key.pem", kind=PRIVATE_KEY)
    assert example.is_example
    assert not key.is_example
    assert ScanResult(leaks=(key, example)).real() == ()
    other = leak("src/key.pem", "87654321", kind=PRIVATE_KEY)
    assert ScanResult(leaks=(other, example)).real() == (other,)


def test_searches_are_combined() -> None:
    broken = UnscannedFile(path="c", reason="it is encrypted")
    parts = [ScanResult(leaks=(leak("a"),), count=2), ScanResult(leaks=(leak("b"),), unread=(broken,), count=3)]
    assert merge_scans(iter(parts)) == ScanResult(leaks=(leak("a"), leak("b")), unread=(broken,), count=5)

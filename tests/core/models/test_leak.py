"""A secret in a file: how it is named, what counts as an example, and how searches are combined."""

from __future__ import annotations

import pytest

from release.core.facts import LeakScan
from release.core.models.leak import INDEX_TOKEN, PRIVATE_KEY, Leak, ScanResult, UnscannedFile, merge_scans

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
        (leak("a.py", object=COMMIT, object_type="commit"), "the message of commit fedcba987654, line 3"),
        (leak("", object=OBJECT, object_type="tag"), "the message of tag 0123456789ab, line 3"),
    ],
)
def test_the_place(found: Leak, expected: str) -> None:
    assert found.where == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (leak(), "a GitHub token (fingerprint 12345678)"),
        (leak(kind=INDEX_TOKEN, host="pypi.org"), "an API token of pypi.org (identifier 12345678)"),
    ],
)
def test_what_it_is(found: Leak, expected: str) -> None:
    assert found.what == expected


@pytest.mark.parametrize(
    ("found", "example", "local"),
    [
        (leak("src/a.py", kind=PRIVATE_KEY), False, False),
        (leak("src/tests/a.py", kind=PRIVATE_KEY), True, False),
        (leak("lib/x.so.1", kind=PRIVATE_KEY), True, False),
        (leak("lib/x.so.1", kind="gitlab-token"), False, False),
        (leak("tests/a.py", kind="gitlab-token"), True, False),
        (leak("tests/a.py"), False, False),  # its checksum proves it
        (leak("src/a.py", kind="github-installation-token"), False, False),
        (leak("src/a.py", kind="github-installation-token", object=OBJECT), True, False),
        (leak("src/a.py", kind="gitlab-token", object=OBJECT), False, False),
        (leak("etc/server.key", kind=PRIVATE_KEY), False, True),
        (leak("etc/server.key", kind="gitlab-token"), False, False),
    ],
)
def test_what_counts_as_an_example(found: Leak, example: bool, local: bool) -> None:
    assert (found.is_example, found.is_of_local_server) == (example, local)


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

"""Raised versions, in the cases where uv, hatch, poetry and bumpver agree, and those that the module decides."""

from __future__ import annotations

import pytest
from packaging.version import Version

from release.core.version_parts import (
    PARTS,
    Phase,
    final_release,
    first_pre_release,
    is_before_release,
    next_dev_release,
    next_post_release,
    next_pre_release,
    raise_part,
)


@pytest.mark.parametrize(
    ("version", "major", "minor", "patch"),
    [
        ("1.2.3", "2.0.0", "1.3.0", "1.2.4"),
        ("1.2", "2.0", "1.3", "1.2.1"),
        ("1", "2", "1.1", "1.0.1"),
        ("1.2.3.4", "2.0.0.0", "1.3.0.0", "1.2.4.0"),
        ("1!1.2.3", "1!2.0.0", "1!1.3.0", "1!1.2.4"),
        ("1.2.3rc1", "2.0.0", "1.3.0", "1.2.3"),
        ("1.2.0rc1", "2.0.0", "1.2.0", "1.2.0"),
        ("2.0.0.dev1", "2.0.0", "2.0.0", "2.0.0"),
        ("1.2.3.post1", "2.0.0", "1.3.0", "1.2.4"),
        ("1.2.3.post1.dev2", "2.0.0", "1.3.0", "1.2.4"),
        ("1.2.3+local", "2.0.0", "1.3.0", "1.2.4"),
    ],
)
def test_a_part_is_raised(version: str, major: str, minor: str, patch: str) -> None:
    assert [str(raise_part(Version(version), part)) for part in PARTS] == [major, minor, patch]


@pytest.mark.parametrize(
    ("version", "phase", "first", "expected"),
    [
        ("1.2.0a1", None, 1, "1.2.0a2"),
        ("1.2.0a1", "a", 1, "1.2.0a2"),
        ("1.2.0a4", "b", 1, "1.2.0b1"),
        ("1.2.0a4", "b", 0, "1.2.0b0"),
        ("1.2.0b1", None, 1, "1.2.0b2"),
        ("1.2.0rc1", None, 1, "1.2.0rc2"),
        ("1.2.0rc1", "a", 1, None),
        ("1.2.0rc1", "b", 1, None),
        ("1.2.0a2.dev1", None, 1, "1.2.0a2"),
        ("1.2.0a2.post1", None, 1, "1.2.0a3"),
        ("1.2.0a2.post1.dev1", None, 1, "1.2.0a3"),
        ("1.2.0.dev3", None, 1, "1.2.0rc1"),
        ("1.2.0.dev3", None, 0, "1.2.0rc0"),
        ("1.2.0.dev3", "a", 1, "1.2.0a1"),
        ("1!1.2.0a1", None, 1, "1!1.2.0a2"),
        ("1.2.0", None, 1, None),
        ("1.2.0.post1", None, 1, None),
        ("1.2.0.post1.dev1", None, 1, None),
    ],
)
def test_the_next_pre_release(version: str, phase: Phase | None, first: int, expected: str | None) -> None:
    found = next_pre_release(Version(version), phase, first=first)
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("version", "post", "dev", "final", "before"),
    [
        ("1.2.0", "1.2.0.post1", "1.2.1.dev1", "1.2.0", False),
        ("1.2", "1.2.post1", "1.2.1.dev1", "1.2", False),
        ("1.2.0.post1", "1.2.0.post2", "1.2.1.dev1", "1.2.0", False),
        ("1.2.0.post2.dev3", "1.2.0.post2", "1.2.0.post2.dev4", "1.2.0", False),
        ("1.2.0rc1", "1.2.0rc1.post1", "1.2.0rc2.dev1", "1.2.0", True),
        ("1.2.0rc1.post1", "1.2.0rc1.post2", "1.2.0rc2.dev1", "1.2.0", True),
        ("1.2.0.dev3", "1.2.0.post1", "1.2.0.dev4", "1.2.0", True),
        ("1!1.2.0", "1!1.2.0.post1", "1!1.2.1.dev1", "1!1.2.0", False),
    ],
)
def test_the_next_post_and_development_releases(version: str, post: str, dev: str, final: str, before: bool) -> None:
    own = Version(version)
    assert str(next_post_release(own)) == post
    assert str(next_dev_release(own)) == dev
    assert str(final_release(own)) == final
    assert is_before_release(own) is before


def test_the_first_pre_release_of_a_release() -> None:
    assert str(first_pre_release(Version("1!2.0"))) == "1!2.0rc1"
    assert str(first_pre_release(Version("2.0"), "a", first=0)) == "2.0a0"

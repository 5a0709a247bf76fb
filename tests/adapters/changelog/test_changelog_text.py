"""The sections of a changelog, and what a long or an odd one costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from release.adapters.changelog.changelog_text import ChangelogText, parse_changelog
from release.adapters.changelog.release_titles import read_title

#: of processor time: a hundred times what it takes, and a fraction of what the square of the length would take
SECONDS = 3.0

T = TypeVar("T")


def within_seconds(run: Callable[[], T]) -> T:
    begun = time.process_time()
    found = run()
    assert time.process_time() - begun < SECONDS
    return found


def sections(text: ChangelogText) -> dict[str, tuple[int, int]]:
    """Title → the first line of the section, and the line after it."""
    return {one.text: (one.start, text.end_of(one)) for one in text.headings}


def test_a_section_ends_at_the_next_one_of_its_level_or_a_higher_one() -> None:
    text = parse_changelog(b"# A\n## 2.0\n### Added\n- x\n### Fixed\n## 1.0\n- y\n# B\n", markdown=True)
    assert sections(text) == {"A": (0, 7), "2.0": (1, 5), "Added": (2, 4), "Fixed": (4, 5), "1.0": (5, 7), "B": (7, 8)}


@pytest.mark.parametrize("marks", ["=-~", "#=-", "=#-", "#*#"])
def test_the_levels_of_restructuredtext_are_in_the_order_of_appearance(marks: str) -> None:
    """With `#` as well, which says nothing about a level there."""
    first, second = marks[0] * 6, marks[1] * 6
    text = parse_changelog(f"A\n{first}\n2.0.00\n{second}\nx\n1.0.00\n{second}\ny\n".encode(), markdown=False)
    assert sections(text) == {"A": (0, 8), "2.0.00": (2, 5), "1.0.00": (5, 8)}


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# a", "a"), ("# a #", "a"), ("## a ## \t", "a"), ("# a#", "a#"), ("# a # b", "a # b"), ("# a # #", "a #"),
        ("#   ", ""), ("# ##", "##"), ("# C# #", "C#"),
    ],
)  # fmt: skip
def test_the_closing_marks_of_a_heading(line: str, title: str) -> None:
    (heading,) = parse_changelog(f"{line}\n".encode(), markdown=True).headings
    assert heading.text == title


def test_comments_are_no_entries() -> None:
    for comment in ("<!-- a -->", "<!-- a\nb -->", "<!--a--><!-- b -->", "<!-- <!-- a -->"):
        text = parse_changelog(f"## Unreleased\n{comment}\n## 1.0\n".encode(), markdown=True)
        assert text.is_empty(text.headings[0])
    text = parse_changelog(b"## Unreleased\n<!-- a --> b\n## 1.0\n", markdown=True)
    assert not text.is_empty(text.headings[0])


def test_many_releases_take_linear_time() -> None:
    entries = "".join(f"## 0.{number} - 2026-01-31\n### Added\n- x\n\n" for number in range(20_000))
    text = within_seconds(lambda: parse_changelog(f"## Unreleased\n\n{entries}".encode(), markdown=True))
    assert within_seconds(lambda: text.is_empty(text.headings[0]))
    ends = within_seconds(lambda: [text.end_of(one) for one in text.releases])
    assert ends == [2 + 4 * (number + 1) for number in range(20_000)]


@pytest.mark.parametrize("line", ["## x" + " " * 50_000 + "y", "-" * 50_000 + "x", "<!-- " * 50_000])
def test_a_long_line_takes_linear_time(line: str) -> None:
    text = within_seconds(lambda: parse_changelog(f"# Unreleased\n{line}\n".encode(), markdown=True))
    within_seconds(lambda: text.is_empty(text.headings[0]))


def test_a_long_version_takes_linear_time() -> None:
    assert within_seconds(lambda: read_title("1.0" + "a_" * 30 + "x")) is None
    title = read_title("1.0rc1.post2.dev3 - 2026-01-31")
    assert title is not None
    assert title.version_text == "1.0rc1.post2.dev3"

"""The lines of a changelog in Markdown or reStructuredText, and its titles. The bytes around them are kept."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from release.adapters.changelog.release_titles import ReleaseTitle, is_undated, read_title

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*")
_ATX = re.compile(r"(?P<marks> {0,3}#{1,6}[ \t]+)(?P<text>.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
#: what says that a section has no entry yet. Source of the first: the section that zest.releaser adds
_NOTHING = re.compile(
    r"[-*+.\s]*+(?:un-?released|nothing(?: changed| here)?(?: yet)?|no (?:\w+ )?changes(?: yet)?|n/a|none|tbd)?\W*",
    re.IGNORECASE,
)


class Heading(Struct, frozen=True, kw_only=True):
    """The heading of a section."""

    #: the number of its first line, of the line with its text, and of the line after it; from 0
    start: int
    line: int
    end: int
    #: its level: the marks of Markdown, or the characters above and below of reStructuredText
    level: str
    text: str
    #: what it is as the title of a release; None for any other
    title: ReleaseTitle | None


class ChangelogText(Struct, frozen=True, kw_only=True):
    """A changelog."""

    #: with their ends
    lines: tuple[str, ...]
    headings: tuple[Heading, ...]
    #: level → the numbers of the first lines of its headings; the highest level first
    levels: Mapping[str, Sequence[int]]
    #: whether it starts with a byte order mark
    marked: bool

    @property
    def pending(self) -> Heading | None:
        """The heading of what is not released yet, above all releases."""
        found = next((one for one in self.headings if one.title), None)
        return found if found is not None and found.title is not None and not found.title.released else None

    @property
    def releases(self) -> tuple[Heading, ...]:
        """The headings of releases, the newest first, of the level of the first one."""
        found = [one for one in self.headings if one.title and one.title.released]
        return tuple(one for one in found if one.level == found[0].level)

    @property
    def undated(self) -> tuple[Heading, int] | None:
        """The first release, and the number of the line below its heading that says that it is none yet."""
        first = self.releases[0] if self.releases and self.pending is None else None
        below = self.line_below(first) if first is not None else None
        return (first, below) if first and below is not None and is_undated(self.lines[below]) else None

    def line_below(self, heading: Heading) -> int | None:
        """The number of the first line of a section with any text; None if it has none."""
        return next((n for n in range(heading.end, self.end_of(heading)) if self.lines[n].strip()), None)

    def end_of(self, heading: Heading) -> int:
        """The number of the line after the section, where the next one of its level, or a higher one, begins."""
        names = list(self.levels)
        starts = [self.levels[name] for name in names[: names.index(heading.level) + 1]]
        after = (one[at] for one in starts if (at := bisect_left(one, heading.end)) < len(one))
        return min(after, default=len(self.lines))

    def is_empty(self, heading: Heading) -> bool:
        """Whether the section has no entry: nothing but headings, comments and words such as "nothing changed yet"."""
        end = self.end_of(heading)
        inside = [one for one in self.headings if heading.end <= one.start < end]
        skipped = {number for one in inside for number in range(one.start, one.end)}
        rest = "".join(
            line for number, line in enumerate(self.lines[heading.end : end], heading.end)
            if number not in skipped
        )  # fmt: skip
        # else each comment without an end would be searched to the last line
        closed, end_mark, after = rest.rpartition("-->")
        rest = re.sub(r"(?s)<!--.*?-->", "", closed + end_mark) + after
        rest = re.sub(r"(?m)^(?:\[[^\]\n]+\]:|\.\. ).*$", "", rest)
        return all(_NOTHING.fullmatch(line) for line in rest.splitlines())

    def newline(self, number: int) -> str:
        """How a line ends; the last one may have no end of its own."""
        for line in (self.lines[number], *self.lines):
            if line.endswith(("\n", "\r")):
                return line[len(line.rstrip("\r\n")) :]
        return "\n"

    def heading_lines(self, heading: Heading, text: str) -> list[str]:
        """The lines of a heading like this one with another text; the lines above and below it fit it likewise."""
        end = self.newline(heading.line)
        lines = []
        for number in range(heading.start, heading.end):
            old = self.lines[number].rstrip("\r\n")
            if number == heading.line:
                lines.append(old.replace(heading.text, text, 1) + end)
                continue
            around = len(old) - len(
                heading.text
            )  # 0; 2 with a blank on each side; or it is as long as the page is wide
            fits = around == 0 or (around == 2 and heading.line > heading.start)  # noqa: PLR2004
            lines.append(old[:1] * (len(text) + around if fits else max(len(old), len(text))) + end)
        return lines


def parse_changelog(data: bytes, *, markdown: bool) -> ChangelogText:
    """Read a changelog. Raises `UnicodeDecodeError` where it is not UTF-8."""
    marked = data.startswith(codecs.BOM_UTF8)
    lines = tuple(re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", data.decode("utf-8-sig")))
    bare = [line.rstrip("\r\n") for line in lines]
    found = tuple(_markdown_headings(bare) if markdown else _rst_headings(bare))
    return ChangelogText(lines=lines, headings=found, levels=_levels(found, markdown=markdown), marked=marked)


def _levels(headings: Sequence[Heading], *, markdown: bool) -> Mapping[str, Sequence[int]]:
    """`ChangelogText.levels`: in Markdown by the number of marks, in reStructuredText in the order of appearance."""
    levels: dict[str, list[int]] = {}
    for one in headings:
        levels.setdefault(one.level, []).append(one.start)
    return {level: levels[level] for level in (sorted(levels, key=len) if markdown else levels)}


def to_bytes(lines: Sequence[str], *, marked: bool) -> bytes:
    """The bytes of a changelog."""
    return (codecs.BOM_UTF8 if marked else b"") + "".join(lines).encode()


def _markdown_headings(lines: Sequence[str]) -> Iterator[Heading]:
    """Source: CommonMark 0.31, "ATX headings", "Setext headings", "Fenced code blocks"."""
    fence, comment = "", False
    for number, line in enumerate(lines):
        comment = ("-->" not in line) if comment else line.lstrip().startswith("<!--") and "-->" not in line
        opened = _FENCE.match(line)
        if opened and (not fence or (opened[1].startswith(fence) and not line[opened.end() :].strip())):
            fence = "" if fence else opened[1]
            continue
        if fence or comment:
            continue
        if atx := _ATX.fullmatch(line):
            yield _heading(number, number, number + 1, atx["marks"].strip(), _without_closing_marks(atx["text"]))
        elif number and re.fullmatch(r" {0,3}(=+|-+)[ \t]*", line) and _is_title(lines[number - 1]):
            level = "#" if "=" in line else "##"
            yield _heading(number - 1, number - 1, number + 1, level, lines[number - 1].strip())


def _without_closing_marks(text: str) -> str:
    text = text.rstrip(" \t")
    before = text.rstrip("#")
    return before.rstrip(" \t") if before.endswith((" ", "\t")) else text


def _is_title(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("    ", "\t", "#", "-", "*", "+", ">", "|", "```"))


def _rst_headings(lines: Sequence[str]) -> Iterator[Heading]:
    """Source: reStructuredText markup specification, "Sections"."""
    for number in range(1, len(lines)):
        text, below = lines[number - 1], lines[number].rstrip()
        if not _ADORNMENT.fullmatch(below) or not text.strip() or _ADORNMENT.fullmatch(text.strip()):
            continue
        above = lines[number - 2].rstrip() if number > 1 else ""
        if above == below and _ADORNMENT.fullmatch(above) and len(above) >= len(text.strip()):
            yield _heading(number - 2, number - 1, number + 1, above[0] * 2, text.strip())
        elif not text.startswith((" ", "\t")) and len(below) >= min(len(text.rstrip()), 4):
            yield _heading(number - 1, number - 1, number + 1, below[0], text.strip())


def _heading(start: int, line: int, end: int, level: str, text: str) -> Heading:
    return Heading(start=start, line=line, end=end, level=level, text=text, title=read_title(text))

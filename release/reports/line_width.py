"""Lines that fit the width of a terminal: wrapped at words, file names truncated, commands whole."""

from __future__ import annotations

import textwrap

from release.core.lazy_pattern import lazy_pattern

#: the file name of a distribution in a sentence
_NAME = lazy_pattern(r"[^\s'\"/\\]+\.(?:whl|tar\.gz|zip)\b")
#: lines to copy from: a path, a command
_COPYABLE = ("record: ", "next: ")
#: a command in a remedy; a remedy without one is a sentence
_COMMAND = lazy_pattern(
    r"→ (?:.*run: |.*\b(?:python -m|pypi-preflight) |(?:unset|export|chmod|mv|gh|git|twine) |read -rs |set [-\"/]"
    r"|move [A-Z\"]|(?:Move|Remove)-Item |\$env:)"
)
#: the start of a line: spaces, and an arrow or the word for a check's state
_PREFIX = lazy_pattern(r"\s*(?:→ |\S+\s{2,})?")
#: the shortest form of a file name: its end is a tag, and the name must remain recognizable
_SHORTEST_NAME = 24


def truncate_middle(text: str, width: int) -> str:
    """The text in `width` characters, at least 1, with an ellipsis in its middle where it is longer."""
    if len(text) <= width:
        return text
    rest = max(0, width - 1)
    return f"{text[: rest - rest // 2]}…{text[len(text) - rest // 2 :]}"


def fit_line(text: str, width: int) -> str:
    """The line in `width` columns: with its file name truncated if that is enough, else wrapped at words.

    Lines to copy from stay whole: a terminal wraps them, and copies them as one line.
    """
    start = text.lstrip()
    if len(text) <= width or start.startswith(_COPYABLE) or _COMMAND.match(start) or "\n" in text:
        return text
    return _with_short_name(text, width) or _wrap(text, width)


def count_rows(text: str, width: int) -> int:
    """The rows of a terminal that the text needs; the terminal itself breaks lines that are longer."""
    return sum(max(1, -(-len(line) // width)) for line in text.split("\n"))


def shorten(text: str, rows: int, width: int | None) -> str:
    """The text in so many rows, cut at a word; without a width it is unchanged."""
    if width is None or count_rows(fit_line(text, width), width) <= rows:
        return text
    lines = fit_line(text, width).split("\n")[:rows]
    cut = lines[-1][: width - 2]
    lines[-1] = f"{cut if len(lines[-1]) <= width - 2 else cut.rpartition(' ')[0] or cut} …"
    return "\n".join(lines)


def _with_short_name(text: str, width: int) -> str | None:
    """The line with its only file name truncated; None if it has none or several, or is still too long."""
    names = _NAME.findall(text)
    available = width - (len(text) - len(names[0])) if len(names) == 1 else 0
    return text.replace(names[0], truncate_middle(names[0], available)) if available >= _SHORTEST_NAME else None


def _wrap(text: str, width: int) -> str:
    prefix = _PREFIX.match(text)
    indent = len(prefix[0]) if prefix else 0
    return textwrap.fill(
        text, width, subsequent_indent=" " * (indent if indent < width // 2 else 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip

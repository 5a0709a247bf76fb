"""Text that fits a screen: shortened in its middle, or folded under its own beginning. Pure."""

from __future__ import annotations

import re
import textwrap

#: the name of a distribution, in a sentence
_NAME = re.compile(r"[^\s'\"/\\]+\.(?:whl|tar\.gz|zip)\b")
#: what is there to be copied: a remedy, a path, a command
_WHOLE = ("→", "record: ", "next: ")
#: what a line begins with: space, and the word for a check's state
_BEGINNING = re.compile(r"\s*(?:\S+\s{2,})?")
#: characters of a name that stay, at least: it ends in a tag, and must be known again
_LEAST = 24


def shortened(text: str, width: int) -> str:
    """The text in so many characters, at least 1: what is too much goes from its middle."""
    if len(text) <= width:
        return text
    kept = max(0, width - 1)
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def fitting(text: str, width: int) -> str:
    """A line as lines of so many characters: the names of files shortened, if that is enough, or folded at words.

    What a reader may want to copy stays whole, however long: the terminal breaks it, and knows that it is one line.
    """
    if len(text) <= width or text.lstrip().startswith(_WHOLE) or "\n" in text:
        return text
    return _with_short_name(text, width) or _folded(text, width)


def _with_short_name(text: str, width: int) -> str | None:
    """The line with its one file name shortened; None where it has another number of them, or is still too long."""
    names = _NAME.findall(text)
    room = width - (len(text) - len(names[0])) if len(names) == 1 else 0
    return text.replace(names[0], shortened(names[0], room)) if room >= _LEAST else None


def _folded(text: str, width: int) -> str:
    begins = _BEGINNING.match(text)
    indent = len(begins[0]) if begins else 0
    return textwrap.fill(
        text, width, subsequent_indent=" " * (indent if indent < width // 2 else 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip

"""Paths in messages, and characters that cannot be printed."""

from __future__ import annotations

import re
from functools import cache

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from pathlib import PurePath

#: what `str.isprintable` accepts, but no font shows: fillers, and selectors of a variant, except behind a sign that has
#: variants, such as an emoji. Source: Unicode 16.0, DerivedCoreProperties.txt, "Default_Ignorable_Code_Point"
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(
    map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)))
)
_SELECTORS = "\ufe0e\ufe0f"
_HIDDEN = frozenset(_INVISIBLE + _SELECTORS)


def quote_path(path: PurePath | str) -> str:
    r"""The path in quotes, as its user writes it: `'C:\dist'`, where `repr` doubles the backslashes."""
    text = str(path)
    sign = '"' if "'" in text and '"' not in text else "'"
    return f"{sign}{escape_unprintable(text)}{sign}"


def escape_unprintable(text: str) -> str:
    r"""The text with what cannot be printed, or is invisible, escaped: `\x1b`, `\u202e`.

    A byte that is not text, in the name of a file on POSIX, becomes `\xe9`.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _escape(c) for c in text)
    return text if _HIDDEN.isdisjoint(text) else _invisible().sub(lambda found: _escape(found[0]), text)


@cache
def _invisible() -> re.Pattern[str]:
    with_variants = "\u00a9-\u00ae\u203c-\u3163\u3165-\u3299\U0001f000-\U0001faff"
    return re.compile(f"[{_INVISIBLE}]|(?<![{with_variants}])[{_SELECTORS}]")


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # noqa: PLR2004 - what `surrogateescape` makes of a byte
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")

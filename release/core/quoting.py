"""Paths in messages, and characters that cannot be printed."""

from __future__ import annotations

import re
from pathlib import PurePath

#: what `str.isprintable` accepts, but no font shows: fillers, and selectors of a variant, except behind a sign that has
#: variants, such as an emoji. Source: Unicode 16.0, DerivedCoreProperties.txt, "Default_Ignorable_Code_Point"
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
    "|(?<![\u00a9-\u00ae\u203c-\u3163\u3165-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]"
)


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
    return text if text.isascii() else _INVISIBLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # noqa: PLR2004 - what `surrogateescape` makes of a byte
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")

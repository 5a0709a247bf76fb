"""Text for streams whose encoding lacks some of its characters: cp1252 has no arrow, ASCII has no accents.

Marks become similar ASCII signs; every other character becomes the escape sequence that Python and JSON read.
"""

# ruff: noqa: RUF001 - the marks are what this is about
from __future__ import annotations

#: marks of messages, reports and the tools that they quote, and the ASCII signs for them
MARKS = {
    "→": "->", "←": "<-", "⇒": "=>", "…": "...", "·": "-", "•": "*", "●": "*", "⚪": "o", "✓": "+", "✔": "+", "✅": "+",
    "✕": "x", "✗": "x", "✘": "x", "❌": "x", "×": "x", "⚠": "!", "❯": ">", "‘": "'", "’": "'", "‚": "'", "“": '"',
    "”": '"', "„": '"', "«": '"', "»": '"', "⟨": "<", "⟩": ">", "‐": "-", "‑": "-", "–": "-", "—": "-", "≤": "<=",
    "≥": ">=", "≠": "!=", "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{VARIATION SELECTOR-16}": "",
    "\N{REPLACEMENT CHARACTER}": "?",
    "─": "-", "━": "-", "═": "=", "│": "|", "┃": "|", "║": "|", "╸": "-", "╺": "-", "█": "#", "▌": "#",
}  # fmt: skip
_CORNERS = range(0x250C, 0x2580)  # the box characters that are no lines
_SPINNER = range(0x2800, 0x2900)  # Braille patterns
#: what `surrogateescape` makes of a byte that is not text: U+DC80 to U+DCFF
_BYTES = range(0xDC80, 0xDD00)


def to_encodable(text: str, encoding: str) -> str:
    r"""The text in characters that the encoding has; an unknown encoding counts as ASCII.

    A byte that is not text, as in the name of a file, becomes `\xe9`, also in UTF-8.
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        lacking = {ord(sign): to_ascii(sign) for sign in set(text) if not _encodes(sign, encoding)}
        return text.translate(lacking)
    except LookupError:
        return text.translate({ord(sign): to_ascii(sign) for sign in set(text) if not sign.isascii()})
    return text


def to_ascii(sign: str) -> str:
    """The ASCII text for one character."""
    if sign.isascii():
        return sign
    if (mark := MARKS.get(sign)) is not None:
        return mark
    number = ord(sign)
    if number in _CORNERS or number in _SPINNER:
        return "+" if number in _CORNERS else "*"
    if number in _BYTES:
        return f"\\x{number - 0xDC00:02x}"
    return sign.encode("ascii", "backslashreplace").decode("ascii")


def _encodes(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True

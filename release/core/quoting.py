"""Paths in messages, and characters that cannot be printed."""

from __future__ import annotations

from pathlib import PurePath


def quote_path(path: PurePath | str) -> str:
    r"""The path in quotes, as its user writes it: `'C:\dist'`, where `repr` doubles the backslashes."""
    text = str(path)
    sign = '"' if "'" in text and '"' not in text else "'"
    return f"{sign}{escape_unprintable(text)}{sign}"


def escape_unprintable(text: str) -> str:
    r"""The text with what cannot be printed escaped: `\x1b`, `\u202e`.

    A byte that is not text, in the name of a file on POSIX, becomes `\xe9`.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # noqa: PLR2004 - what `surrogateescape` makes of a byte
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")

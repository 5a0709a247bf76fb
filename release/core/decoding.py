"""Text files of users, in the encodings that their shells and editors write."""

from __future__ import annotations

import codecs

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_text(data: bytes, errors: str = "strict") -> str:
    """UTF-8, or UTF-16 with a byte order mark, which Windows PowerShell 5.1 writes with `>`; the mark is left out.

    Raises `UnicodeDecodeError` unless `errors` is "replace".
    """
    return data.decode("utf-16" if has_utf16_mark(data) else "utf-8-sig", errors)


def has_utf16_mark(data: bytes | bytearray) -> bool:
    """Whether the data begins with the byte order mark of UTF-16."""
    return data.startswith(_UTF16)

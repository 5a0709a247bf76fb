"""What a text becomes where the encoding of a stream lacks some of its characters."""

# ruff: noqa: RUF001 - the marks are what this is about
from __future__ import annotations

from pathlib import Path

import pytest

from release.core.encodable import to_ascii, to_encodable

_SOURCES = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("utf-8", "✓ wheel → sdist … ×", "✓ wheel → sdist … ×"),
        ("ascii", "✓ wheel → sdist … × • ·", "+ wheel -> sdist ... x * -"),
        ("cp1252", "✓ wheel → sdist … × • · “a”", "+ wheel -> sdist … × • · “a”"),
        ("latin-1", "✕ → … ×", "x -> ... ×"),
        ("cp437", "café → ·", "café -> ·"),
        ("koi8-r", "имя → café", "имя -> caf\\xe9"),
        ("ascii", "имя", "\\u0438\\u043c\\u044f"),
        ("ascii", "\N{PILE OF POO}", "\\U0001f4a9"),
        ("utf-16", "имя → \N{PILE OF POO}", "имя → \N{PILE OF POO}"),
        ("cp932", "→ 日本 é", "→ 日本 \\xe9"),
        ("no-such-encoding", "→ é", "-> \\xe9"),
        ("ascii", "⠋ ━╸ ╭─╮│", "* -- +-+|"),
        # bytes that are no text in the name of a file, and half a character
        ("utf-8", "caf\udce9.py", "caf\\xe9.py"),
        ("ascii", "caf\udce9.py → é", "caf\\xe9.py -> \\xe9"),
        ("utf-16", "caf\udce9.py → é", "caf\\xe9.py → é"),
        ("utf-8", "\ud83d → é", "\\ud83d → é"),
        # alike, and encodable as it is
        ("ascii", r"-> C:\xe9 'x' \u2192", r"-> C:\xe9 'x' \u2192"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_ascii(encoding: str, text: str, expected: str) -> None:
    assert to_encodable(text, encoding) == expected


def test_every_mark_that_the_program_writes_has_a_sign_in_ascii() -> None:
    packages = ("cli", "core", "checks", "reports", "publishing", "token_health", "credentials")
    paths = (path for package in packages for path in (_SOURCES / "release" / package).rglob("*.py"))
    used = {sign for path in paths for sign in path.read_text(encoding="utf-8") if not sign.isascii()}
    assert not {sign for sign in used if to_ascii(sign).startswith("\\")}

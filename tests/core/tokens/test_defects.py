"""Words that all messages about tokens share, and what is shown of a text that is none."""

from __future__ import annotations

import pytest

from release.core.tokens.defects import LONG, code_point, counted, is_tokenish
from release.core.tokens.plain_words import SHOWN, quoted


def test_numbers_with_their_nouns() -> None:
    assert [counted(number, "character") for number in (0, 1, 2)] == ["0 characters", "1 character", "2 characters"]
    assert [code_point(one) for one in "\u200b\x01"] == ["U+200B (zero width space)", "U+0001"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pypi-" + "." * (LONG - 5), False),
        ("PyPI-" + "." * (LONG - 4), True),
        ("pip-" + "." * LONG, False),
        ("AgE" + "x" * 20, True),
        ("AgE" + "x" * 19, False),
        ("pypi-" + "x" * 40, True),
        ("pypi-" + "x" * 39, False),
        (" 'p y p i - A g E' ", True),
    ],
)
def test_what_looks_like_a_damaged_token(text: str, expected: bool) -> None:
    assert is_tokenish(text) is expected


def test_a_text_is_shown_only_if_it_is_no_secret() -> None:
    assert quoted("your-token") == " 'your-token'"
    assert quoted("hunter2") == " of 7 characters"
    word = "your-token-"
    exact = (word * SHOWN)[:SHOWN].rstrip("-").ljust(SHOWN, "n")
    assert quoted(exact) in {f" '{exact}'", f" of {SHOWN} characters"}
    assert quoted((word * 20).rstrip("-")) == f" '{(word * 20)[: SHOWN - 3]}...'"

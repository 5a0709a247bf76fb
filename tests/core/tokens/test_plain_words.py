"""Whether a text is shown, and how much of it."""

from __future__ import annotations

import pytest

from release.core.tokens.plain_words import SHOWN, quoted


@pytest.mark.parametrize("length", [SHOWN - 1, SHOWN, SHOWN + 1, 200])
def test_up_to_sixty_characters_are_shown(length: int) -> None:
    text = ("a " * length)[: length - 1] + "-"
    assert len(text) == length
    shown = quoted(text)
    if length <= SHOWN:
        assert shown == f" '{text}'"
    else:
        assert shown == f" '{text[: SHOWN - 3]}...'"


@pytest.mark.parametrize(
    ("text", "certain", "shown"),
    [
        ("your-token", False, " 'your-token'"),
        ("it's your token", False, """ "it's your token\""""),
        ("put 'token' here", False, """ "put 'token' here\""""),
        ("hunter2", False, " of 7 characters"),
        ("release/hunter2", True, " 'release/hunter2'"),
        ("x8Kd9fQ2 token", True, " of 14 characters"),
        ("${ACME_PYPI_TOKEN}", False, " '${ACME_PYPI_TOKEN}'"),
        ("token\x1b", False, " of 6 characters"),
        ("tökén", False, " of 5 characters"),
        ("//user:pass@host", True, " of 16 characters"),
    ],
)
def test_only_plain_words_are_shown(text: str, shown: str, *, certain: bool) -> None:
    assert quoted(text, certain=certain) == shown

"""The path of a file in the place of a token: certain ones, plain ones, and passwords that look like one."""

from __future__ import annotations

import pytest

from release.core.tokens.secret_references import file_path


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("/run/secrets/pypi", True),
        ("~/.config/token.txt", True),
        ("secrets/token", True),
        ("Acme/Widget.txt", True),
        ("./acme", False),
        ("~acme/horse", False),
        ("./acme/widget/horse", True),
        ("x8Kd9fQ2/y7Ld8gR3.txt", False),
    ],
)
def test_two_words_that_mean_nothing_here_may_be_a_password(text: str, *, is_path: bool) -> None:
    assert (file_path(text) is not None) is is_path

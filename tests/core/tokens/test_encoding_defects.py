"""What is no base64 of a whole token: the words for its end, and for what stands in its place."""

from __future__ import annotations

import pytest

from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import decode

#: "pypi-", the version of the format, and the location "pypi.org"
HEAD = "pypi-AgEIcHlwaS5vcmc"


def defect_of(text: str) -> TokenDefect:
    found = decode(Secret(text))
    assert isinstance(found, TokenDefect)
    return found


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        ("YOUR_TOKEN", "cred.placeholder"),
        ("xxkey", "cred.placeholder"),
        ("key", "cred.placeholder"),
        ("no", "cred.malformed"),  # two letters are there by chance
        ("xno", "cred.malformed"),
        ("abc", "cred.malformed"),
    ],
)
def test_words_of_three_letters_or_more_are_a_placeholder(end: str, cause: str) -> None:
    assert defect_of(HEAD + end).cause == cause


@pytest.mark.parametrize("body", ["Xq7Vw2Lk", "Xq7Vw2LkPz"])
def test_the_length_of_what_follows_the_prefix(body: str) -> None:
    assert defect_of(f"pypi-{body}").message == f"'pypi-' is followed by {len(body)} characters that are not a token"

"""A token in another encoding, and one without its beginning: the exact words."""

from __future__ import annotations

import base64

import pytest

from release.core.tokens.encoded_tokens import encoded_token, headless_token
from tests.fake_tokens import token

TOKEN = token()
STORE = "store the token itself, beginning with 'pypi-'"
DECODE = "decode it: base64 --decode; "


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "form", "how"),
    [
        (TOKEN.encode().hex(), "hexadecimal", "decode it; "),
        (f"0x{TOKEN.encode().hex().upper()}", "hexadecimal", "decode it; "),
        *((encoded(TOKEN + "\n" * count), "base64", DECODE) for count in range(3)),
        *((f"{encoded(TOKEN + chr(10) * count).rstrip('=')}", "base64", DECODE) for count in range(3)),
        (f"Basic {encoded(f'__token__:{TOKEN}')}", "base64 with the username, as in an HTTP header", ""),
        (f"\n {encoded(TOKEN)[:40]}\n{encoded(TOKEN)[40:]} ", "base64", DECODE),
    ],
)
def test_the_encoding_is_named(text: str, form: str, how: str) -> None:
    found = encoded_token(text)
    assert found is not None
    assert found.message == f"the value is a token in another encoding, {form}"
    assert (found.cause, found.remedy) == ("cred.encoded", how + STORE)


def test_a_token_over_two_lines_with_a_continuation_character() -> None:
    found = encoded_token(f"{TOKEN[:40]}\\\n{TOKEN[40:]}")
    assert found is not None
    assert found.message == "the token is split over 2 lines, with a continuation character in it"
    assert encoded_token(TOKEN) is None


@pytest.mark.parametrize("prefix", ["", "pypi-"])
def test_a_token_without_its_beginning(prefix: str) -> None:
    found = headless_token(prefix + TOKEN[-60:])
    assert found is not None
    assert found.message == "the beginning of the token is missing: only 60 characters of it are there"
    assert found.cause == "cred.head-missing"


def test_the_middle_of_a_token() -> None:
    found = headless_token(TOKEN[40:-30])
    assert found is not None
    length = len(TOKEN) - 70
    assert found.message == (
        f"the beginning of the token is missing or damaged: only {length} characters of it are there"
    )
    assert headless_token(TOKEN) is None

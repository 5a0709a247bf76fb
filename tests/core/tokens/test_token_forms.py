"""Texts that may have the form of a token are found before they are searched."""

from __future__ import annotations

import base64

import pytest

from release.core.redaction import redact
from release.core.tokens.token_forms import BASIC_START, may_have_token
from tests.fake_tokens import token


def test_each_form_that_is_redacted_is_found() -> None:
    secret = token()
    header = base64.b64encode(f"__token__:{secret}".encode()).decode()
    for text in (secret, f"token: {secret[:5]}\n{secret[5:]}", f"Basic {header}"):
        assert may_have_token(text)
        assert redact(text) != text


@pytest.mark.parametrize("text", ["", "pypi-preflight --help", "AgE", "Basic dXNlcjpwYXNz"])
def test_other_texts_need_no_search(text: str) -> None:
    assert not may_have_token(text)
    assert redact(text) == text


def test_the_start_of_basic_authorization_is_that_of_any_token() -> None:
    assert base64.b64encode(b"__token__:pypi-AgE").decode() == BASIC_START

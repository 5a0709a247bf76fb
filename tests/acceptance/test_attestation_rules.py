"""The field `attestations` in the server's words: one that is present and empty is refused, too.

Observed: warehouse 6b62157 with pypi-attestations 0.0.29, 2026-11.
"""

from __future__ import annotations

import pytest

from release.acceptance.attestation_rules import check_attestations, statement_verifier

PREFIX = "Invalid attestations supplied during upload: "
ONE_ERROR = "Malformed attestations: 1 validation error for list[Attestation]"
NO_ERROR_OF_JSON = "Malformed attestations: an empty attestation set is not permitted"


def first_line(text: str, publisher: str | None) -> str:
    refusal = check_attestations(text, publisher=publisher, verifier=statement_verifier("acme-1.0.tar.gz", "0" * 64))
    assert refusal is not None
    return refusal.text.splitlines()[0].removeprefix(PREFIX)


@pytest.mark.parametrize("text", ["", " ", "[]", "null", "[{}]", "{", "[" * 200_000])
def test_a_users_token_may_send_none(text: str) -> None:
    assert first_line(text, None) == "Attestations are only supported when using Trusted Publishing"
    assert first_line(text, "ActiveState") == "Attestations are not currently supported with ActiveState publishers"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ONE_ERROR),
        (" ", ONE_ERROR),
        ("null", ONE_ERROR),
        ('""', ONE_ERROR),
        ("{}", ONE_ERROR),
        ("[" * 200_000, ONE_ERROR),
        ("[]", NO_ERROR_OF_JSON),
        (" [ ] ", NO_ERROR_OF_JSON),
        ("[{}]", "Malformed attestations: 3 validation errors for list[Attestation]"),
    ],
)
def test_an_empty_field_is_malformed(text: str, words: str) -> None:
    assert first_line(text, "GitHub") == words

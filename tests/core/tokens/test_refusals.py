"""What the index answers to a credential, in its own words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from release.core.secret import Secret
from release.core.tokens.refusals import INVALID, PASSWORDS_UNSUPPORTED, authentication_refusal, caveat_refusal
from release.core.tokens.token import Token, decode
from tests.core.tokens.test_token import dump, text
from tests.fake_tokens import token

NOW = datetime(2026, 11, 28, tzinfo=UTC)
USER, OTHER = dump([3, str(uuid.uuid4())]), dump([3, str(uuid.uuid4())])
PUBLISHER, SECOND = dump([4, str(uuid.uuid4()), None]), dump([4, str(uuid.uuid4()), None])
NAMES, EXPIRED, VALID = dump([1, ["acme"]]), dump([0, 1700000000, 0]), dump([0, 1900000000, 0])
NO_PROJECT = "project-scoped token is not valid for project: 'Widget'"


@pytest.mark.parametrize(
    ("caveats", "expected"),
    [
        ((), None),
        ((USER, VALID), None),
        ((USER, EXPIRED), "token is expired"),
        ((USER, dump([0, 1900000000, 1890000000])), "token is expired"),
        ((NAMES,), NO_PROJECT),
        ((NAMES, EXPIRED, EXPIRED), f"{NO_PROJECT}, token is expired"),
        ((USER, dump([1, ["widget"]])), None),
        ((USER, OTHER), "current user does not match user restriction in token"),
        ((USER, USER), None),
        ((USER, PUBLISHER), "OIDC scoped token used outside of an OIDC identified request"),
        ((NAMES, PUBLISHER), f"{NO_PROJECT}, OIDC scoped token used outside of an OIDC identified request"),
        ((PUBLISHER, SECOND), "current OIDC publisher does not match publisher restriction in token"),
        ((PUBLISHER, USER), "token with user restriction without a user"),
    ],
)
def test_the_answer_to_an_upload(caveats: tuple[bytes, ...], expected: str | None) -> None:
    found = decode(Secret(text("pypi.org", *caveats)))
    assert isinstance(found, Token)
    assert caveat_refusal(found, "Widget", NOW) == (f"Invalid API Token: {expected}" if expected else None)


def test_without_a_project_nothing_is_claimed_of_it() -> None:
    found = decode(Secret(text("pypi.org", dump([1, []]))))
    assert isinstance(found, Token)
    assert caveat_refusal(found, None, NOW) is None


def test_the_answer_to_a_password() -> None:
    assert authentication_refusal("ann", Secret(token())) == PASSWORDS_UNSUPPORTED
    assert authentication_refusal("__token__", Secret("hunter2")) == INVALID
    assert authentication_refusal("__token__", Secret(token())) is None
    assert authentication_refusal("__token__", Secret("\u00e9")) is None

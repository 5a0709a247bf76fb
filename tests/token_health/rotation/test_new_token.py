"""Which new token is needed, and which one is not accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.core.facts import Access
from release.core.models.check_result import NotApplicable, Verdict
from release.core.models.credential import StoredSecret
from release.core.models.index import PYPI, Index
from release.core.models.results import Verification
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.core.tokens.token import Token, decode
from release.credentials import verify
from release.credentials.sources.base import StorageQuery
from release.token_health.rotation import new_token
from release.token_health.rotation.rotation_plan import RotationPlan, RotationRequest
from tests import fake_tokens
from tests.fake_system import NOON, PROJECT, fake_system

NO_QUERY: Any = None


def request(index: Index = PYPI, project: Any = PROJECT) -> RotationRequest:
    return RotationRequest(
        system=fake_system(), index=index, project=project, directory=Path(), fleet_directory=Path(), state=Path()
    )


def plan(
    old: Secret | None = None, *, projects: tuple[str, ...] = (), on_index: bool = True, scope: str = "account"
) -> RotationPlan:
    decoded = decode(old) if old else None
    storage: StorageQuery = NO_QUERY
    stored = StoredSecret(
        source="environment", location=EnvironmentVariable(name="A"), secret=Secret("x"), projects=projects,
        manual_change="",
    )  # fmt: skip
    return RotationPlan(
        fingerprint=old.fingerprint if old else "", identifier=decoded.identifier if isinstance(decoded, Token) else "",
        old=old, stored=(stored,), scope=scope, age=None, on_index=on_index, storage=storage,
    )  # fmt: skip


def test_a_token_for_one_project_of_the_index_is_limited_to_it() -> None:
    lines = list(new_token.describe_new_token(request(), plan()))
    assert lines == ["create a new token; name: acme-widget 2026-11-05", "  scope: project acme-widget"]
    assert new_token.page_for_new_token(request(), plan()).endswith("/token/?selected_project=acme-widget")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"on_index": False}, "acme-widget is not on pypi yet"),
        ({"projects": ("beta",)}, "it is used for acme-widget, beta"),
    ],
)
def test_otherwise_it_covers_the_account_and_says_why(more: dict[str, Any], reason: str) -> None:
    lines = list(new_token.describe_new_token(request(), plan(**more)))
    assert lines[-1] == f"  scope: the entire account ({reason})"
    assert new_token.page_for_new_token(request(), plan(**more)).endswith("/manage/account/token/")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Secret]:
    """The tokens that the index was asked about; it knows all of them."""
    seen: list[Secret] = []

    def check(_system: object, index: Index, token: Secret, project: Any) -> Verification:
        seen.append(token)
        access = Access(
            index=index, project=project, credential=None, remarks=(), token=None, now=NOON,
            listing=NotApplicable(reason="-"),
        )  # fmt: skip
        return Verification(access=access, outcomes=(), verdict=Verdict(word="healthy"))

    monkeypatch.setattr(verify, "verify_token", check)
    return seen


def test_a_new_token_is_verified_before_it_is_stored(asked: list[Secret]) -> None:
    old, new = Secret(fake_tokens.token()), Secret(fake_tokens.token())
    assert new_token.reject_new_token(request(), plan(old), new) is None
    assert asked == [new]


def test_the_old_token_and_its_copies_are_not_accepted(asked: list[Secret]) -> None:
    """A copy with more caveats has another text, and is revoked with the old one."""
    name = fake_tokens.identifier()
    old, copy = Secret(fake_tokens.token(name)), Secret(fake_tokens.token(name, b'[1,["acme-widget"]]'))
    for new, reason in ((old, "this is the old token"), (copy, "a copy of the old token")):
        rejected = new_token.reject_new_token(request(), plan(old), new)
        assert rejected is not None
        assert reason in rejected.message
    assert asked == []


@pytest.mark.parametrize("text", ["", "pypi-", "a password", "gibberish\n"])
def test_what_is_no_token_is_sent_nowhere(asked: list[Secret], text: str) -> None:
    assert new_token.reject_new_token(request(), plan(), Secret(text)) is not None
    assert asked == []


def test_a_limited_token_has_an_entry_of_its_own_in_the_keyring() -> None:
    limited = Secret(fake_tokens.token(None, b'[1,["acme-widget"]]'))
    whole = Secret(fake_tokens.token())
    found = new_token.entry_for(request(), limited)
    assert found is not None
    assert "acme-widget" in found.username
    assert new_token.entry_for(request(), whole) is None
    assert new_token.is_narrower(plan(), limited)
    assert not new_token.is_narrower(plan(), whole)
    assert not new_token.is_narrower(plan(scope="projects"), limited)

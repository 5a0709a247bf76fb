"""What a working token still lacks: each check over its cases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from release.checks import engine, token_health_checks
from release.checks.token_health_checks import CHECKS
from release.core.models.check_result import CheckState, Outcome
from release.core.models.credential import Credential
from release.core.models.token_health import TokenPolicy
from release.core.token_health_facts import PreviousToken, TokenHealth
from release.core.tokens import caveats as caveat
from tests.checks.test_token_checks import ACCOUNT, NOW, OTHER, access, token

DAY = timedelta(days=1)
PROJECT = b'[1,["acme-widget"]]'


def facts(*caveats: bytes, **changes: object) -> TokenHealth:
    """A token that is in order, for one project, changed where the case says so."""
    made = TokenHealth(access=access(token(*(caveats or (PROJECT,)))), policy=TokenPolicy())
    return replace(made, **changes)  # the names of fields


def outcomes(health: TokenHealth) -> dict[str, Outcome]:
    return {one.check: one for one in engine.run(CHECKS, health)}


def ends(left: timedelta) -> bytes:
    return caveat.expiration(not_before=NOW - 400 * DAY, expires_at=NOW + left)


def before(state: str = "healthy", fingerprint: str = "00000000") -> PreviousToken:
    return PreviousToken(fingerprint=fingerprint, identifier="the-old-one", state=state, last_seen=NOW - DAY)


CASES = {
    "the-token-is-rotated-in-time": [
        (facts(), CheckState.NOT_APPLICABLE),
        (facts(known_since=NOW - 179 * DAY), CheckState.PASSED),
        (facts(known_since=NOW - 180 * DAY), CheckState.WARNED),
        (facts(made=NOW - 200 * DAY, known_since=NOW), CheckState.WARNED),
        (facts(made=NOW - 2 * DAY, known_since=NOW - 300 * DAY), CheckState.WARNED),
        (facts(known_since=NOW - 999 * DAY, policy=TokenPolicy(rotate_after=None)), CheckState.NOT_APPLICABLE),
        (facts(known_since=NOW + 999 * DAY), CheckState.PASSED),
    ],
    "the-token-is-for-one-project": [
        (facts(), CheckState.PASSED),
        (facts(ACCOUNT), CheckState.WARNED),
        (facts(ACCOUNT, access=access(token(ACCOUNT), listing=None)), CheckState.NOT_APPLICABLE),
        (facts(access=access(token())), CheckState.NOT_APPLICABLE),
    ],
    "the-token-lies-in-one-place": [
        (facts(), CheckState.PASSED),
        (facts(elsewhere=("$OTHER",)), CheckState.WARNED),
    ],
    "the-secret-is-the-one-seen-before": [
        (facts(), CheckState.NOT_APPLICABLE),
        (facts(before=before()), CheckState.WARNED),
        *[
            (facts(before=before(state)), CheckState.NOT_APPLICABLE)
            for state in ("revoked", "expired", "expiring", "broken")
        ],
    ],
    "trusted-publishing-is-used": [
        (facts(), CheckState.NOT_APPLICABLE),
        (facts(publisher="GitHub Actions"), CheckState.WARNED),
        (facts(publisher="GitHub Actions", access=access("x", index=OTHER)), CheckState.NOT_APPLICABLE),
    ],
}


@pytest.mark.parametrize(
    ("check", "health", "state"), [(check, *case) for check, cases in CASES.items() for case in cases]
)
def test_each_check_over_its_cases(check: str, health: TokenHealth, state: CheckState) -> None:
    outcome = outcomes(health)[check]
    assert outcome.state is state, outcome
    for finding in outcome.findings:
        assert finding.severity == "warn"
        assert finding.remedy
        assert not finding.message.endswith(".")


def test_every_check_has_its_cases() -> None:
    assert {one.name for one in CHECKS} == set(CASES)


def test_what_is_the_same_secret_as_before_is_in_order() -> None:
    health = facts()
    assert isinstance(health.access.credential, Credential)
    same = before(fingerprint=health.access.credential.password.fingerprint)
    assert outcomes(replace(health, before=same))["the-secret-is-the-one-seen-before"].state is CheckState.PASSED


def test_a_scope_that_is_too_wide_has_the_steps_to_narrow_it() -> None:
    (finding,) = outcomes(facts(ACCOUNT))["the-token-is-for-one-project"].findings
    for step in (
        "'Project: Acme_Widget'",
        "/manage/account/token/",
        "$TWINE_PASSWORD",
        "delete this one",
        "identifier",
    ):
        assert step in finding.remedy


def test_a_token_without_a_visible_limit_can_not_be_told() -> None:
    outcome = outcomes(facts(access=access(token())))["the-token-is-for-one-project"]
    assert "not known" in outcome.reason


def test_unknown_is_unknown_and_a_broken_token_has_no_health() -> None:
    assert token_health_checks.token_age(facts()) is None
    assert token_health_checks.remaining_lifetime(facts()) is None
    broken = outcomes(facts(access=access("pypi-nothing")))
    assert {one.state for one in broken.values()} <= {CheckState.NOT_APPLICABLE, CheckState.PASSED}

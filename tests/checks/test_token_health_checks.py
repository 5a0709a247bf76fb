"""What a working token still lacks: each check over its cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from release.checks import engine, token_health_checks
from release.checks.token_health_checks import CHECKS
from release.core.facts import Before, Health
from release.core.models.check_result import Outcome, State
from release.core.models.credential import Credential
from release.core.models.token_health import Policy
from release.core.tokens import caveats as caveat
from tests.checks.test_credential_checks import ACCOUNT, NOW, OTHER, access, token

DAY = timedelta(days=1)
PROJECT = b'[1,["acme-widget"]]'


def facts(*caveats: bytes, **changes: object) -> Health:
    """A token that is in order, for one project, changed where the case says so."""
    made = Health(access=access(token(*(caveats or (PROJECT,)))), policy=Policy())
    return replace(made, **changes)  # type: ignore[arg-type] # the names of fields


def outcomes(health: Health) -> dict[str, Outcome]:
    return {one.check: one for one in engine.run(CHECKS, health)}


def ends(left: timedelta) -> bytes:
    return caveat.expiration(not_before=NOW - 400 * DAY, expires_at=NOW + left)


def before(state: str = "healthy", fingerprint: str = "00000000") -> Before:
    return Before(fingerprint=fingerprint, identifier="the-old-one", state=state, last_seen=NOW - DAY)


CASES = {
    "the-token-lasts": [
        (facts(), State.NOT_APPLICABLE),
        (facts(PROJECT, ends(30 * DAY)), State.PASSED),
        (facts(PROJECT, ends(14 * DAY)), State.WARNED),
        (facts(PROJECT, ends(timedelta(minutes=5))), State.WARNED),
        (facts(PROJECT, ends(-DAY)), State.NOT_APPLICABLE),
        (facts(PROJECT, ends(30 * DAY), policy=Policy(warn_before=31 * DAY)), State.WARNED),
    ],
    "the-token-is-rotated-in-time": [
        (facts(), State.NOT_APPLICABLE),
        (facts(known_since=NOW - 179 * DAY), State.PASSED),
        (facts(known_since=NOW - 180 * DAY), State.WARNED),
        (facts(made=NOW - 200 * DAY, known_since=NOW), State.WARNED),
        (facts(made=NOW - 2 * DAY, known_since=NOW - 300 * DAY), State.WARNED),
        (facts(known_since=NOW - 999 * DAY, policy=Policy(rotate_after=None)), State.NOT_APPLICABLE),
        (facts(known_since=NOW + 999 * DAY), State.PASSED),
    ],
    "the-token-is-for-one-project": [
        (facts(), State.PASSED),
        (facts(ACCOUNT), State.WARNED),
        (facts(ACCOUNT, access=access(token(ACCOUNT), listing=None)), State.NOT_APPLICABLE),
        (facts(access=access(token())), State.NOT_APPLICABLE),
    ],
    "the-token-lies-in-one-place": [
        (facts(), State.PASSED),
        (facts(elsewhere=("$OTHER",)), State.WARNED),
    ],
    "the-secret-is-the-one-seen-before": [
        (facts(), State.NOT_APPLICABLE),
        (facts(before=before()), State.WARNED),
        *[
            (facts(before=before(state)), State.NOT_APPLICABLE)
            for state in ("revoked", "expired", "expiring", "broken")
        ],
    ],
    "trusted-publishing-is-used": [
        (facts(), State.NOT_APPLICABLE),
        (facts(publisher="GitHub Actions"), State.WARNED),
        (facts(publisher="GitHub Actions", access=access("x", index=OTHER)), State.NOT_APPLICABLE),
    ],
}


@pytest.mark.parametrize(
    ("check", "health", "state"), [(check, *case) for check, cases in CASES.items() for case in cases]
)
def test_each_check_over_its_cases(check: str, health: Health, state: State) -> None:
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
    assert outcomes(replace(health, before=same))["the-secret-is-the-one-seen-before"].state is State.PASSED


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
    assert "nobody can tell" in outcome.reason


def test_unknown_is_unknown_and_a_broken_token_has_no_health() -> None:
    assert token_health_checks.age(facts()) is None
    assert token_health_checks.left(facts()) is None
    broken = outcomes(facts(access=access("pypi-nothing")))
    assert {one.state for one in broken.values()} <= {State.NOT_APPLICABLE, State.PASSED}

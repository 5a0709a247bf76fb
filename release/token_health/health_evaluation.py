"""Evaluate the facts about one credential: all checks, one verdict, one state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from release.checks import engine, token_health_checks
from release.core.facts import ProjectMetadata, TokenHealth
from release.core.models.check_result import CheckState, Outcome, Verdict, derive_verdict
from release.core.models.credential import Credential
from release.core.models.results import Verification
from release.core.models.token_health import TokenReport, TokenStatus, token_state
from release.core.tokens.token import Token, TokenScope, scope

#: reported once for the machine, not for each token
CLOCKS = "the-clocks-agree"
#: causes that lie in the network or the server and are temporary; they leave the state of the token unknown
_TEMPORARY = ("net.", "server.")
_UNINTERESTING = {CheckState.PASSED, CheckState.NOT_APPLICABLE, CheckState.SKIPPED}


def evaluate_token(found: Verification, health: TokenHealth, *, place: str, waive: Mapping[str, str]) -> TokenReport:
    """Evaluate the verification of a credential, and what a working token may still lack."""
    own = engine.run(token_health_checks.CHECKS, health, waive=waive, subject=found.access.index.name)
    outcomes = (
        *(_unknown_if_temporary(one) for one in found.outcomes if one.check != CLOCKS),
        *(_waive_warning(one, waive) for one in own),
    )
    return TokenReport(
        seen=_status(found, derive_verdict(outcomes), outcomes, health, place),
        outcomes=tuple(one for one in outcomes if one.state not in _UNINTERESTING),
        age=token_health_checks.token_age(health), left=token_health_checks.remaining_lifetime(health),
        skew=found.access.skew,
    )  # fmt: skip


def _unknown_if_temporary(outcome: Outcome) -> Outcome:
    """Turn a failure into an unknown if it is the network's or the server's, not the token's."""
    blocking = [one for one in outcome.findings if one.severity == "block"]
    if outcome.state is not CheckState.FAILED or not all((one.cause or "").startswith(_TEMPORARY) for one in blocking):
        return outcome
    first = blocking[0]
    rest = tuple(one for one in outcome.findings if one.severity != "block")
    return replace(
        outcome, state=CheckState.UNKNOWN, reason=first.message, remedy=first.remedy, cause=first.cause, findings=rest
    )


def _waive_warning(outcome: Outcome, waive: Mapping[str, str]) -> Outcome:
    """Waive warnings too, since they change the exit status here."""
    if outcome.state is CheckState.WARNED and outcome.check in waive:
        return replace(outcome, state=CheckState.WAIVED, reason=waive[outcome.check])
    return outcome


def _status(
    found: Verification, verdict: Verdict, outcomes: Sequence[Outcome], health: TokenHealth, place: str
) -> TokenStatus:
    access, credential = found.access, found.access.credential
    cause, remaining = verdict.cause or verdict.check, token_health_checks.remaining_lifetime(health)
    token = access.token if isinstance(access.token, Token) else None
    return TokenStatus(
        index=access.index.name, upload_url=access.index.upload_url, place=place,
        project=access.project.name if isinstance(access.project, ProjectMetadata) else None,
        fingerprint=credential.password.fingerprint if isinstance(credential, Credential) else "",
        identifier=token.identifier if token else "", scope=_scope_to_text(scope(token)) if token else "",
        expires=None if remaining is None else access.now + remaining, word=verdict.word,
        state=token_state(verdict.word, cause), cause=cause,
        message=verdict.message, remedy=verdict.remedy, checks={one.check: str(one.state) for one in outcomes},
    )  # fmt: skip


def _scope_to_text(found: TokenScope) -> str:
    match found.kind:
        case "account":
            return "account"
        case "projects":
            return ", ".join(found.projects or found.ids)
        case "publisher":
            return "trusted publisher"
        case "unknown":
            return ""

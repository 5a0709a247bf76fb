"""From the facts about one credential to what is said of it: all checks, one verdict, one state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release.checks import engine, token_health_checks
from release.core.facts import ProjectMetadata, TokenHealth
from release.core.models import verdict as verdicts
from release.core.models.check_result import CheckState, Outcome
from release.core.models.credential import Credential
from release.core.models.finding import Unknown
from release.core.models.token_health import TokenStatus, token_state
from release.core.models.verdict import Verdict
from release.core.models.verification import Verification
from release.core.tokens.token import Token, TokenScope, scope

#: said once of the machine, not of each token
CLOCKS = "the-clocks-agree"
#: known causes that are the network's or the server's, and pass: nobody can say of the token what it is
_NOT_THE_TOKENS = ("net.", "server.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is said of one credential."""

    seen: TokenStatus
    #: of the checks that did not pass; how the others ended, `seen` says
    outcomes: tuple[Outcome, ...]
    #: how old the token is, or at least is; None where nobody knows
    age: timedelta | None = None
    #: how long it lasts; None where it shows no end
    left: timedelta | None = None
    #: how far the index's clock is ahead of this machine's; None where it was not asked
    skew: timedelta | None = None


def evaluate_token(found: Verification, health: TokenHealth, *, place: str, waive: Mapping[str, str]) -> Evaluation:
    """The verdict of `verify`, and what a working token may still lack."""
    own = (
        _waived(one, waive)
        for one in engine.run(token_health_checks.CHECKS, health, waive=waive, subject=found.access.index.name)
    )
    outcomes = (*(_fair(one) for one in found.outcomes if one.check != CLOCKS), *own)
    verdict = verdicts.derive_verdict(outcomes)
    return Evaluation(
        seen=_seen(found, verdict, outcomes, health, place), outcomes=tuple(filter(_matters, outcomes)),
        age=token_health_checks.token_age(health), left=token_health_checks.remaining_lifetime(health),
        skew=found.access.skew,
    )  # fmt: skip


def unknown_evaluation(
    index: str, upload_url: str, project: ProjectMetadata | Unknown, place: str, unknown: Unknown
) -> Evaluation:
    """What is said of a credential that nobody got to look at."""
    seen = TokenStatus(
        index=index, upload_url=upload_url, place=place,
        project=project.name if isinstance(project, ProjectMetadata) else None,
        fingerprint="", identifier="", scope="", expires=None, word="unknown", state="unknown",
        cause=unknown.cause or "", message=unknown.reason, remedy=unknown.remedy,
    )  # fmt: skip
    return Evaluation(seen=seen, outcomes=())


def _matters(outcome: Outcome) -> bool:
    return outcome.state not in {CheckState.PASSED, CheckState.NOT_APPLICABLE, CheckState.SKIPPED}


def _fair(outcome: Outcome) -> Outcome:
    """A failure that is not the token's own is none: the network or the server would have to be asked again."""
    blocking = [one for one in outcome.findings if one.severity == "block"]
    if outcome.state is not CheckState.FAILED or not all(
        (one.cause or "").startswith(_NOT_THE_TOKENS) for one in blocking
    ):
        return outcome
    first = blocking[0]
    rest = tuple(one for one in outcome.findings if one.severity != "block")
    return replace(
        outcome, state=CheckState.UNKNOWN, reason=first.message, remedy=first.remedy, cause=first.cause, findings=rest
    )


def _waived(outcome: Outcome, waive: Mapping[str, str]) -> Outcome:
    """Here a warning can be accepted too, since it changes the exit status."""
    if outcome.state is CheckState.WARNED and outcome.check in waive:
        return replace(outcome, state=CheckState.WAIVED, reason=waive[outcome.check])
    return outcome


def _cause(verdict: Verdict, outcomes: Sequence[Outcome]) -> str:
    """The known cause, or else the name of the check that says what the verdict says."""
    if verdict.word == "healthy" or verdict.cause:
        return verdict.cause or ""
    return next((one.check for one in outcomes if verdict.message in _words(one)), "")


def _words(outcome: Outcome) -> Iterator[str]:
    yield outcome.reason
    yield from (one.message for one in outcome.findings)


def _seen(
    found: Verification, verdict: Verdict, outcomes: Sequence[Outcome], health: TokenHealth, place: str
) -> TokenStatus:
    access, cause = found.access, _cause(verdict, outcomes)
    token = access.token if isinstance(access.token, Token) else None
    credential = access.credential
    return TokenStatus(
        index=access.index.name, upload_url=access.index.upload_url, place=place,
        project=access.project.name if isinstance(access.project, ProjectMetadata) else None,
        fingerprint=credential.password.fingerprint if isinstance(credential, Credential) else "",
        identifier=token.identifier if token else "", scope=_scope(scope(token)) if token else "",
        expires=_expires(health), word=verdict.word, state=token_state(verdict.word, cause), cause=cause,
        message=verdict.message, remedy=verdict.remedy, checks={one.check: str(one.state) for one in outcomes},
    )  # fmt: skip


def _expires(health: TokenHealth) -> datetime | None:
    remaining = token_health_checks.remaining_lifetime(health)
    return None if remaining is None else health.access.now + remaining


def _scope(found: TokenScope) -> str:
    match found.kind:
        case "account":
            return "account"
        case "projects":
            return ", ".join(found.projects or found.ids)
        case "publisher":
            return "trusted publisher"
        case "unknown":
            return ""

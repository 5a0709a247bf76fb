"""One verdict, one root cause."""

from __future__ import annotations

import pytest

from release.core.models.check_result import Outcome, State
from release.core.models.finding import Finding
from release.core.models.verdict import judge


def finding(cause: str | None, severity: str = "block") -> Finding:
    return Finding(message=f"about {cause}", remedy="mend it", cause=cause, severity=severity)  # type: ignore[arg-type] # one of the two


def outcome(state: State, *findings: Finding, cause: str | None = None) -> Outcome:
    return Outcome(
        check="a-check", title="t", state=state, reason="why", remedy="learn it", findings=findings, cause=cause
    )


PASSED = outcome(State.PASSED)
FAILED = outcome(State.FAILED, finding("cred.expired"))
LATER = outcome(State.FAILED, finding("project.archived"))
WARNED = outcome(State.WARNED, finding("src.env-shadows", "warn"))
UNKNOWN = outcome(State.UNKNOWN, cause="net.dns-offline")
CRASHED = outcome(State.CRASHED)
SKIPPED = outcome(State.SKIPPED)
WAIVED = outcome(State.WAIVED, finding("cred.expired"))
NAMELESS = outcome(State.WARNED, finding(None, "warn"))


@pytest.mark.parametrize(
    ("outcomes", "word", "causes"),
    [
        ((), "healthy", ()),
        ((PASSED, SKIPPED, WAIVED), "healthy", ()),
        ((WARNED, PASSED), "warning", ("src.env-shadows",)),
        ((NAMELESS,), "warning", ()),
        ((WARNED, FAILED, SKIPPED), "broken", ("cred.expired", "src.env-shadows")),
        ((FAILED, LATER), "broken", ("cred.expired", "project.archived")),
        ((UNKNOWN, WARNED), "unknown", ("net.dns-offline", "src.env-shadows")),
        ((UNKNOWN, LATER), "broken", ("project.archived", "net.dns-offline")),
        ((CRASHED,), "unknown", ()),
    ],
)
def test_the_gravest_comes_first_and_consequences_not_at_all(
    outcomes: tuple[Outcome, ...], word: str, causes: tuple[str, ...]
) -> None:
    verdict = judge(outcomes)
    assert (verdict.word, verdict.causes) == (word, causes)
    assert verdict.cause == (causes[0] if causes else None)
    assert verdict.passed is (word in {"healthy", "warning"})
    assert bool(verdict.message) is (word != "healthy")
    assert bool(verdict.remedy) is (word != "healthy")

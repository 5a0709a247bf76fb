"""One verdict, one root cause."""

from __future__ import annotations

import pytest

from release.core.models.check_result import CheckState, Outcome
from release.core.models.finding import Finding
from release.core.models.verdict import derive_verdict


def finding(cause: str | None, severity: str = "block") -> Finding:
    return Finding(message=f"about {cause}", remedy="mend it", cause=cause, severity=severity)  # type: ignore[arg-type] # one of the two


def outcome(state: CheckState, *findings: Finding, cause: str | None = None) -> Outcome:
    return Outcome(
        check="a-check", title="t", state=state, reason="why", remedy="learn it", findings=findings, cause=cause
    )


PASSED = outcome(CheckState.PASSED)
FAILED = outcome(CheckState.FAILED, finding("cred.expired"))
LATER = outcome(CheckState.FAILED, finding("project.archived"))
WARNED = outcome(CheckState.WARNED, finding("src.env-shadows", "warn"))
UNKNOWN = outcome(CheckState.UNKNOWN, cause="net.dns-offline")
CRASHED = outcome(CheckState.CRASHED)
SKIPPED = outcome(CheckState.SKIPPED)
WAIVED = outcome(CheckState.WAIVED, finding("cred.expired"))
NAMELESS = outcome(CheckState.WARNED, finding(None, "warn"))


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
    verdict = derive_verdict(outcomes)
    assert (verdict.word, verdict.causes) == (word, causes)
    assert verdict.cause == (causes[0] if causes else None)
    assert verdict.passed is (word in {"healthy", "warning"})
    assert bool(verdict.message) is (word != "healthy")
    assert bool(verdict.remedy) is (word != "healthy")

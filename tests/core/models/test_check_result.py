"""The headline of a run that stops: its cause, with the remedy. One verdict, one root cause."""

from __future__ import annotations

import pytest

from release.core.models.check_result import CheckState, Finding, Outcome, blocking_problem, derive_verdict

DIRTY = Finding(message="1 path is not committed", remedy="git commit", cause="source.dirty")
HINT = Finding(message="a hint", remedy="", severity="warn")


def outcome(state: CheckState, *findings: Finding, reason: str = "", remedy: str = "") -> Outcome:
    return Outcome(check="a-check", title="A check", state=state, findings=findings, reason=reason, remedy=remedy)


def test_nothing_blocks() -> None:
    assert blocking_problem([outcome(CheckState.PASSED), outcome(CheckState.WARNED, HINT)]) is None


def test_the_finding_that_blocks_is_the_headline() -> None:
    found = blocking_problem([outcome(CheckState.PASSED), outcome(CheckState.FAILED, HINT, DIRTY, DIRTY)])
    assert found is not None
    assert (found.message, found.remedy) == ("1 path is not committed (and 1 more)", "git commit")
    assert found.cause == "source.dirty"


def test_an_unknown_one_gives_its_reason() -> None:
    found = blocking_problem([outcome(CheckState.UNKNOWN, reason="no answer from pypi", remedy="try again")])
    assert found is not None
    assert (found.message, found.remedy) == ("no answer from pypi", "try again")


def test_of_several_the_first_is_named() -> None:
    unknown = outcome(CheckState.UNKNOWN, reason="no answer from pypi")
    found = blocking_problem([outcome(CheckState.FAILED, DIRTY), unknown, unknown])
    assert found is not None
    assert (found.message, found.remedy) == ("1 path is not committed (and 2 more failed checks)", "git commit")


def finding(cause: str | None, severity: str = "block") -> Finding:
    return Finding(message=f"about {cause}", remedy="mend it", cause=cause, severity=severity)  # type: ignore[arg-type] # one of the two


def verdict_outcome(state: CheckState, *findings: Finding, cause: str | None = None) -> Outcome:
    return Outcome(
        check="a-check", title="t", state=state, reason="why", remedy="learn it", findings=findings, cause=cause
    )


PASSED = verdict_outcome(CheckState.PASSED)
FAILED = verdict_outcome(CheckState.FAILED, finding("cred.expired"))
LATER = verdict_outcome(CheckState.FAILED, finding("project.archived"))
WARNED = verdict_outcome(CheckState.WARNED, finding("src.env-shadows", "warn"))
UNKNOWN = verdict_outcome(CheckState.UNKNOWN, cause="net.dns-offline")
CRASHED = verdict_outcome(CheckState.CRASHED)
SKIPPED = verdict_outcome(CheckState.SKIPPED)
WAIVED = verdict_outcome(CheckState.WAIVED, finding("cred.expired"))
NAMELESS = verdict_outcome(CheckState.WARNED, finding(None, "warn"))


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

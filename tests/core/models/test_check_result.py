"""The headline of a run that stops: its cause, with the remedy."""

from __future__ import annotations

from release.core.models.check_result import CheckState, Outcome, blocking_problem
from release.core.models.finding import Finding

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
    assert (found.message, found.remedy) == ("3 checks failed: 1 path is not committed, …", "git commit")

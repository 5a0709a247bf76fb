"""The verdict of a checklist: whether the credential works, and if not, the root cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from release.core.models.check_result import CheckState, Outcome

VerdictWord = Literal["healthy", "warning", "broken", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict, with the first thing to do."""

    #: "unknown" if a fact could not be determined
    word: VerdictWord
    #: the check that found the root cause; empty if there is none
    check: str = ""
    #: id of the root cause in the catalog; None if there is none, or if it is not in the catalog
    cause: str | None = None
    #: ids of all independent causes, the root first
    causes: tuple[str, ...] = ()
    #: what is wrong; empty if nothing is
    message: str = ""
    #: what to do about it; empty if there is nothing to do
    remedy: str = ""

    @property
    def passed(self) -> bool:
        return self.word in {"healthy", "warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """A problem in an outcome; the most serious has the lowest `rank`."""

    rank: int
    check: str
    message: str
    remedy: str
    cause: str | None


_FAILED, _UNKNOWN, _WARNED = range(3)
_WORDS: dict[int, VerdictWord] = {_FAILED: "broken", _UNKNOWN: "unknown", _WARNED: "warning"}


def derive_verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict of a checklist.

    A check comes after the checks that it needs, and is skipped if they did not pass. So the first failure is the
    root cause, and all others are independent. Failures precede unknown results, and both precede warnings.
    """
    problems = sorted((one for outcome in outcomes for one in _problems(outcome)), key=lambda one: one.rank)
    if not problems:
        return Verdict(word="healthy")
    root = problems[0]
    causes = dict.fromkeys(one.cause for one in problems if one.cause)
    return Verdict(
        word=_WORDS[root.rank],
        check=root.check,
        cause=root.cause,
        causes=tuple(causes),
        message=root.message,
        remedy=root.remedy,
    )


def _problems(outcome: Outcome) -> Iterator[_Problem]:
    if outcome.state is CheckState.WAIVED:
        return
    if outcome.state in {CheckState.UNKNOWN, CheckState.CRASHED}:
        yield _Problem(
            rank=_UNKNOWN,
            check=outcome.check,
            message=outcome.reason,
            remedy=outcome.remedy or f"report that the check {outcome.check!r} crashed",
            cause=outcome.cause,
        )
    for one in outcome.findings:
        rank = _FAILED if one.severity == "block" else _WARNED
        yield _Problem(rank=rank, check=outcome.check, message=one.message, remedy=one.remedy, cause=one.cause)

"""One answer from many checks: does it work, and if not, what is the root of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from release.core.models.check_result import CheckState, Outcome

VerdictWord = Literal["healthy", "warning", "broken", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer, with the one thing to do first."""

    #: "unknown" where what stands in the way is that something could not be learnt
    word: VerdictWord
    #: the check that found the root cause; empty where all is well
    check: str = ""
    #: id of the root cause in the catalog; None where all is well, or where the catalog does not know it
    cause: str | None = None
    #: ids of all causes, the root first; without what merely follows from another
    causes: tuple[str, ...] = ()
    #: what is wrong; empty where nothing is
    message: str = ""
    #: what to do about it; empty where there is nothing to do
    remedy: str = ""

    @property
    def passed(self) -> bool:
        return self.word in {"healthy", "warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """One thing that an outcome has to say, gravest first by `rank`."""

    rank: int
    check: str
    message: str
    remedy: str
    cause: str | None


_FAILED, _UNKNOWN, _WARNED = range(3)
_WORDS: dict[int, VerdictWord] = {_FAILED: "broken", _UNKNOWN: "unknown", _WARNED: "warning"}


def derive_verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict on a checklist that has been run.

    What a check needs comes before it, and it is skipped where that did not pass: so the first failure
    is the root, and whatever else failed did so for itself. A failure goes before what is not known,
    and both go before a warning.
    """
    troubles = sorted((one for outcome in outcomes for one in _troubles(outcome)), key=lambda one: one.rank)
    if not troubles:
        return Verdict(word="healthy")
    root = troubles[0]
    causes = dict.fromkeys(one.cause for one in troubles if one.cause)
    return Verdict(
        word=_WORDS[root.rank],
        check=root.check,
        cause=root.cause,
        causes=tuple(causes),
        message=root.message,
        remedy=root.remedy,
    )


def _troubles(outcome: Outcome) -> Iterator[_Trouble]:
    if outcome.state is CheckState.WAIVED:
        return
    if outcome.state in {CheckState.UNKNOWN, CheckState.CRASHED}:
        yield _Trouble(
            rank=_UNKNOWN,
            check=outcome.check,
            message=outcome.reason,
            remedy=outcome.remedy or f"report that the check {outcome.check!r} broke",
            cause=outcome.cause,
        )
    for one in outcome.findings:
        rank = _FAILED if one.severity == "block" else _WARNED
        yield _Trouble(rank=rank, check=outcome.check, message=one.message, remedy=one.remedy, cause=one.cause)

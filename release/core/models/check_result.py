"""The results of checks: findings, unknown facts, outcomes, and the verdict of a checklist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from release.core.time_text import format_count


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and what to do about it."""

    #: what is wrong and where: lower case, no full stop, the offending value quoted
    message: str
    #: in the imperative: the exact command or address that solves it
    remedy: str
    #: "block" stops the run before its first effect; "warn" is shown
    severity: Literal["block", "warn"] = "block"
    #: file, line, archive member or field
    where: str | None = None
    #: the message with which the index would refuse it
    server_text: str | None = None
    #: the document that the rule is based on
    source: str | None = None
    #: id of the known failure in the catalog (`pypi-preflight explain ID`)
    cause: str | None = None
    #: what the same command needs in addition, where the remedy is that: ("--only", "a", "b")
    option: tuple[str, ...] = ()


class Unknown(Struct, frozen=True, kw_only=True):
    """A fact that could not be determined. It blocks, because an unknown fact must not count as a success."""

    #: why it is unknown
    reason: str
    #: how to make it known
    remedy: str
    #: id of the known failure in the catalog, if it is one
    cause: str | None = None


class NotApplicable(Struct, frozen=True, kw_only=True):
    """The check does not apply, and why."""

    reason: str


class Note(Struct, frozen=True, kw_only=True):
    """Something worth a mention that is no problem: the check passes. It blocks only where the user configures that."""

    message: str
    #: for where it blocks
    remedy: str


Observation = Finding | Unknown | NotApplicable | Note


class CheckState(StrEnum):
    """The states of a check; `blocks` says which of them stop a run."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    #: the facts that it needs could not be determined
    UNKNOWN = "unknown"
    #: the check itself raised an exception
    CRASHED = "crashed"
    #: a check that it needs did not pass
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"
    #: failed, but accepted by the configuration, with a reason
    WAIVED = "waived"

    @property
    def blocks(self) -> bool:
        return self in _BLOCKING


_BLOCKING = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED)


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of one check, complete enough to be shown, stored and compared."""

    #: the check's public name, for example "the-token-has-not-expired"
    check: str
    #: the statement that is true if the check passed
    title: str
    state: CheckState
    #: why it is skipped, unknown, waived, not applicable or crashed; empty if the findings say it
    reason: str = ""
    #: how to make an unknown result known
    remedy: str = ""
    #: id of the known failure in the catalog that makes the result unknown
    cause: str | None = None
    findings: tuple[Finding, ...] = ()
    #: the index or file that it is about, if a checklist is run for several
    subject: str = ""


class BlockingProblem(Struct, frozen=True, kw_only=True):
    """Why a run stops, for its headline."""

    message: str
    remedy: str
    cause: str | None
    #: as in `Finding`
    option: tuple[str, ...] = ()


def blocking_problem(outcomes: Iterable[Outcome]) -> BlockingProblem | None:
    """The first problem that blocks, and how many more checks failed if there are several; None if nothing blocks.

    Failures precede unknown results, as in a verdict.
    """
    blocking = _sort_blocking(outcomes)
    first = first_problem(blocking)
    if first is None or len(blocking) == 1:
        return first
    finding = next(_blocking_findings(blocking[0]), None)
    message = finding.message if finding else first.message
    return replace(first, message=f"{message} (and {format_count(len(blocking) - 1, 'more failed check')})")


def first_problem(outcomes: Iterable[Outcome]) -> BlockingProblem | None:
    """The first check that blocks, with its first finding and how many more it has; None if nothing blocks."""
    blocking = _sort_blocking(outcomes)
    if not blocking:
        return None
    first, findings = blocking[0], list(_blocking_findings(blocking[0]))
    if not findings:
        message = first.reason or f"check {first.check!r} is {first.state}"
        return BlockingProblem(message=message, remedy=first.remedy, cause=first.cause)
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    one = findings[0]
    return BlockingProblem(message=f"{one.message}{more}", remedy=one.remedy, cause=one.cause, option=one.option)


def blocking_causes(outcomes: Iterable[Outcome]) -> list[str | None]:
    """The cause of each problem that blocks; None where it is not in the catalog."""
    blocking = [one for one in outcomes if one.state.blocks]
    causes = [finding.cause for one in blocking for finding in one.findings if finding.severity == "block"]
    return causes + [one.cause for one in blocking if not one.findings]


def refused_files(outcomes: Iterable[Outcome]) -> frozenset[str | None]:
    """The places of all findings that block, which are file names in a check of files; None stands for all files."""
    found: set[str | None] = set()
    for outcome in outcomes:
        if outcome.state.blocks:
            found |= {finding.where for finding in outcome.findings if finding.severity == "block"} or {None}
    return frozenset(found)


def _sort_blocking(outcomes: Iterable[Outcome]) -> list[Outcome]:
    blocking = [one for one in outcomes if one.state.blocks]
    return sorted(blocking, key=lambda one: one.state is not CheckState.FAILED)


def _blocking_findings(outcome: Outcome) -> Iterator[Finding]:
    yield from [one for one in outcome.findings if one.severity == "block"] or outcome.findings


VerdictWord = Literal["healthy", "warning", "broken", "unknown"]


class Verdict(Struct, frozen=True, kw_only=True):
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


#: the most serious first
_UNSOUND: tuple[VerdictWord, ...] = ("broken", "unknown", "warning")


def derive_verdict(outcomes: Iterable[Outcome]) -> Verdict:
    """The verdict of a checklist.

    A check comes after the checks that it needs, and is skipped if they did not pass. So the first failure is the
    root cause, and all others are independent. Failures precede unknown results, and both precede warnings.
    """
    problems = [one for outcome in outcomes for one in _problems(outcome)]
    if not problems:
        return Verdict(word="healthy")
    problems.sort(key=lambda one: _UNSOUND.index(one.word))
    return replace(problems[0], causes=tuple(dict.fromkeys(one.cause for one in problems if one.cause)))


def _problems(outcome: Outcome) -> Iterator[Verdict]:
    """The verdict on each problem of an outcome."""
    if outcome.state is CheckState.WAIVED:
        return
    if outcome.state in {CheckState.UNKNOWN, CheckState.CRASHED}:
        remedy = outcome.remedy or f"report that the check {outcome.check!r} crashed"
        yield Verdict(word="unknown", check=outcome.check, message=outcome.reason, remedy=remedy, cause=outcome.cause)
    for one in outcome.findings:
        word: VerdictWord = "broken" if one.severity == "block" else "warning"
        yield Verdict(word=word, check=outcome.check, message=one.message, remedy=one.remedy, cause=one.cause)

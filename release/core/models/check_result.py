"""The result of a check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from release.core.models.finding import Finding


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
        return self in {CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockingProblem:
    """Why a run stops, for its headline."""

    message: str
    remedy: str
    cause: str | None


def blocking_problem(outcomes: Iterable[Outcome]) -> BlockingProblem | None:
    """The first problem that blocks, and how many checks failed if there are several; None if nothing blocks."""
    blocking = [one for one in outcomes if one.state.blocks]
    if not blocking:
        return None
    first = blocking[0]
    findings = [one for one in first.findings if one.severity == "block"] or list(first.findings)
    finding = next(iter(findings), None)
    message = finding.message if finding else first.reason or f"check {first.check!r} is {first.state}"
    if len(blocking) > 1:
        message = f"{len(blocking)} checks failed: {message}, …"
    elif len(findings) > 1:
        message = f"{message} (and {len(findings) - 1} more)"
    remedy, cause = (finding.remedy, finding.cause) if finding else (first.remedy, first.cause)
    return BlockingProblem(message=message, remedy=remedy, cause=cause)

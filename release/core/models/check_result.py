"""How a check ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from release.core.models.finding import Finding


class CheckState(StrEnum):
    """The states of a check; `blocks` tells which of them stop a run."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    #: what it looks at could not be learnt
    UNKNOWN = "unknown"
    #: the check itself broke
    CRASHED = "crashed"
    #: a check that it needs did not pass
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"
    #: failed, and the configuration says why that is accepted
    WAIVED = "waived"

    @property
    def blocks(self) -> bool:
        return self in {CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One check's answer, complete enough to be shown, kept and compared."""

    #: the check's public name, for example "the-token-has-not-expired"
    check: str
    #: the statement that holds where the check passed
    title: str
    state: CheckState
    #: why it is skipped, unknown, waived, not applicable or crashed; empty where findings say it
    reason: str = ""
    #: what would make an unknown one known
    remedy: str = ""
    #: id of the known failure in the catalog that keeps an unknown one from being known, where it is one
    cause: str | None = None
    findings: tuple[Finding, ...] = ()
    #: what it is about where one list is run for several things: an index, a file
    subject: str = ""

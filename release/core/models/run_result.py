"""The results of a step and of a whole release run."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.errors import Exit
from release.core.models.check_result import Outcome
from release.core.models.distribution import Distribution
from release.core.models.upload_result import UploadResult
from release.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How a step of the plan ended, unless it failed."""

    #: whether there was anything to do
    changed: bool
    #: a short text to show after the step's title; may be empty
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run did, and what remains to be done."""

    plan: Plan
    exit: Exit
    #: what happened, in a sentence or two
    message: str
    #: how to fix it; empty if the run succeeded
    remedy: str
    #: the one command to run next; empty if nothing remains to be done
    next_command: str
    outcomes: tuple[Outcome, ...]
    files: tuple[Distribution, ...]
    #: index name → the result of each upload
    uploads: dict[str, tuple[UploadResult, ...]]
    #: path of the record, or of the journal if the record could not be written
    record: str

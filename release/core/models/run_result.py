"""The result of a release run."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.errors import Exit
from release.core.models.check_result import Outcome
from release.core.models.distribution import Distribution
from release.core.models.upload_result import UploadResult
from release.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run did, and what is left to do."""

    plan: Plan
    exit: Exit
    #: what happened, in a sentence or two
    message: str
    #: what to do about it; empty where all is well
    remedy: str
    #: the one next command; empty where nothing is left
    next_command: str
    outcomes: tuple[Outcome, ...]
    files: tuple[Distribution, ...]
    #: index name → what became of each file there
    uploads: dict[str, tuple[UploadResult, ...]]
    #: where the journal and the files are kept; empty where nothing was kept
    record: str

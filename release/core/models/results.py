"""The results of commands: verification, inspection, confirmation, and a whole release run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release.core.errors import Exit
from release.core.facts import Access, BuiltFiles, InstallTrial, PublishedRelease
from release.core.models.check_result import Outcome, Verdict, blocking_problem
from release.core.models.probe import ProbeResult

if TYPE_CHECKING:
    from release.core.models.distribution import Distribution, UploadResult
    from release.core.models.index import Index
    from release.core.plan import Plan


class Verification(Struct, frozen=True, kw_only=True):
    """The access to an index, the checks of it, and their verdict."""

    access: Access
    outcomes: tuple[Outcome, ...]
    verdict: Verdict
    #: whether the index was deliberately not contacted
    offline: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether the index has confirmed that the credential works: the permission for a project that exists.

        The index verifies signature and caveats of a token only there. That it knows the token, or that the account
        may create a project, is less.
        """
        permission = self.access.permission
        probed = isinstance(permission, ProbeResult) and permission.kind != "first-release" and permission.passed()
        return probed and self.verdict.passed

    @property
    def verdict_text(self) -> str:
        """The verdict in words: "warning"; not "healthy" where the index has not confirmed it."""
        if self.verdict.word != "healthy" or self.confirmed:
            return self.verdict.word
        return f"no problem found{' offline' if self.offline else ''}; not confirmed by the index"


class InspectionResult(Struct, frozen=True, kw_only=True):
    """The result of `inspect`."""

    #: `{"schema": 1, "files": […], "release": […]}`
    document: Mapping[str, Any]
    built: BuiltFiles
    #: the index that was contacted; None if none was
    index: Index | None

    @property
    def refused(self) -> bool:
        """Whether any file, or the set, would be refused."""
        of_files = (file["verdict"] == "refuse" for file in self.document["files"])
        return any(of_files) or any(one["severity"] == "block" for one in self.document["release"])


class Confirmation(Struct, frozen=True, kw_only=True):
    """The result of `confirm`."""

    release: PublishedRelease
    outcomes: tuple[Outcome, ...]
    #: path of the record that it was compared with; None if there was none
    record: str | None

    @property
    def exit(self) -> Exit:
        return Exit.REFUSED if any(one.state.blocks for one in self.outcomes) else Exit.DONE

    @property
    def message(self) -> str:
        published = self.release
        release = f"{published.project.name} {published.project.version} on {published.index.name}"
        problem = blocking_problem(self.outcomes)
        if problem:
            return f"{release} is not confirmed: {problem.message}"
        compared = "as recorded" if published.recorded else "as the index lists them, without a record"
        trials = {"wheel": published.wheel, "sdist": published.sdist}
        installed = " and ".join(kind for kind, trial in trials.items() if isinstance(trial, InstallTrial))
        count = f"{len(published.files)} file{'s' if len(published.files) > 1 else ''}"
        return f"{release} is confirmed: {count} {compared}; {installed} installed"

    @property
    def remedy(self) -> str:
        problem = blocking_problem(self.outcomes)
        return problem.remedy if problem else ""


class StepResult(Struct, frozen=True, kw_only=True):
    """How a step of the plan ended, unless it failed."""

    #: whether there was anything to do
    changed: bool
    #: a short text to show after the step's title; may be empty
    note: str = ""


class RunResult(Struct, frozen=True, kw_only=True):
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
    #: id in the catalog of failures of what stopped the run; None if nothing did, or if it is not in the catalog
    cause: str | None = None

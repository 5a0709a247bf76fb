"""What every scheduler is asked, and what those of a machine have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from release.adapters.system.process import Completed
from release.adapters.system.system import System, explain_os_errors
from release.token_health.schedulers import job, tools
from release.token_health.schedulers.command import Job
from release.token_health.schedulers.cron_expression import When
from release.token_health.schedulers.job import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a job stands."""

    installed: bool
    #: when it last ran, for a reader; None: not yet, or nobody knows
    last: str | None = None
    #: how that ended, for a reader
    result: str | None = None
    #: when it runs next, for a reader; None: not at all
    next: str | None = None


class Scheduler(Protocol):
    """One way to have the job run. Each of its methods that asks or tells the platform raises `ReleaseError`."""

    @property
    def output(self) -> str:
        """Where the output of the job goes."""

    @property
    def keyring(self) -> str:
        """How the job gets at a keyring, or why it can't."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be known before."""

    def texts(self) -> Mapping[str, str]:
        """Everything that is written: name of the place → text."""

    def install(self) -> bool:
        """Have the job run. Returns whether anything was changed; a second time nothing is."""

    def remove(self) -> bool:
        """Have it run no more, and remove all of `install`. Returns whether there was anything."""

    def status(self) -> Status:
        """How it stands."""


class Machine:
    """What they have in common: a job, and a log where the platform has none."""

    def __init__(self, system: System, prepared: Prepared) -> None:
        self.system = system
        self.job: Job = prepared.job
        self.notes = prepared.notes

    @property
    def output(self) -> str:
        return f"{self.job.log} (the last run)"

    def log_path(self) -> Path:
        return Path(self.job.log)

    def make_place_for_log(self) -> None:
        with explain_os_errors("the directory of the log"):
            self.log_path().parent.mkdir(parents=True, exist_ok=True)

    def own_status(self, *, installed: bool, times: Sequence[When] = ()) -> Status:
        """What the log and the clock say, where the platform says nothing; `times` are those that are installed."""
        last, result = None, None
        if self.log_path().is_file():
            last = shown(datetime.fromtimestamp(self.log_path().stat().st_mtime, UTC).astimezone())
            words = self.log_path().read_text(encoding="utf-8", errors="replace").splitlines()
            result = next((line for line in reversed(words) if line.startswith("exit status")), None)
        now = job.local(self.system)
        coming = [found for one in times if (found := one.after(now)) is not None]
        return Status(installed=installed, last=last, result=result, next=shown(min(coming)) if coming else None)


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip()


def accepted(program: str, done: Completed) -> None:
    """Raise `ToolError` where a scheduler's program ended with a failure."""
    if done.status:
        raise tools.refused(program, done)

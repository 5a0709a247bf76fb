"""What every scheduler provides, and what the schedulers of a machine have in common."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from release.adapters.system.process import Completed, TimedOutError
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import ToolError
from release.token_health.schedulers import job
from release.token_health.schedulers.cron_expression import CronExpression
from release.token_health.schedulers.job import ScheduleRequest

#: seconds after which a scheduler's program is ended
_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """The status of a job. The times are text for people."""

    installed: bool
    #: when it last ran; None: never, or unknown
    last: str | None = None
    #: how the last run ended
    result: str | None = None
    #: when it runs next; None: never
    next: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self, kind: str, name: str) -> list[str]:
        """Return lines for people; `kind` and `name` are those of the scheduler and the job."""
        if not self.installed:
            return [f"{name}: not installed ({kind})"]
        return [
            f"{name}: installed ({kind})",
            f"  last run: {self.last or 'never, or unknown'}{f' ({self.result})' if self.result else ''}",
            f"  next run: {self.next or 'none'}",
        ]


class Scheduler(Protocol):
    """One way to run the job. Methods that call the platform raise `ReleaseError`."""

    times: CronExpression

    @property
    def time_zone(self) -> str:
        """The time zone of `times`."""

    @property
    def output(self) -> str:
        """Where the output of the job goes."""

    @property
    def keyring(self) -> str:
        """How the job accesses a keyring, or why it cannot."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What else the user has to know. Raises `ConfigError`."""

    def texts(self) -> Mapping[str, str]:
        """Return everything that `install` writes: where it goes → text."""

    def install(self) -> bool:
        """Install the job. Returns whether anything changed."""

    def remove(self) -> bool:
        """Remove the job and everything that `install` wrote. Returns whether anything was removed."""

    def status(self) -> ScheduleStatus:
        """Return the status of the job."""


class MachineScheduler:
    """A scheduler of this machine, with a log file unless the platform stores the output."""

    for_windows = False
    time_zone = "local time"

    def __init__(self, system: System, request: ScheduleRequest) -> None:
        self.system = system
        self.job = job.build_job(system, request, for_windows=self.for_windows)
        self.times = self.job.times
        self._request = request

    @property
    def output(self) -> str:
        return f"{self.job.log} (the last run)"

    @property
    def notes(self) -> tuple[str, ...]:
        names = job.secret_variables(self._request, notify=True)
        if not names:
            return self.job.notes
        unset = f"${', $'.join(names)}: not set in scheduled jobs; store the value in a keyring or file instead"
        return (*self.job.notes, unset)

    @property
    def log_path(self) -> Path:
        return Path(self.job.log)

    def make_log_directory(self) -> None:
        with explain_os_errors("the log directory"):
            self.log_path.parent.mkdir(parents=True, exist_ok=True)

    def status_from_log(self, *, installed: bool, times: Sequence[CronExpression] = ()) -> ScheduleStatus:
        """Return the status according to the log and the clock; `times` are those of the installed job."""
        last, result = None, None
        if self.log_path.is_file():
            modified = datetime.fromtimestamp(self.log_path.stat().st_mtime, UTC).astimezone()
            last = _format_time(modified)
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
            result = next((line for line in reversed(lines) if line.startswith("exit status")), None)
        now = job.local_time(self.system)
        upcoming = [time for one in times if (time := one.next_after(now)) is not None]
        following = _format_time(min(upcoming)) if upcoming else None
        return ScheduleStatus(installed=installed, last=last, result=result, next=following)


def explain_job(system: System, request: ScheduleRequest, kind: str, scheduler: Scheduler) -> list[str]:
    """Return what the job does, where its output goes, how it accesses a keyring, and notes. Raises `ConfigError`."""
    first = scheduler.times.next_after(job.local_time(system))
    fields = "minute, hour, day, month, weekday" + (f", next on {first:%Y-%m-%d}" if first else "")
    times = f"{scheduler.times.text!r} ({scheduler.time_zone}: {fields})"
    return [
        f"Schedule: {kind} checks every token of {str(request.target)!r} at {times}; it changes nothing.",
        f"Output: {scheduler.output}. Exit status: 0 healthy, 1 broken, 5 warnings, 6 unknown.",
        f"Keyring: {scheduler.keyring}.",
        *(f"Note: {note}" for note in scheduler.notes),
    ]


def run_tool(
    system: System,
    argv: Sequence[str],
    *,
    hint: str,
    input: str | None = None,  # noqa: A002 - subprocess calls it so
) -> Completed:
    """Run a scheduler's program. Raises `ToolError` if it is missing, with `hint` as the remedy, or takes too long."""
    env = {**system.env, "LC_ALL": "C"}  # its messages are parsed
    if shutil.which(argv[0], path=env.get("PATH")) is None:
        raise ToolError(f"no program {argv[0]!r} on PATH", remedy=hint)
    try:
        return system.run(argv, env=env, timeout=_TIMEOUT, apart=True, input=input)
    except TimedOutError as error:
        raise ToolError(error.message, remedy=error.remedy) from None


def require_success(program: str, done: Completed) -> None:
    """Raise `ToolError` if `launchctl` or `schtasks` failed."""
    if not done.status:
        return
    message = last_line(done)
    denied = "access is denied" in message.lower() or "not permitted" in message.lower()
    raise ToolError(
        f"{program} failed ({done.status}): {message!r}",
        remedy="run it as the user who is logged in, not through su, sudo or ssh"
        if denied
        else "run the same command with --print, and pass its output to the platform's own tool for details",
    )


def last_line(done: Completed) -> str:
    """Return the last line that a program wrote, or its exit status."""
    lines = (done.errors or done.output).strip().splitlines()
    return lines[-1].strip() if lines else f"exit status {done.status}"


def user_id() -> int:
    """Return the numeric id of the user; 0 on Windows."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _format_time(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z").strip()

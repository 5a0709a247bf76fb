"""A schedule from end to end: which scheduler, what it is told, and what is said of it."""

from __future__ import annotations

from typing import Any

from release.adapters.system.system import System
from release.token_health.schedulers import job
from release.token_health.schedulers.base import Scheduler, Status
from release.token_health.schedulers.ci_service import Hosted
from release.token_health.schedulers.cron import Crontab
from release.token_health.schedulers.cron_expression import When
from release.token_health.schedulers.job import Asked, Kind
from release.token_health.schedulers.launchd import Launchd
from release.token_health.schedulers.systemd import Systemd
from release.token_health.schedulers.windows import Tasks

_MACHINES: dict[str, type[Systemd | Crontab | Launchd | Tasks]] = {
    "systemd": Systemd, "cron": Crontab, "launchd": Launchd, "windows": Tasks,
}  # fmt: skip


def of(system: System, asked: Asked, kind: Kind) -> Scheduler:
    """The scheduler of a kind, for what is asked. Raises `UsageError`."""
    match kind:
        case "github" | "gitlab":
            return Hosted(system, asked, kind)
        case _:
            return _MACHINES[kind](system, job.prepare(system, asked, kind))


def explanation(system: System, asked: Asked, kind: Kind, chosen: Scheduler) -> list[str]:
    """What the job does, where its output goes, how it gets at a keyring; and what else is to be known."""
    when = job.when(system, asked)
    what = asked.fleet or asked.directory
    lines = [
        f"By {kind}, {_times(system, when, kind)}, every token of {str(what)!r} is looked at; nothing is changed.",
        f"Output: {chosen.output}. Exit status: 0 healthy, 1 broken, 5 warnings, 6 could not tell.",
        f"Keyring: {chosen.keyring}.",
    ]
    notes = list(chosen.notes)
    if kind not in {"github", "gitlab"} and (names := job.variables(asked, notify=True)):
        notes.append(
            f"${', $'.join(names)}: no scheduler has it, so the job can't read it; keep what it holds elsewhere"
        )
    return [*lines, *(f"Note: {note}" for note in notes)]


def _times(system: System, when: When, kind: Kind) -> str:
    coming = when.after(job.local(system))
    zone = "UTC" if kind in {"github", "gitlab"} else "local time"
    first = f", next on {coming:%Y-%m-%d}" if coming else ""
    return f"at {when.text!r} ({zone}: minute, hour, day, month, weekday{first})"


def status_lines(kind: Kind, name: str, found: Status) -> list[str]:
    """How the job stands, for a reader."""
    if not found.installed:
        return [f"{name}: not installed by {kind}"]
    return [
        f"{name}: installed by {kind}",
        f"  last run: {found.last or 'not yet, or nothing knows of it'}{f' ({found.result})' if found.result else ''}",
        f"  next run: {found.next or 'none'}",
    ]


def status_data(found: Status) -> dict[str, Any]:
    """How the job stands, for JSON."""
    return {"installed": found.installed, "last": found.last, "result": found.result, "next": found.next}

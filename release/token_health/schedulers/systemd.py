"""systemd: a service and a timer of the user's service manager.

Sources: systemd.service(5), "Command lines"; systemd.exec(5), "Sandboxing"; systemd.timer(5); systemd.time(7),
"Calendar events".
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from release.adapters.system import safe_write, templates
from release.adapters.system.system import explain_os_errors
from release.core.errors import ToolError
from release.token_health.schedulers import base
from release.token_health.schedulers.base import MachineScheduler, ScheduledJob, ScheduleStatus
from release.token_health.schedulers.cron_expression import DAYS, CronExpression


class Systemd(MachineScheduler):
    """A service and a timer of the user's service manager."""

    keyring = (
        "through your session bus, while you are logged in; to run the job at other times too, with tokens that "
        "are not in a keyring: loginctl enable-linger"
    )

    @property
    def output(self) -> str:
        return f"the journal: journalctl --user --unit {self.job.name}.service"

    def _units(self) -> dict[Path, str]:
        directory = Path(self.system.env.get("XDG_CONFIG_HOME") or self.system.home / ".config") / "systemd" / "user"
        return {
            directory / f"{self.job.name}.service": render_service(self.job),
            directory / f"{self.job.name}.timer": render_timer(self.job),
        }

    def texts(self) -> dict[str, str]:
        return {str(path): text for path, text in self._units().items()}

    def install(self) -> bool:
        self._systemctl("daemon-reload")  # fails before anything is written if there is no service manager
        with explain_os_errors("the directory of the units"):
            changed = [safe_write.write_atomically(path, text.encode()) for path, text in self._units().items()]
        timer = f"{self.job.name}.timer"
        self._systemctl("daemon-reload")
        self._systemctl("enable", timer)
        self._systemctl("restart" if any(changed) else "start", timer)
        return any(changed)

    def remove(self) -> bool:
        units = [path for path in self._units() if path.exists()]
        if not units:
            return False
        timer = f"{self.job.name}.timer"
        self._systemctl("disable", "--now", timer)
        self._systemctl("clean", "--what=state", timer, check=False)  # the time of the last run
        with explain_os_errors("the directory of the units"):
            for path in units:
                safe_write.remove_file(path)
        self._systemctl("daemon-reload")
        self._systemctl("reset-failed", f"{self.job.name}.service", check=False)
        return True

    def status(self) -> ScheduleStatus:
        if not all(path.exists() for path in self._units()):
            return ScheduleStatus(installed=False)
        timer = self._properties(f"{self.job.name}.timer", "LastTriggerUSec", "NextElapseUSecRealtime")
        service = self._properties(f"{self.job.name}.service", "Result", "ExecMainStatus")
        last = timer.get("LastTriggerUSec")
        result = f"exit status {service.get('ExecMainStatus', '?')}, {service.get('Result', '?')}" if last else None
        return ScheduleStatus(installed=True, last=last, result=result, next=timer.get("NextElapseUSecRealtime"))

    def _properties(self, unit: str, *names: str) -> dict[str, str]:
        """Return the properties that have a value."""
        text = self._systemctl("show", unit, *(f"--property={name}" for name in names))
        pairs = (line.partition("=") for line in text.splitlines())
        return {name: value for name, _, value in pairs if value not in {"", "n/a"}}

    def _systemctl(self, *words: str, check: bool = True) -> str:
        """Return the output of `systemctl --user`. Raises `ToolError`."""
        argv = ["systemctl", "--user", *words]
        done = base.run_tool(self.system, argv, hint="this machine has no systemd: use --kind cron")
        message = base.last_line(done)
        phrases = ("to bus", "not been booted with systemd", "user scope bus")
        if done.status and any(phrase in message for phrase in phrases):
            raise ToolError(
                f"cannot connect to the user's systemd: {message!r}",
                remedy="log in as this user, not through su or sudo; or run: loginctl enable-linger; "
                "or use --kind cron",
            )
        if done.status and check:
            raise ToolError(
                f"systemctl --user {words[0]} failed: {message!r}", remedy=f"run: systemctl --user status {words[-1]}"
            )
        return done.output


def is_running(env: Mapping[str, str]) -> bool:
    """Whether systemd runs this machine. Source: sd_booted(3)."""
    return shutil.which("systemctl", path=env.get("PATH")) is not None and Path("/run/systemd/system").is_dir()


def render_service(job: ScheduledJob) -> str:
    """Return the unit that runs the command once. Raises `UsageError` for what a unit cannot contain."""
    job.require_printable("a systemd unit")
    # systemd does not run a program whose path has quotes or backslashes; observed: systemd 252, "Executable name
    # contains special characters"
    shell = ("/bin/sh", "-c", 'exec "$@"', "sh") if set(job.argv[0]) & set("\\\"'") else ()
    values: dict[str, object] = {
        "title": _escaped(job.title),
        "command": " ".join(map(_quoted, (*shell, *job.argv))),
        "environment": [_quoted(f"{name}={value}") for name, value in job.env.items()],
    }
    return templates.render_template(__package__, "systemd.service.j2", values)


def render_timer(job: ScheduledJob) -> str:
    """Return the unit with the times."""
    values: dict[str, object] = {"title": _escaped(job.title), "events": calendar_events(job.times)}
    return templates.render_template(__package__, "systemd.timer.j2", values)


def calendar_events(times: CronExpression) -> Iterator[str]:
    """Return the times as calendar events, any of which triggers the job."""
    months, hours, minutes = (_numbers(times.restricted(name)) for name in ("months", "hours", "minutes"))
    for days, weekdays in times.alternatives:
        week = "" if weekdays is None else ",".join(DAYS[day].title() for day in weekdays) + " "
        yield f"{week}*-{months}-{_numbers(days)} {hours}:{minutes}:00"


def _numbers(values: Iterable[int] | None) -> str:
    return "*" if values is None else ",".join(f"{value:02d}" for value in values)


def _quoted(word: str) -> str:
    r"""Return a word of a command line, where `\` starts an escape."""
    return '"' + _escaped(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    """Return a text in which `%` does not start a specifier."""
    return text.replace("%", "%%")

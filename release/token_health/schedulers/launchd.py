"""launchd: an agent in the user's session on macOS, where the login keychain is unlocked.

Source: launchd.plist(5).
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

from msgspec.structs import replace

from release.adapters.system import safe_write, templates
from release.adapters.system.process import Completed
from release.adapters.system.system import explain_os_errors
from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers import base
from release.token_health.schedulers.base import MachineScheduler, ScheduledJob, ScheduleStatus
from release.token_health.schedulers.cron_expression import CronExpression, parse_cron

#: calendar intervals in one property list; our own limit
_MAX_INTERVALS = 200


class Launchd(MachineScheduler):
    """An agent of the user's session."""

    keyring = "the login keychain, while you are logged in; macOS may ask once whether this Python may access it"

    @property
    def output(self) -> str:
        return self.job.log

    @property
    def _path(self) -> Path:
        return self.system.home / "Library" / "LaunchAgents" / f"{label(self.job)}.plist"

    def texts(self) -> dict[str, str]:
        return {str(self._path): render_plist(self.job)}

    def install(self) -> bool:
        plist = render_plist(self.job).encode()
        loaded = self._launchctl("print").status == 0
        self.make_log_directory()
        with explain_os_errors("the agents directory"):
            changed = safe_write.write_atomically(self._path, plist)
        if loaded and not changed:
            return False
        if loaded:
            base.require_success("launchctl bootout", self._launchctl("bootout"))
        base.require_success("launchctl bootstrap", self._launchctl("bootstrap"))
        return True

    def _launchctl(self, command: str) -> Completed:
        domain = f"gui/{base.user_id()}"
        words = (domain, str(self._path)) if command == "bootstrap" else (f"{domain}/{label(self.job)}",)
        hint = "launchd is only on macOS: use another --kind"
        return base.run_tool(self.system, ["launchctl", command, *words], hint=hint)

    def remove(self) -> bool:
        loaded = self._launchctl("print").status == 0
        if loaded:
            base.require_success("launchctl bootout", self._launchctl("bootout"))
        with explain_os_errors("the agents directory"):
            existed = safe_write.remove_file(self._path)
        safe_write.remove_file(self.log_path)
        return existed or loaded

    def status(self) -> ScheduleStatus:
        done = self._launchctl("print")
        installed = self._path.is_file() and done.status == 0
        times = parse_plist_times(self._path.read_bytes()) if installed else ()
        status = self.status_from_log(installed=installed, times=times)
        lines = (line.partition("=") for line in done.output.splitlines())
        code = next((value.strip() for name, _, value in lines if name.strip() == "last exit code"), None)
        return replace(status, result=f"exit status {code}") if code and status.last else status


def label(job: ScheduledJob) -> str:
    """Return launchd's name of the job."""
    return f"pypi-preflight.{job.name}"


def render_plist(job: ScheduledJob) -> str:
    """Return the property list as XML. Raises `UsageError` for times that need too many intervals."""
    job.require_printable("a property list")
    values: dict[str, object] = {"job": job, "label": label(job), "intervals": calendar_intervals(job.times)}
    return templates.render_template(__package__, "launchd.plist.j2", values, autoescape=True)


def parse_plist_times(text: bytes) -> list[CronExpression]:
    """Return the times of a property list, one for each interval. Raises `ReleaseError` if it is not one of ours."""
    import plistlib

    keys = ("Minute", "Hour", "Day", "Month", "Weekday")
    try:
        intervals = plistlib.loads(text)["StartCalendarInterval"]
        return [parse_cron(" ".join(str(one.get(key, "*")) for key in keys), "") for one in intervals]
    except (plistlib.InvalidFileException, ValueError, LookupError, AttributeError) as error:
        raise ReleaseError(f"cannot read the property list: {error}", remedy="install it again") from None


def calendar_intervals(times: CronExpression) -> list[dict[str, int]]:
    """Return the times as intervals with one value for each key; an absent key matches any value."""
    months, hours, minutes = (
        [{key: value} for value in times.restricted(f"{key.lower()}s") or ()] or [{}]
        for key in ("Month", "Hour", "Minute")
    )
    intervals: list[dict[str, int]] = []
    for days, weekdays in times.alternatives:
        either = [{"Day": one} for one in days or ()] + [{"Weekday": one} for one in weekdays or ()]
        combinations = product(months, either or [{}], hours, minutes)
        intervals += [{key: value for part in parts for key, value in part.items()} for parts in combinations]
    if len(intervals) > _MAX_INTERVALS:
        raise UsageError(
            f"{times.text!r} needs {len(intervals)} calendar intervals, and the limit is {_MAX_INTERVALS}",
            remedy="use fewer times, such as --every day",
        )
    return intervals

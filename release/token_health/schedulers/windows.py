"""Windows: a task of Task Scheduler.

Source: Microsoft, "Task Scheduler Schema"; the order of elements within a trigger is the schema's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from release.adapters.system import safe_write, templates
from release.adapters.system.process import Completed
from release.adapters.system.system import explain_os_errors
from release.core.errors import UsageError
from release.token_health.schedulers import base
from release.token_health.schedulers.base import MachineScheduler, ScheduledJob, ScheduleStatus
from release.token_health.schedulers.cron_expression import CronExpression

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
#: triggers of one task. Source: Microsoft, "Task Scheduler Schema", triggersType
_MAX_TRIGGERS = 48


class TaskScheduler(MachineScheduler):
    """A task that runs while its user is logged in."""

    for_windows = True
    keyring = "the credential manager, while you are logged in"

    def texts(self) -> dict[str, str]:
        return {task_path(self.job): self._task().decode("utf-16").replace("\r\n", "\n")}

    def _task(self) -> bytes:
        user, domain = self.system.env.get("USERNAME"), self.system.env.get("USERDOMAIN")
        return render_task(self.job, user=f"{domain}\\{user}" if user and domain else user)

    def _schtasks(self, command: str, *words: str) -> Completed:
        argv = ["schtasks", command, "/TN", task_path(self.job), *words]
        return base.run_tool(self.system, argv, hint="Task Scheduler is only on Windows: use another --kind")

    def _query(self) -> list[str] | None:
        """Return the task's row in Task Scheduler's table; None if there is none.

        The order of columns does not depend on the language. Source: Microsoft, "schtasks query".
        """
        import csv

        done = self._schtasks("/Query", "/FO", "CSV", "/V", "/NH")
        return next(csv.reader(done.output.splitlines()), None) if done.status == 0 else None

    def install(self) -> bool:
        task = self._task()
        file = self.log_path.with_suffix(".xml")
        with explain_os_errors("the log directory"):
            changed = safe_write.write_atomically(file, task)
        if not changed and self._query() is not None:
            return False
        done = self._schtasks("/Create", "/XML", str(file), "/F")
        if done.status:
            safe_write.remove_file(file)
        base.require_success("schtasks", done)
        return True

    def remove(self) -> bool:
        exists = self._query() is not None
        if exists:
            base.require_success("schtasks", self._schtasks("/Delete", "/F"))
        for path in (self.log_path.with_suffix(".xml"), self.log_path):
            safe_write.remove_file(path)
        return exists

    def status(self) -> ScheduleStatus:
        row = self._query()
        status = self.status_from_log(installed=row is not None)
        if row is None or len(row) < 7:  # noqa: PLR2004 - the columns up to Last Result
            return status
        return replace(status, next=row[2], result=status.result or f"exit status {row[6]}")


def task_path(job: ScheduledJob) -> str:
    """Return Task Scheduler's name of the job."""
    return f"\\pypi-preflight\\{job.name}"


def render_task(job: ScheduledJob, *, user: str | None) -> bytes:
    """Return the task as XML in UTF-16 with a byte order mark, as schtasks requires.

    It runs in the session of `user` (None: of the user who creates it), where the credential manager can be read, and
    makes up for a missed run. Raises `UsageError` for times that need too many triggers.
    """
    job.require_printable("a task")
    months = tuple(_MONTHS[month - 1] for month in job.times.restricted("months") or ())
    values: dict[str, object] = {
        "title": job.title, "path": task_path(job), "triggers": _triggers(job.times),
        "months": months, "all_months": _MONTHS, "user": user,
        "command": _literal(job.argv[0]), "arguments": _literal(join_arguments(job.argv[1:])),
    }  # fmt: skip
    text = templates.render_template(__package__, "windows_task.xml.j2", values, autoescape=True)
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


def _triggers(times: CronExpression) -> list[dict[str, object]]:
    count = len(times.alternatives) * len(times.hours) * len(times.minutes)
    if count > _MAX_TRIGGERS:
        raise UsageError(
            f"{times.text!r} needs {count} triggers, and a task can have {_MAX_TRIGGERS}",
            remedy="use fewer times a day, such as --every day",
        )
    return [
        {"time": f"{hour:02d}:{minute:02d}", "days": days, "weekdays": [_DAYS[day] for day in weekdays or ()]}
        for days, weekdays in times.alternatives
        for hour in times.hours
        for minute in times.minutes
    ]


def join_arguments(words: Iterable[str]) -> str:
    """Return words as one string, which programs on Windows split again.

    Source: Microsoft, "Parsing C command-line arguments": backslashes are literal unless a quote follows.
    """
    quoted = []
    for word in words:
        inside = re.sub(r'(\\*)"', r'\1\1\\"', word)
        plain = word and not re.search(r"[ \t]", word)
        quoted.append(inside if plain else '"' + re.sub(r"(\\+)$", r"\1\1", inside) + '"')
    return " ".join(quoted)


def _literal(text: str) -> str:
    """Return the text if Task Scheduler does not expand it. Raises `UsageError`."""
    if found := re.search(r"%[^%]+%|\$\(", text):
        raise UsageError(
            f"Task Scheduler would expand {found[0]!r}, and has no way to quote it",
            remedy="rename the directory or file whose name contains it",
        )
    return text

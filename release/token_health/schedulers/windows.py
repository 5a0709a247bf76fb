"""By Windows' Task Scheduler."""

from __future__ import annotations

import csv
from dataclasses import replace

from release.adapters.system import atomic_write
from release.adapters.system.system import explain_os_errors
from release.token_health.schedulers import tools, windows_format
from release.token_health.schedulers.base import Machine, Status, accepted


class Tasks(Machine):
    """A task of Windows' Task Scheduler."""

    @property
    def keyring(self) -> str:
        return "the credential manager, while you are logged in"

    def texts(self) -> dict[str, str]:
        return {windows_format.path(self.job): self._task().decode("utf-16").replace("\r\n", "\n")}

    def _task(self) -> bytes:
        user, domain = self.system.env.get("USERNAME"), self.system.env.get("USERDOMAIN")
        return windows_format.task(self.job, user=f"{domain}\\{user}" if user and domain else user)

    def _query(self) -> list[str] | None:
        """The task's row in Task Scheduler's table; None where there is none.

        The columns keep their places in every language. Source: Microsoft, "schtasks query".
        """
        words = ("/Query", "/TN", windows_format.path(self.job), "/FO", "CSV", "/V", "/NH")
        done = tools.schtasks(self.system, *words)
        return next(csv.reader(done.output.splitlines()), None) if done.status == 0 else None

    def install(self) -> bool:
        text = self._task()
        kept = self.log_path().with_suffix(".xml")
        with explain_os_errors("the directory of the log"):
            changed = atomic_write.write_atomically(kept, text)
        if not changed and self._query() is not None:
            return False
        words = ("/Create", "/TN", windows_format.path(self.job), "/XML", str(kept), "/F")
        done = tools.schtasks(self.system, *words)
        if done.status:
            atomic_write.remove_file(kept)
        accepted("schtasks", done)
        return True

    def remove(self) -> bool:
        there = self._query() is not None
        if there:
            accepted("schtasks", tools.schtasks(self.system, "/Delete", "/TN", windows_format.path(self.job), "/F"))
        for path in (self.log_path().with_suffix(".xml"), self.log_path()):
            atomic_write.remove_file(path)
        return there

    def status(self) -> Status:
        row = self._query()
        status = self.own_status(installed=row is not None)
        if row is None or len(row) < 7:  # noqa: PLR2004 - the columns up to Last Result
            return status
        return replace(status, next=row[2], result=status.result or f"exit status {row[6]}")

"""By cron."""

from __future__ import annotations

from dataclasses import replace

from release.adapters.system import atomic_write
from release.adapters.system.system import System
from release.token_health.schedulers import cron_expression, cron_format, tools
from release.token_health.schedulers.base import Machine, Status
from release.token_health.schedulers.job import Prepared


class Crontab(Machine):
    """A marked block of the user's crontab."""

    def __init__(self, system: System, prepared: Prepared) -> None:
        super().__init__(system, prepared)
        user = tools.user_id()
        self._bus = tools.session_bus(system.env, user)
        if self._bus is not None:
            session = {
                "XDG_RUNTIME_DIR": str(self._bus.parent),
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._bus}",
            }
            self.job = replace(self.job, env={**session, **self.job.env})
        shorter = {name: value for name, value in self.job.env.items() if name != "PATH"}
        if (
            "PATH" in self.job.env
            and not cron_format.fits(self.job)
            and cron_format.fits(replace(self.job, env=shorter))
        ):
            self.job = replace(self.job, env=shorter)
            self.notes += ("$PATH is too long for cron, and does not go with the job: name programs with their path",)

    @property
    def keyring(self) -> str:
        if self._bus is not None:
            return f"by the session bus at {self._bus}, which is there while you are logged in"
        return (
            "not at all: you have no session bus under /run/user, so a token in a keyring can't be read (exit status "
            "6); log in on this machine, or keep the token in a file that only you can read"
        )

    def texts(self) -> dict[str, str]:
        return {"crontab": cron_format.block(self.job)}

    def install(self) -> bool:
        block = cron_format.block(self.job)
        before = tools.crontab(self.system)
        after = cron_format.with_block(before, self.job)
        self.make_place_for_log()
        if after == before and block in before:
            return False
        tools.set_crontab(self.system, after)
        return True

    def remove(self) -> bool:
        before = tools.crontab(self.system)
        if not cron_format.has_block(before, self.job.name):
            return False
        tools.set_crontab(self.system, cron_format.without_block(before, self.job.name))
        atomic_write.remove_file(self.log_path())
        return True

    def status(self) -> Status:
        when = cron_format.line_of(tools.crontab(self.system), self.job.name)
        return self.own_status(installed=when is not None, times=[cron_expression.parse(when, "")] if when else ())

"""By cron."""

from __future__ import annotations

from dataclasses import replace

from release.adapters.system import atomic_write as whole_file
from release.adapters.system.system import System
from release.token_health.schedulers import cron_expression as times
from release.token_health.schedulers import cron_format as cron
from release.token_health.schedulers import tools as scheduler
from release.token_health.schedulers.base import Machine, Status
from release.token_health.schedulers.job import Prepared


class Crontab(Machine):
    """A marked block of the user's crontab."""

    def __init__(self, system: System, prepared: Prepared) -> None:
        super().__init__(system, prepared)
        user = scheduler.user_id()
        self._bus = scheduler.session_bus(system.env, user)
        if self._bus is not None:
            session = {
                "XDG_RUNTIME_DIR": str(self._bus.parent),
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._bus}",
            }
            self.job = replace(self.job, env={**session, **self.job.env})
        shorter = {name: value for name, value in self.job.env.items() if name != "PATH"}
        if "PATH" in self.job.env and not cron.fits(self.job) and cron.fits(replace(self.job, env=shorter)):
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
        return {"crontab": cron.block(self.job)}

    def install(self) -> bool:
        block = cron.block(self.job)
        before = scheduler.crontab(self.system)
        after = cron.with_block(before, self.job)
        self.make_place_for_log()
        if after == before and block in before:
            return False
        scheduler.set_crontab(self.system, after)
        return True

    def remove(self) -> bool:
        before = scheduler.crontab(self.system)
        if not cron.has_block(before, self.job.name):
            return False
        scheduler.set_crontab(self.system, cron.without_block(before, self.job.name))
        whole_file.take_away(self.log_path())
        return True

    def status(self) -> Status:
        when = cron.line_of(scheduler.crontab(self.system), self.job.name)
        return self.own_status(installed=when is not None, times=[times.parse(when, "")] if when else ())

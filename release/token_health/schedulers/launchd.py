"""By launchd."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from release.adapters.system import atomic_write
from release.adapters.system.process import Completed
from release.adapters.system.system import explain_os_errors
from release.token_health.schedulers import launchd_format, tools
from release.token_health.schedulers.base import Machine, Status, accepted


class Launchd(Machine):
    """An agent of the user's session on macOS."""

    @property
    def output(self) -> str:
        return self.job.log

    @property
    def keyring(self) -> str:
        return "the login keychain, while you are logged in; macOS may ask once whether this Python may read it"

    def _path(self) -> Path:
        return self.system.home / "Library" / "LaunchAgents" / f"{launchd_format.label(self.job)}.plist"

    def texts(self) -> dict[str, str]:
        return {str(self._path()): launchd_format.plist(self.job).decode()}

    def install(self) -> bool:
        text = launchd_format.plist(self.job)
        domain = f"gui/{tools.user_id()}"
        loaded = tools.launchctl(self.system, "print", f"{domain}/{launchd_format.label(self.job)}").status == 0
        self.make_place_for_log()
        with explain_os_errors("the directory of agents"):
            changed = atomic_write.write_atomically(self._path(), text)
        if loaded and not changed:
            return False
        if loaded:
            accepted("launchctl bootout", self._bootout())
        accepted("launchctl bootstrap", tools.launchctl(self.system, "bootstrap", domain, str(self._path())))
        return True

    def _bootout(self) -> Completed:
        return tools.launchctl(self.system, "bootout", f"gui/{tools.user_id()}/{launchd_format.label(self.job)}")

    def remove(self) -> bool:
        found = tools.launchctl(self.system, "print", f"gui/{tools.user_id()}/{launchd_format.label(self.job)}")
        if found.status == 0:
            accepted("launchctl bootout", self._bootout())
        with explain_os_errors("the directory of agents"):
            there = atomic_write.remove_file(self._path())
        atomic_write.remove_file(self.log_path())
        return there or found.status == 0

    def status(self) -> Status:
        found = tools.launchctl(self.system, "print", f"gui/{tools.user_id()}/{launchd_format.label(self.job)}")
        installed = self._path().is_file() and found.status == 0
        status = self.own_status(
            installed=installed, times=launchd_format.times(self._path().read_bytes()) if installed else ()
        )
        lines = (line.partition("=") for line in found.output.splitlines())
        code = next((value.strip() for name, _, value in lines if name.strip() == "last exit code"), None)
        return replace(status, result=f"exit status {code}") if code and status.last else status

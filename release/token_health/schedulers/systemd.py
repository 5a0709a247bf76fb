"""By the user's own systemd."""

from __future__ import annotations

from pathlib import Path

from release.adapters.system import atomic_write
from release.adapters.system.system import explain_os_errors
from release.token_health.schedulers import systemd_format, tools
from release.token_health.schedulers.base import Machine, Status


class Systemd(Machine):
    """A service and a timer of the user's own systemd."""

    @property
    def output(self) -> str:
        return f"the journal: journalctl --user --unit {self.job.name}.service"

    @property
    def keyring(self) -> str:
        return (
            "by your session bus, while you are logged in; to have it run without that as well, with tokens from "
            "elsewhere: loginctl enable-linger"
        )

    def _units(self) -> dict[Path, str]:
        base = Path(self.system.env.get("XDG_CONFIG_HOME") or self.system.home / ".config") / "systemd" / "user"
        name = self.job.name
        return {
            base / f"{name}.service": systemd_format.service(self.job),
            base / f"{name}.timer": systemd_format.timer(self.job),
        }

    def texts(self) -> dict[str, str]:
        return {str(path): text for path, text in self._units().items()}

    def install(self) -> bool:
        tools.systemctl(self.system, "daemon-reload")  # before anything is written: is there a manager?
        with explain_os_errors("the directory of the units"):
            changed = [atomic_write.write_atomically(path, text.encode()) for path, text in self._units().items()]
        timer = f"{self.job.name}.timer"
        tools.systemctl(self.system, "daemon-reload")
        tools.systemctl(self.system, "enable", timer)
        tools.systemctl(self.system, "restart" if any(changed) else "start", timer)
        return any(changed)

    def remove(self) -> bool:
        there = [path for path in self._units() if path.exists()]
        if not there:
            return False
        timer = f"{self.job.name}.timer"
        tools.systemctl(self.system, "disable", "--now", timer)
        tools.systemctl(self.system, "clean", "--what=state", timer, check=False)  # when it last ran
        with explain_os_errors("the directory of the units"):
            for path in there:
                atomic_write.remove_file(path)
        tools.systemctl(self.system, "daemon-reload")
        tools.systemctl(self.system, "reset-failed", f"{self.job.name}.service", check=False)
        return True

    def status(self) -> Status:
        if not all(path.exists() for path in self._units()):
            return Status(installed=False)
        timer = self._shows(f"{self.job.name}.timer", "LastTriggerUSec", "NextElapseUSecRealtime")
        service = self._shows(f"{self.job.name}.service", "Result", "ExecMainStatus")
        last = timer.get("LastTriggerUSec")
        result = f"exit status {service.get('ExecMainStatus', '?')}, {service.get('Result', '?')}" if last else None
        return Status(installed=True, last=last, result=result, next=timer.get("NextElapseUSecRealtime"))

    def _shows(self, unit: str, *names: str) -> dict[str, str]:
        """The properties that have a value."""
        text = tools.systemctl(self.system, "show", unit, *(f"--property={name}" for name in names))
        pairs = (line.partition("=") for line in text.splitlines())
        return {name: value for name, _, value in pairs if value not in {"", "n/a"}}

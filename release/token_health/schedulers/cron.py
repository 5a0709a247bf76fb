"""cron: a marked block in the user's crontab, so that it can be found again and nothing else is changed.

Source: crontab(5) of Debian's cron and of cronie.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from release.adapters.system import safe_write
from release.adapters.system.system import System
from release.core.errors import ReleaseError, ToolError, UsageError
from release.token_health.schedulers import base, cron_expression
from release.token_health.schedulers.base import MachineScheduler, ScheduledJob, ScheduleRequest, ScheduleStatus

#: the longest command that cron reads, in characters. Source: vixie cron, `MAX_COMMAND`
_LONGEST_COMMAND = 998


class Cron(MachineScheduler):
    """A line of the user's crontab."""

    def __init__(self, system: System, request: ScheduleRequest) -> None:
        super().__init__(system, request)
        self._bus = session_bus(system.env, base.user_id())
        if self._bus is not None:
            session = {"XDG_RUNTIME_DIR": str(self._bus.parent), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._bus}"}
            self.job = replace(self.job, env={**session, **self.job.env})
        without_path = replace(self.job, env={name: value for name, value in self.job.env.items() if name != "PATH"})
        if "PATH" in self.job.env and not fits(self.job) and fits(without_path):
            note = "$PATH is too long for cron, and is not passed to the job; use absolute paths for programs"
            self.job = replace(without_path, notes=(*self.job.notes, note))

    @property
    def keyring(self) -> str:
        if self._bus is not None:
            return f"through the session bus at {self._bus}, which exists while you are logged in"
        return (
            "not available, because there is no session bus under /run/user; tokens in a keyring cannot be read (exit "
            "status 6); log in on this machine, or store the token in a file that only you can read"
        )

    def texts(self) -> dict[str, str]:
        return {"crontab": render_block(self.job)}

    def install(self) -> bool:
        block = render_block(self.job)
        before = read_crontab(self.system)
        after = with_block(before, self.job)
        self.make_log_directory()
        if after == before and block in before:
            return False
        write_crontab(self.system, after)
        return True

    def remove(self) -> bool:
        before = read_crontab(self.system)
        if _find(before, self.job.name) is None:
            return False
        write_crontab(self.system, without_block(before, self.job.name))
        safe_write.remove_file(self.log_path)
        return True

    def status(self) -> ScheduleStatus:
        times = times_of(read_crontab(self.system), self.job.name)
        parsed = [cron_expression.parse_cron(times, "")] if times else []
        return self.status_from_log(installed=times is not None, times=parsed)


def render_block(job: ScheduledJob) -> str:
    """Return the lines of a job with their marks. Raises `UsageError` for what a crontab cannot contain."""
    begin, end = _marks(job.name)
    title = "".join(character for character in job.title if character.isprintable())
    return f"{begin}\n# {title}\n{job.times.text} {render_command(job)}\n{end}\n"


def render_command(job: ScheduledJob) -> str:
    r"""Return the command for a crontab, where `%` would be a line break and is written as `\%`.

    It names its shell, because the crontab may set another one. Its environment applies to this line only; a
    variable on a line of its own would apply to all jobs below it. The log contains the last run and its exit status.
    """
    job.require_printable("a crontab")
    if any("\\" in part for part in (*job.argv, *job.env.values(), job.log)):
        raise UsageError(
            "a path or value with a backslash cannot be written to a crontab, since implementations of cron differ",
            remedy="use --kind systemd, or a path without backslashes",
        )
    words = [*(f"{name}={shlex.quote(value)}" for name, value in job.env.items()), shlex.join(job.argv)]
    script = f'{{ {" ".join(words)}; echo "exit status $?"; }} >{shlex.quote(job.log)} 2>&1'
    line = f"/bin/sh -c {shlex.quote(script)}".replace("%", "\\%")
    if len(line) > _LONGEST_COMMAND:
        raise UsageError(
            f"the command has {len(line)} characters, and cron reads {_LONGEST_COMMAND}",
            remedy="use --kind systemd, or shorter paths",
        )
    return line


def fits(job: ScheduledJob) -> bool:
    """Whether a crontab can contain the command."""
    try:
        render_command(job)
    except UsageError:
        return False
    return True


def with_block(crontab: str, job: ScheduledJob) -> str:
    """Return the crontab with the job's block, which replaces an old one or is appended."""
    found = _find(crontab, job.name)
    if found is None:
        return crontab + ("" if crontab.endswith("\n") or not crontab else "\n") + render_block(job)
    return crontab[: found.start()] + render_block(job) + crontab[found.end() :]


def without_block(crontab: str, name: str) -> str:
    """Return the crontab without the block of a job, and with everything else unchanged."""
    found = _find(crontab, name)
    return crontab if found is None else crontab[: found.start()] + crontab[found.end() :]


def times_of(crontab: str, name: str) -> str | None:
    """Return the five fields of a job's line; None if there is no block."""
    found = _find(crontab, name)
    lines = [line for line in (found[0].splitlines() if found else []) if line and not line.startswith("#")]
    return " ".join(lines[0].split()[:5]) if lines else None


def _find(crontab: str, name: str) -> re.Match[str] | None:
    begin, end = _marks(name)
    found = re.search(rf"^{re.escape(begin)}\n(?:(?!# <<<|# >>>).*\n)*{re.escape(end)}(?:\n|\Z)", crontab, re.MULTILINE)
    marks = [line for line in crontab.splitlines() if line in {begin, end}]
    if marks != ([] if found is None else [begin, end]):
        raise ReleaseError(
            f"the marks of {name!r} in the crontab are incomplete, duplicated, or enclose other lines",
            remedy="run: crontab -e, and remove the lines of that job with their marks",
        )
    return found


def _marks(name: str) -> tuple[str, str]:
    return f"# >>> {name}: pypi-preflight schedule >>>", f"# <<< {name} <<<"


def read_crontab(system: System) -> str:
    """Return the user's crontab, empty if there is none. Raises `ToolError`."""
    return _crontab(system, "-l")


def write_crontab(system: System, text: str) -> None:
    """Replace the user's crontab, or remove it if `text` is empty. Raises `ToolError`."""
    _crontab(system, "-" if text else "-r", text or None)


def _crontab(system: System, option: str, text: str | None = None) -> str:
    hint = "install cron (Debian: apt install cron), or use --kind systemd"
    done = base.run_tool(system, ["crontab", option], hint=hint, text=text)
    if done.status == 0 or (option == "-l" and "no crontab for" in done.errors.lower()):
        return done.output
    message = base.last_line(done)
    if any(phrase in message.lower() for phrase in ("not allowed", "permission", "must be suid")):
        raise ToolError(
            f"you may not use crontab: {message!r}",
            remedy="ask the administrator of this machine to add you to /etc/cron.allow, or use --kind systemd",
        )
    raise ToolError(f"crontab failed: {message!r}", remedy="run: crontab -e, and correct what it reports")


def session_bus(env: Mapping[str, str], user: int, run: Path = Path("/run/user")) -> Path | None:
    """Return the socket of the user's D-Bus session, through which a keyring is accessed; None if there is none.

    Only the one that outlives a terminal session is considered.
    Source: systemd, file-hierarchy(7), `/run/user/`; XDG Base Directory Specification.
    """
    for runtime in (env.get("XDG_RUNTIME_DIR"), str(run / str(user))):
        if runtime and (Path(runtime) / "bus").is_socket():
            return Path(runtime) / "bus"
    return None

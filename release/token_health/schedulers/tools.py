"""The schedulers of the platforms, each through its own program."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.adapters.system.process import Completed, TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError

#: seconds that a scheduler gets to answer
_PATIENCE = 60.0


def user_id() -> int:
    """The user's number; 0 where users have none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def session_bus(env: Mapping[str, str], user: int, run: Path = Path("/run/user")) -> Path | None:
    """The socket of the user's own D-Bus session, if it is there; a keyring is reached by it.

    Only the one that outlives the session of a terminal is looked for.
    Source: systemd, file-hierarchy(7), `/run/user/`; XDG Base Directory Specification.
    """
    for runtime in (env.get("XDG_RUNTIME_DIR"), str(run / str(user))):
        if runtime and (Path(runtime) / "bus").is_socket():
            return Path(runtime) / "bus"
    return None


def has(env: Mapping[str, str], program: str) -> bool:
    """Whether a program is on PATH."""
    return shutil.which(program, path=env.get("PATH")) is not None


def crontab(system: System) -> str:
    """The user's crontab; empty where there is none. Raises `ToolError`."""
    done = _run(system, ["crontab", "-l"], hint="install cron (Debian: apt install cron), or use --kind systemd")
    if done.status == 0:
        return done.output
    if "no crontab for" in done.errors.lower():
        return ""
    raise _cron_failed(done)


def set_crontab(system: System, text: str) -> None:
    """Make `text` the user's crontab; none at all where it is empty. Raises `ToolError`."""
    done = _run(system, ["crontab", "-"], input=text) if text else _run(system, ["crontab", "-r"])
    if done.status:
        raise _cron_failed(done)


def _cron_failed(done: Completed) -> ToolError:
    said = _last_words(done)
    if "not allowed" in said.lower() or "permission" in said.lower() or "must be suid" in said.lower():
        return ToolError(
            f"crontab does not let you have one: {said!r}",
            remedy="ask who runs this machine to add you to /etc/cron.allow, or use --kind systemd",
        )
    return ToolError(f"crontab refused: {said!r}", remedy="run: crontab -e, and mend what it complains about")


def systemctl(system: System, *words: str, check: bool = True) -> str:
    """What `systemctl --user` writes. Raises `ToolError`, whose remedy is for a user without a manager."""
    done = _run(system, ["systemctl", "--user", *words], hint="this machine has no systemd: use --kind cron")
    said = _last_words(done)
    if done.status and ("to bus" in said or "not been booted with systemd" in said or "user scope bus" in said):
        raise ToolError(
            f"systemd of this user can't be reached: {said!r}",
            remedy="log in as this user, not by su or sudo; or run: loginctl enable-linger; or use --kind cron",
        )
    if done.status and check:
        raise ToolError(
            f"systemctl --user {words[0]} failed: {said!r}", remedy=f"run: systemctl --user status {words[-1]}"
        )
    return done.output


def launchctl(system: System, *words: str) -> Completed:
    """How `launchctl` ended. Raises `ToolError` where it can't be run."""
    return _run(system, ["launchctl", *words], hint="launchd is macOS' own: use another --kind here")


def schtasks(system: System, *words: str) -> Completed:
    """How `schtasks` ended. Raises `ToolError` where it can't be run."""
    return _run(system, ["schtasks", *words], hint="Task Scheduler is Windows' own: use another --kind here")


def refused(program: str, done: Completed) -> ToolError:
    """What is to be raised where `launchctl` or `schtasks` ended with a failure."""
    denied = "access is denied" in _last_words(done).lower() or "not permitted" in _last_words(done).lower()
    return ToolError(
        f"{program} failed ({done.status}): {_last_words(done)!r}",
        remedy="run it as the user who is logged in, not as another by su, sudo or ssh"
        if denied
        else "run the same command with --print, and hand the text to the platform's own tool to see more",
    )


def _run(
    system: System,
    argv: Sequence[str],
    *,
    hint: str = "put its directory on PATH",
    input: str | None = None,  # noqa: A002 - subprocess calls it so
) -> Completed:
    env = {**system.env, "LC_ALL": "C"}  # its words are read
    if not has(env, argv[0]):
        raise ToolError(f"no program {argv[0]!r} on PATH", remedy=hint)
    try:
        return system.run(argv, env=env, timeout=_PATIENCE, apart=True, input=input)
    except TimedOutError as error:
        raise ToolError(error.message, remedy=error.remedy) from None


def _last_words(done: Completed) -> str:
    lines = (done.errors or done.output).strip().splitlines()
    return lines[-1].strip() if lines else f"exit status {done.status}"

"""A service and a timer for the user's systemd.

Sources: systemd.service(5), "Command lines"; systemd.exec(5), "Sandboxing"; systemd.timer(5); systemd.time(7),
"Calendar events".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from release.token_health.schedulers.command import Job, one_line
from release.token_health.schedulers.cron_expression import When

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")

#: All that the user's own manager can enforce without a namespace, in which neither the session bus nor a
#: password manager would know the user. AF_NETLINK is for name resolution.
_HARDENING = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


def service(job: Job) -> str:
    """The unit that runs the command once. Raises `UsageError` for what no unit can say.

    The colon before the program keeps systemd from replacing `$`; a warning of token health (5) is no failure.
    """
    one_line(job, "a systemd unit")
    env = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.env.items())
    return (
        f"# Written by `python -m release schedule`, which also removes it.\n"
        f"# What runs here can't gain rights, as a set-group-id program (1Password's `op`) would want to.\n"
        f"[Unit]\nDescription={_text(job.title)}\n\n"
        f"[Service]\nType=oneshot\nExecStart=:{' '.join(map(_quoted, _program(job.argv)))}\n{env}"
        f"SuccessExitStatus=5\nTimeoutStartSec=1h\nNice=10\n{_HARDENING}"
    )


def timer(job: Job) -> str:
    """The unit that says when. A run that was missed is made up for (`Persistent`)."""
    times = "".join(f"OnCalendar={line}\n" for line in calendar(job.when))
    return (
        f"# Written by `python -m release schedule`, which also removes it.\n"
        f"[Unit]\nDescription={_text(job.title)}\n\n"
        f"[Timer]\n{times}Persistent=true\nRandomizedDelaySec=15min\n\n"
        f"[Install]\nWantedBy=timers.target\n"
    )


def calendar(when: When) -> Iterator[str]:
    """The times as calendar events; each line stands for itself."""
    months = "*" if when.any_of("months") else _numbers(when.months)
    hours = "*" if when.any_of("hours") else _numbers(when.hours)
    minutes = "*" if when.any_of("minutes") else _numbers(when.minutes)
    for days, weekdays in when.alternatives:
        week = "" if weekdays is None else ",".join(_WEEKDAYS[day] for day in weekdays) + " "
        yield f"{week}*-{months}-{'*' if days is None else _numbers(days)} {hours}:{minutes}:00"


def _program(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of the command, of which systemd takes the first one only without quotes and backslashes.

    Observed: systemd 252, "Executable name contains special characters". A shell has no such scruples.
    """
    if not set(argv[0]) & set("\\\"'"):
        return tuple(argv)
    return ("/bin/sh", "-c", 'exec "$@"', "sh", *argv)


def _numbers(values: Iterable[int]) -> str:
    return ",".join(f"{value:02d}" for value in values)


def _quoted(word: str) -> str:
    r"""A word of a command line: `%` begins a specifier, `\` an escape."""
    return '"' + _text(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return text.replace("%", "%%")

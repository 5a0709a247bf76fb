"""What every scheduler provides, the job that it runs, and what the schedulers of a machine have in common."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from release.adapters.system.process import Completed, TimedOutError
from release.adapters.system.program_path import find_program
from release.adapters.system.system import System, explain_os_errors
from release.checks.all_checks import check_names
from release.core.child_environment import without_credentials
from release.core.errors import ReleaseError, ToolError, UsageError
from release.core.harmless import harmless_lines
from release.core.quoting import quote_path
from release.token_health.schedulers.cron_expression import CronExpression, parse_cron

if TYPE_CHECKING:
    from release.token_health.fleet import Fleet


class ScheduleStatus(Struct, frozen=True, kw_only=True):
    """The status of a job. The times are text for people."""

    installed: bool
    #: when it last ran; None: never, or unknown
    last: str | None = None
    #: how the last run ended
    result: str | None = None
    #: when it runs next; None: never
    next: str | None = None

    def to_text(self, kind: str, name: str) -> list[str]:
        """Return lines for people; `kind` and `name` are those of the scheduler and the job."""
        if not self.installed:
            return [f"{name}: not installed ({kind})"]
        return [
            f"{name}: installed ({kind})",
            f"  last run: {self.last or 'never, or unknown'}{f' ({self.result})' if self.result else ''}",
            f"  next run: {self.next or 'none'}",
        ]


class Scheduler(Protocol):
    """One way to run the job. Methods that call the platform raise `ReleaseError`."""

    times: CronExpression

    @property
    def time_zone(self) -> str:
        """The time zone of `times`."""

    @property
    def output(self) -> str:
        """Where the output of the job goes."""

    @property
    def keyring(self) -> str:
        """How the job accesses a keyring, or why it cannot."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What else the user has to know. Raises `ConfigError`."""

    def texts(self) -> Mapping[str, str]:
        """Return everything that `install` writes: where it goes → text."""

    def install(self) -> bool:
        """Install the job. Returns whether anything changed."""

    def remove(self) -> bool:
        """Remove the job and everything that `install` wrote. Returns whether anything was removed."""

    def status(self) -> ScheduleStatus:
        """Return the status of the job."""


class MachineScheduler:
    """A scheduler of this machine, with a log file unless the platform stores the output."""

    for_windows = False
    time_zone = "local time"

    def __init__(self, system: System, request: ScheduleRequest) -> None:
        self.system = system
        self.job = build_job(system, request, for_windows=self.for_windows)
        self.times = self.job.times
        self.log_path = Path(self.job.log)
        self._request = request

    @property
    def output(self) -> str:
        return f"{self.job.log} (the last run)"

    @property
    def notes(self) -> tuple[str, ...]:
        names = secret_variables(self._request, notify=True)
        unset = f"${', $'.join(names)}: not set in scheduled jobs; store the value in a keyring or file instead"
        return (*self.job.notes, unset) if names else self.job.notes

    def make_log_directory(self) -> None:
        with explain_os_errors("the log directory"):
            self.log_path.parent.mkdir(parents=True, exist_ok=True)

    def status_from_log(self, *, installed: bool, times: Sequence[CronExpression] = ()) -> ScheduleStatus:
        """Return the status according to the log and the clock; `times` are those of the installed job."""
        last, result = None, None
        if self.log_path.is_file():
            last = _format_time(datetime.fromtimestamp(self.log_path.stat().st_mtime, UTC).astimezone())
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
            result = next((line for line in reversed(lines) if line.startswith("exit status")), None)
        now = self.system.now().astimezone()
        following = min((time for one in times if (time := one.next_after(now)) is not None), default=None)
        return ScheduleStatus(
            installed=installed, last=last, result=result, next=_format_time(following) if following else None
        )


def explain_job(system: System, request: ScheduleRequest, kind: str, scheduler: Scheduler) -> list[str]:
    """Return what the job does, where its output goes, how it accesses a keyring, and notes. Raises `ConfigError`."""
    first = scheduler.times.next_after(system.now().astimezone())
    fields = "minute, hour, day, month, weekday" + (f", next on {first:%Y-%m-%d}" if first else "")
    times = f"{scheduler.times.text!r} ({scheduler.time_zone}: {fields})"
    return [
        f"Schedule: {kind} checks every token of {quote_path(request.target)} at {times}; it changes nothing.",
        f"Output: {scheduler.output}. Exit status: 0 healthy, 1 broken, 5 warnings, 6 unknown.",
        f"Keyring: {scheduler.keyring}.",
        *(f"Note: {note}" for note in scheduler.notes),
    ]


def run_tool(system: System, argv: Sequence[str], *, hint: str, text: str | None = None) -> Completed:
    """Run a scheduler's program, for a minute at most. Raises `ToolError`; `hint` is the remedy if it is missing."""
    env = {**without_credentials(system.env, "scheduler"), "LC_ALL": "C"}  # its messages are parsed
    if find_program(argv[0], env.get("PATH", os.defpath)) is None:
        raise ToolError(f"no program {argv[0]!r} on PATH", remedy=hint)
    try:
        return system.run(argv, env=env, timeout=60.0, apart=True, input=text)
    except TimedOutError as error:
        raise ToolError(error.message, remedy=error.remedy) from None


def require_success(program: str, done: Completed) -> None:
    """Raise `ToolError` if `launchctl` or `schtasks` failed."""
    if not done.status:
        return
    message = last_line(done)
    remedy = "run the same command with --print, and pass its output to the platform's own tool for details"
    if "access is denied" in message.lower() or "not permitted" in message.lower():
        remedy = "run it as the user who is logged in, not through su, sudo or ssh"
    raise ToolError(f"{program} failed ({done.status}): {message!r}", remedy=remedy)


def last_line(done: Completed) -> str:
    """Return the last line that a program wrote, or its exit status."""
    lines = (done.errors or done.output).strip().splitlines()
    return lines[-1].strip() if lines else f"exit status {done.status}"


def user_id() -> int:
    """Return the numeric id of the user; 0 on Windows."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _format_time(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z").strip()


#: environment variables that a job needs with their present values, since schedulers do not pass them on; none of
#: them is meant for secrets
_PASSED_ON = (
    "PATH", "PYTHON_KEYRING_BACKEND", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY",
    "no_proxy", "PYPI_PREFLIGHT_STATE",
)  # fmt: skip


class ScheduleRequest(Struct, frozen=True, kw_only=True):
    """Which tokens to check, and when."""

    directory: Path
    #: the fleet file; None: the directory's project, or the fleet in its configuration
    fleet: Path | None = None
    #: the configuration file, if it is not the project's
    config: Path | None = None
    #: "day", "week", or the five fields of cron
    every: str = "day"
    #: the file that each run writes metrics to; None: no metrics
    metrics: Path | None = None

    @property
    def target(self) -> Path:
        return self.fleet or self.directory

    @property
    def options(self) -> dict[str, Path]:
        """The target as command-line options. A fleet does not depend on the directory."""
        if self.fleet is not None:
            return {"--fleet": self.fleet}
        return {"--directory": self.directory} | ({"--config": self.config} if self.config else {})


class ScheduledJob(Struct, frozen=True, kw_only=True):
    """A command and its times. It contains no secrets."""

    #: letters, digits and hyphens; unique to the directory or fleet
    name: str
    #: one line of description
    title: str
    #: program and arguments, with absolute paths
    argv: tuple[str, ...]
    #: environment variables that the scheduler does not provide
    env: Mapping[str, str] = field(default_factory=dict)
    times: CronExpression
    #: absolute path of the file for the output of the last run, unless the scheduler stores it
    log: str
    #: one sentence for each variable that was left out of `env`
    notes: tuple[str, ...] = ()

    def require_printable(self, target: str) -> None:
        """Raise `UsageError` if a control character would break the format of `target`, or what is printed of it."""
        for part in (*self.argv, *self.env.values(), self.log):
            if harmless_lines(part) != part or not part.isprintable():
                remedy = "rename it, without control characters and '##['"
                raise UsageError(f"{part!r} cannot be written to {target}", remedy=remedy)


def job_name(request: ScheduleRequest) -> str:
    """Return the name of the job. It depends on the target, not on the times."""
    key = "\0".join(str(path) for path in request.options.values())
    slug = re.sub(r"[^a-z0-9]+", "-", request.target.stem.lower()).strip("-")[:24] or "tokens"
    return f"pypi-preflight-{slug}-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def parse_times(system: System, request: ScheduleRequest) -> CronExpression:
    """Return the times of the job. Raises `UsageError` if they cannot be parsed or never occur."""
    times = parse_cron(request.every, job_name(request))
    if times.next_after(system.now().astimezone()) is None:
        raise UsageError(f"{request.every!r} never occurs", remedy="use a day that exists in the given month")
    return times


def build_job(system: System, request: ScheduleRequest, *, for_windows: bool = False) -> ScheduledJob:
    """Return the job for a machine's scheduler. Raises `UsageError`.

    A Windows task has the variables of its user, and stores its output itself.
    """
    from platformdirs import user_log_path

    env, notes = ({}, ()) if for_windows else _environment(system.env)
    words = [word for option, path in request.options.items() for word in (option, str(path))]
    words += ["--metrics", str(request.metrics)] if request.metrics else []
    with suppress(ReleaseError):  # a broken fleet is reported elsewhere, so that `remove` works
        notify = load_fleet(request).notify
        words += ["--notify"] if notify.channels or notify.ping is not None else []
    log = user_log_path("pypi-preflight", appauthor=False) / f"{job_name(request)}.log"
    # -P keeps modules of the current directory from shadowing ours
    program = [sys.executable, "-P", "-m", "pypi_preflight"]
    if for_windows:  # the program writes the log itself, without the console window that `python.exe` would open
        windowless = Path(sys.executable).with_name("pythonw.exe")
        python = windowless if windowless.is_file() else sys.executable
        program = [str(python), "-P", "-m", "pypi_preflight.windows_task", str(log)]
    return ScheduledJob(
        name=job_name(request), title=f"Check the tokens of {request.target}",
        argv=(*program, "tokens", *words), env=env, times=parse_times(system, request), log=str(log), notes=notes,
    )  # fmt: skip


def _environment(env: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    from release.core.redaction import redact

    found = {key: env[key] for key in _PASSED_ON if env.get(key)}
    if "PATH" in found:
        found["PATH"] = os.pathsep.join(dict.fromkeys(found["PATH"].split(os.pathsep)))
    unsafe = sorted(
        key
        for key, value in found.items()
        # a token, a password in a URL, or a control character
        if redact(value) != value or re.search(r"://[^/\s]*@", value) or not value.isprintable()
    )
    notes = tuple(f"${key} contains a secret or control characters, and is not passed to the job" for key in unsafe)
    return {key: value for key, value in found.items() if key not in unsafe}, notes


def load_fleet(request: ScheduleRequest) -> Fleet:
    """Load the fleet from its file or from the configuration. Raises `ConfigError`."""
    from release.adapters import project_config
    from release.token_health import fleet

    if request.fleet is not None:
        return fleet.load_fleet_file(request.fleet)
    config = project_config.load_config(request.directory, request.config, check_names=check_names, needs_project=False)
    return fleet.parse_fleet(config.fleet, config.indexes)


def secret_variables(request: ScheduleRequest, *, notify: bool) -> tuple[str, ...]:
    """Return the environment variables that hold tokens, and with `notify` also addresses and passwords of channels.

    Raises `ConfigError`.
    """
    from release.core.models.secret_location import EnvironmentVariable

    fleet = load_fleet(request)
    locations = [*(entry.location for entry in fleet.entries), *(fleet.notify.locations if notify else ())]
    return tuple(dict.fromkeys(one.name for one in locations if isinstance(one, EnvironmentVariable)))

"""The scheduled job: what the user asks for, and the command that runs."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.system.system import System
from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers import cron_expression
from release.token_health.schedulers.cron_expression import CronExpression

if TYPE_CHECKING:
    from release.token_health.fleet import Fleet

#: environment variables that a job needs with their present values, since schedulers do not pass them on; none of
#: them is meant for secrets
_PASSED_ON = (
    "PATH", "PYTHON_KEYRING_BACKEND", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY",
    "no_proxy", "PYPI_PREFLIGHT_STATE",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledJob:
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
        """Raise `UsageError` if a line break or another control character would break the format of `target`."""
        for part in (*self.argv, *self.env.values(), self.log):
            if not part.isprintable():
                raise UsageError(
                    f"{part!r} cannot be written to {target}", remedy="rename it, without control characters"
                )


def job_name(request: ScheduleRequest) -> str:
    """Return the name of the job. It depends on the target, not on the times."""
    key = "\0".join(str(path) for path in request.options.values())
    slug = re.sub(r"[^a-z0-9]+", "-", request.target.stem.lower()).strip("-")[:24] or "tokens"
    return f"pypi-preflight-{slug}-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def parse_times(system: System, request: ScheduleRequest) -> CronExpression:
    """Return the times of the job. Raises `UsageError` if they cannot be parsed or never occur."""
    times = cron_expression.parse_cron(request.every, job_name(request))
    if times.next_after(local_time(system)) is None:
        raise UsageError(f"{request.every!r} never occurs", remedy="use a day that exists in the given month")
    return times


def local_time(system: System) -> datetime:
    """Return the present local time, aware."""
    return system.now().astimezone()


def build_job(system: System, request: ScheduleRequest, *, for_windows: bool = False) -> ScheduledJob:
    """Return the job for a machine's scheduler. Raises `UsageError`.

    A Windows task has the variables of its user, and stores its output itself.
    """
    from platformdirs import user_log_path

    env, notes = ({}, ()) if for_windows else _environment(system.env)
    words = [word for option, path in request.options.items() for word in (option, str(path))]
    words += ["--metrics", str(request.metrics)] if request.metrics else []
    words += ["--notify"] if _notifies(request) else []
    log = user_log_path("pypi-preflight", appauthor=False) / f"{job_name(request)}.log"
    return ScheduledJob(
        name=job_name(request), title=f"Check the tokens of {request.target}",
        argv=(*_program(log, for_windows=for_windows), "tokens", *words),
        env=env, times=parse_times(system, request), log=str(log), notes=notes,
    )  # fmt: skip


def _program(log: Path, *, for_windows: bool) -> tuple[str, ...]:
    """Return the command that runs this program with this interpreter.

    `-P` keeps modules of the current directory from shadowing ours. On Windows the program writes its output to the
    log itself, without the console window that `python.exe` would open.
    """
    if not for_windows:
        return sys.executable, "-P", "-m", "release"
    windowless = Path(sys.executable).with_name("pythonw.exe")
    python = windowless if windowless.is_file() else sys.executable
    return str(python), "-P", "-m", "release.cli.windows_task", str(log)


def _environment(env: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables that are passed on, and a note for each that is not."""
    found = {key: env[key] for key in _PASSED_ON if env.get(key)}
    if "PATH" in found:
        found["PATH"] = os.pathsep.join(dict.fromkeys(found["PATH"].split(os.pathsep)))
    unsafe = sorted(key for key, value in found.items() if _may_hold_secret(value) or not value.isprintable())
    notes = tuple(f"${key} contains a secret or control characters, and is not passed to the job" for key in unsafe)
    return {key: value for key, value in found.items() if key not in unsafe}, notes


def _may_hold_secret(value: str) -> bool:
    """Whether a value may contain a token, or a password in a URL."""
    from release.core.redaction import redact

    return redact(value) != value or bool(re.search(r"://[^/\s]*@", value))


def load_fleet(request: ScheduleRequest) -> Fleet:
    """Load the fleet from its file or from the configuration. Raises `ConfigError`."""
    from release.adapters import collect
    from release.token_health import fleet

    if request.fleet is not None:
        return fleet.load_fleet_file(request.fleet)
    config = collect.load_config(request.directory, request.config, needs_project=False)
    return fleet.parse_fleet(config.fleet, config.indexes)


def secret_variables(request: ScheduleRequest, *, notify: bool) -> tuple[str, ...]:
    """Return the environment variables that hold tokens, and with `notify` also addresses and passwords of channels.

    Raises `ConfigError`.
    """
    from release.core.models.secret_location import EnvironmentVariable

    fleet = load_fleet(request)
    locations = [*(entry.location for entry in fleet.entries), *(fleet.notify.locations if notify else ())]
    return tuple(dict.fromkeys(one.name for one in locations if isinstance(one, EnvironmentVariable)))


def _notifies(request: ScheduleRequest) -> bool:
    """Whether the fleet has notification channels. A broken fleet is reported elsewhere, so that `remove` works."""
    with suppress(ReleaseError):
        notify = load_fleet(request).notify
        return bool(notify.channels) or notify.ping is not None
    return False

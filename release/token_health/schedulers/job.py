"""The job that looks at tokens again and again: what it is, and which platform runs it."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from release.adapters import collect
from release.adapters.system.system import System
from release.core.errors import ReleaseError, UsageError
from release.core.models.secret_location import Place, Variable
from release.core.redaction import redact
from release.token_health import fleet as fleets
from release.token_health.fleet import Fleet
from release.token_health.notify.channels import Mail
from release.token_health.schedulers import cron_expression, tools
from release.token_health.schedulers.command import Job
from release.token_health.schedulers.cron_expression import When

Kind = Literal["systemd", "cron", "launchd", "windows", "github", "gitlab"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: What a job needs as it is here, and a scheduler does not hand on. No name that a secret travels under.
_HANDED_ON = (
    "PATH", "PYTHON_KEYRING_BACKEND", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY",
    "no_proxy", "PYPI_PREFLIGHT_STATE",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be looked at, and when."""

    directory: Path
    #: the file of the fleet; None: the directory's project, or the fleet of its configuration
    fleet: Path | None = None
    #: the file of the configuration, if not the project's
    config: Path | None = None
    #: "day", "week", or five fields of cron
    every: str = "day"
    #: where each run writes metrics; None: nowhere
    metrics: Path | None = None

    @property
    def options(self) -> dict[str, Path]:
        """What is looked at, as options of the program. A fleet is the same wherever one stands."""
        if self.fleet is not None:
            return {"--fleet": self.fleet}
        return {"--directory": self.directory} | ({"--config": self.config} if self.config else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job for a machine, and what was left out of it."""

    job: Job
    #: each a line: why a variable does not go with it
    notes: tuple[str, ...] = ()


def kind_here(system: System, platform: str = sys.platform) -> Kind:
    """The platform's own scheduler."""
    match platform:
        case "darwin":
            return "launchd"
        case "win32":
            return "windows"
        case _:
            return "systemd" if tools.has(system.env, "systemctl") and _booted() else "cron"


def _booted() -> bool:
    """Whether systemd runs this machine. Source: sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()


def name(asked: Asked) -> str:
    """The job's name: the same for the same things to look at, whenever they are to be looked at."""
    what = asked.fleet or asked.directory
    key = "\0".join(str(path) for path in asked.options.values())
    slug = re.sub(r"[^a-z0-9]+", "-", what.stem.lower()).strip("-")[:24] or "tokens"
    return f"pypi-preflight-{slug}-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def when(system: System, asked: Asked) -> When:
    """The times. Raises `UsageError` for none at all."""
    found = cron_expression.parse(asked.every, name(asked))
    if found.after(local(system)) is None:
        raise UsageError(f"{asked.every!r} never comes", remedy="name a day that its month has")
    return found


def local(system: System) -> datetime:
    """The time on the clock of the wall, aware."""
    return system.now().astimezone()


def prepare(system: System, asked: Asked, kind: Kind) -> Prepared:
    """The job of a machine. Raises `UsageError`."""
    env, notes = _environment(system.env, kind)
    words = [word for option, path in asked.options.items() for word in (option, str(path))]
    words += ["--metrics", str(asked.metrics)] if asked.metrics else []
    words += ["--notify"] if _tells_people(asked) else []
    log = _logs() / f"{name(asked)}.log"
    job = Job(
        name=name(asked),
        title=f"Look at the tokens of {asked.fleet or asked.directory}",
        argv=(*_program(kind, log), "tokens", *words),
        env=env,
        when=when(system, asked),
        log=str(log),
    )
    return Prepared(job=job, notes=notes)


def _program(kind: Kind, log: Path) -> tuple[str, ...]:
    """This interpreter, with this program.

    `-P`: no module of the current directory stands in for ours. On Windows nothing keeps the output, so the
    program does it itself, without the window that an interpreter with a console would open.
    """
    if kind != "windows":
        return sys.executable, "-P", "-m", "release"
    quiet = Path(sys.executable).with_name("pythonw.exe")
    return str(quiet if quiet.is_file() else sys.executable), "-P", "-m", "release.cli.windows_task", str(log)


def fleet(asked: Asked) -> Fleet:
    """What is to be looked at, as its file or the configuration has it. Raises `ConfigError`."""
    if asked.fleet is not None:
        return fleets.parse_file(collect.load_toml(asked.fleet), str(asked.fleet))
    config = collect.load_config(asked.directory, asked.config, needs_project=False)
    return fleets.parse(config.fleet, config.indexes)


def variables(asked: Asked, *, notify: bool) -> tuple[str, ...]:
    """The environment variables in which the fleet keeps tokens, and with `notify` addresses to tell.

    Raises `ConfigError`.
    """
    found = fleet(asked)
    places: list[Place | None] = [entry.place for entry in found.entries]
    if notify:
        told = found.notify
        places += [one.password if isinstance(one, Mail) else one.address for one in told.channels] + [told.ping]
    return tuple(dict.fromkeys(place.name for place in places if isinstance(place, Variable)))


def _tells_people(asked: Asked) -> bool:
    """Whether the fleet says whom to tell. What is wrong with it is said elsewhere: a job can always be removed."""
    with suppress(ReleaseError):
        notify = fleet(asked).notify
        return bool(notify.channels) or notify.ping is not None
    return False


def _logs() -> Path:
    from platformdirs import user_log_path

    return user_log_path("pypi-preflight", appauthor=False)


def _environment(env: Mapping[str, str], kind: Kind) -> tuple[dict[str, str], tuple[str, ...]]:
    """What goes with the job, and why something does not."""
    if kind == "windows":
        return {}, ()  # a task has the variables of its user, and no others
    found = {key: env[key] for key in _HANDED_ON if env.get(key)}
    if "PATH" in found:
        found["PATH"] = os.pathsep.join(dict.fromkeys(found["PATH"].split(os.pathsep)))
    told = {key for key, value in found.items() if _tells(value) or not value.isprintable()}
    notes = tuple(f"${key} holds a secret or control characters, and does not go with the job" for key in sorted(told))
    return {key: value for key, value in found.items() if key not in told}, notes


def _tells(value: str) -> bool:
    """Whether a value may have a secret in it: a token, or a password in an address."""
    return redact(value) != value or bool(re.search(r"://[^/\s]*@", value))

"""Schedulers that run token checks: those of a machine, and the CI services.

To add one, write a module whose class matches `Scheduler`, and add it to `SCHEDULERS`. CI services come from
`release.publishing.ci.SERVICES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial

from release.adapters.system.system import System
from release.publishing.ci import SERVICES
from release.token_health.schedulers import systemd
from release.token_health.schedulers.base import Scheduler
from release.token_health.schedulers.ci_service import CiService
from release.token_health.schedulers.cron import Cron
from release.token_health.schedulers.job import ScheduleRequest
from release.token_health.schedulers.launchd import Launchd
from release.token_health.schedulers.systemd import Systemd
from release.token_health.schedulers.windows import TaskScheduler

#: name, as `schedule --kind` takes it → makes the scheduler of a request; raises `UsageError`
SCHEDULERS: Mapping[str, Callable[[System, ScheduleRequest], Scheduler]] = {
    "systemd": Systemd,
    "cron": Cron,
    "launchd": Launchd,
    "windows": TaskScheduler,
    **{name: partial(CiService, service=name) for name in SERVICES},
}


def default_kind(system: System, platform: str = sys.platform) -> str:
    """Return the name of the platform's own scheduler."""
    match platform:
        case "darwin":
            return "launchd"
        case "win32":
            return "windows"
        case _:
            return "systemd" if systemd.is_running(system.env) else "cron"

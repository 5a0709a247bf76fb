"""Schedulers that run token checks: those of a machine, and the CI services.

To add one, write a module whose class matches `Scheduler`, and add it to `SCHEDULERS`. CI services come from
`release.publishing.ci.SERVICES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from release.core.lazy_registry import LazyRegistry
from release.publishing.ci import SERVICES

if TYPE_CHECKING:
    from release.adapters.system.system import System
    from release.token_health.schedulers.base import Scheduler, ScheduleRequest

#: name, as `schedule --kind` takes it → makes the scheduler of a request and its kind; raises `UsageError`
SCHEDULERS: Mapping[str, Callable[[System, ScheduleRequest], Scheduler]] = LazyRegistry(
    {
        "systemd": "release.token_health.schedulers.systemd:Systemd",
        "cron": "release.token_health.schedulers.cron:Cron",
        "launchd": "release.token_health.schedulers.launchd:Launchd",
        "windows": "release.token_health.schedulers.windows:TaskScheduler",
        **{name: f"release.token_health.schedulers.ci_service:{name}" for name in SERVICES},
    }
)


def default_kind(system: System, platform: str = sys.platform) -> str:
    """Return the name of the platform's own scheduler."""
    from release.token_health.schedulers import systemd

    match platform:
        case "darwin":
            return "launchd"
        case "win32":
            return "windows"
        case _:
            return "systemd" if systemd.is_running(system.env) else "cron"

"""How many processors this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_processors(groups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """The processors that this process may run on, within the quota of its container (Linux); at least 1.

    Source: Linux, `Documentation/admin-guide/cgroup-v2.rst`, `cpu.max`; `Documentation/scheduler/sched-bwc.rst` for
    the files of version 1.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    files = (["cpu.max"], [f"./{_group(own)}/cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"])
    return max(1, min(count, *(_quota([groups / name for name in names], count) for names in files)))


def _group(own: Path) -> str:
    """The group of this process, relative to the root of all groups; empty if unknown."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    return next((line.removeprefix("0::").lstrip("/") for line in lines if line.startswith("0::")), "")


def _quota(files: Iterable[Path], without: int) -> int:
    """A quota in whole processors; `without` where none is set: "max" or -1."""
    try:
        quota, period = "\n".join(path.read_text(encoding="ascii") for path in files).split()
        return without if quota in {"max", "-1"} else int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return without

"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_processors(groups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """The processors that this process may run on, within the quota of its container (Linux); at least 1.

    Source: Linux, `Documentation/admin-guide/cgroup-v2.rst`, `cpu.max`.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, *(_quota(groups / path / "cpu.max", count) for path in ("", _group(own)))))


def _group(own: Path) -> str:
    """The group of this process, relative to the root of all groups; empty if unknown."""
    try:
        lines = own.read_text().splitlines()
    except (OSError, ValueError):
        return ""
    return next((line.removeprefix("0::").lstrip("/") for line in lines if line.startswith("0::")), "")


def _quota(path: Path, without: int) -> int:
    try:
        quota, period = path.read_text().split()
        return without if quota == "max" else int(quota) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return without

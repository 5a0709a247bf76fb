"""A job object of Windows, whose processes end when this process ends, in whatever way.

Source: Microsoft, "Job Objects" and "JOBOBJECT_BASIC_LIMIT_INFORMATION": JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE.
"""

from __future__ import annotations

import sys
from subprocess import Popen

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes
    from functools import cache

    _KILL_ON_JOB_CLOSE = 0x2000
    _EXTENDED_LIMIT_INFORMATION = 9

    class _BasicLimits(ctypes.Structure):
        _fields_ = [
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER), ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD), ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t), ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t), ("PriorityClass", wintypes.DWORD), ("SchedulingClass", wintypes.DWORD),
        ]  # fmt: skip

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = [
            ("BasicLimitInformation", _BasicLimits), ("IoInfo", ctypes.c_ulonglong * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t), ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t), ("PeakJobMemoryUsed", ctypes.c_size_t),
        ]  # fmt: skip

    @cache
    def _job() -> int | None:
        """The handle of the job, which stays open until this process ends; None where there can be none."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        job: int | None = kernel.CreateJobObjectW(None, None)
        if not job:
            return None
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
        size = ctypes.sizeof(limits)
        done = kernel.SetInformationJobObject(
            wintypes.HANDLE(job), _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size
        )
        return job if done else None

    def add_process(process: Popen[str] | Popen[bytes]) -> None:
        """Let the process, and all that it starts, end with this one; where Windows refuses, nothing changes."""
        job = _job()
        if job is not None:
            kernel = ctypes.WinDLL("kernel32", use_last_error=True)
            handle = int(process._handle)  # type: ignore[attr-defined] # noqa: SLF001 - the only one that Popen has
            kernel.AssignProcessToJobObject(wintypes.HANDLE(job), wintypes.HANDLE(handle))

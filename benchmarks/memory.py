"""Measure the memory of processes: the peak resident set of each kind, sampled from /proc; 0 outside Linux."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: seconds between two samples
_EVERY = 0.03


@contextmanager
def watched(**marks: str) -> Iterator[dict[str, int]]:
    """Yield bytes by kind: the largest descendant process whose command line contains the kind's mark."""
    peaks, over = dict.fromkeys(marks, 0), threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            for argv, peak in _below(os.getpid()):
                for kind, mark in marks.items():
                    if mark in argv:
                        peaks[kind] = max(peaks[kind], peak)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def _below(root: int) -> Iterator[tuple[str, int]]:
    """Yield command line and VmHWM, in bytes, of each process that descends from `root`."""
    found = {int(one["Pid"]): one for one in map(_status, Path("/proc").glob("[0-9]*")) if "VmHWM" in one}
    for number, one in found.items():
        above = int(one["PPid"])
        while above in found and above != root:
            above = int(found[above]["PPid"])
        if above == root:
            yield _argv(Path("/proc") / str(number)), int(one["VmHWM"].split()[0]) * 1024


def _status(process: Path) -> Mapping[str, str]:
    try:
        text = (process / "status").read_text()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _argv(process: Path) -> str:
    try:
        return (process / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""

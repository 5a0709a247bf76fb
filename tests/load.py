"""Run a command on a busy machine: `python tests/load.py COMMAND …`, with the command's exit status.

Four processes of ordinary priority run beside it until it ends: two compute, one writes and reads memory, one writes
and removes files. Two processors are then busy twice over, before the command does anything.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_MEGABYTE = 1 << 20


def _compute(_directory: str) -> None:
    number = 1
    while True:
        number = number * 6364136223846793005 % (1 << 64)


def _use_memory(_directory: str) -> None:
    while True:
        held = [bytearray(os.urandom(_MEGABYTE)) for _ in range(200)]
        for block in held:
            block.reverse()


def _use_disk(directory: str) -> None:
    while True:
        for number in range(50):
            with Path(directory, str(number)).open("wb") as file:
                file.write(bytes(_MEGABYTE))
                os.fsync(file.fileno())
        for path in Path(directory).iterdir():
            path.unlink()


LOADS: tuple[Callable[[str], None], ...] = (_compute, _compute, _use_memory, _use_disk)


def run_under_load(words: list[str]) -> int:
    """Run a command beside `LOADS`; returns its exit status."""
    with tempfile.TemporaryDirectory(prefix="load-") as directory:
        busy = [multiprocessing.Process(target=load, args=[directory], daemon=True) for load in LOADS]
        for process in busy:
            process.start()
        try:
            return subprocess.run(words, check=False).returncode
        finally:
            for process in busy:
                process.terminate()
                process.join()


if __name__ == "__main__":
    sys.exit(run_under_load(sys.argv[1:]))

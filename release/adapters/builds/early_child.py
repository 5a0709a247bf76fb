"""Starts the program that runs `build` before it is known what is built: it imports `build` in the meantime.

A wrong guess, as before a wrong option, costs time and nothing else.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from release.adapters.system.guardian import prepare_guard
from release.adapters.system.own_group import OWN_GROUP
from release.adapters.system.processors import usable_processors
from release.core.child_environment import without_credentials

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from build_child import run_build; del sys.path[0]; "
    "run_build.main()"
)
#: starts `build_child`, which alone is imported from the directory, in the interpreter that runs this program.
#: -P: a directory `build/` in the project would be imported instead of the program
PROGRAM = (sys.executable, "-P", "-c", _BOOT, str(Path(__file__).parent))
#: what Python reads when it starts
_VARIABLES = {"PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
#: the program that waits for its arguments, one at most
_waiting: list[subprocess.Popen[str]] = []


def start_build_early(env: Mapping[str, str]) -> None:
    """Start it without the arguments, if there is a processor for it."""
    if usable_processors() < 2 or _waiting:  # noqa: PLR2004 - this process uses one
        return
    passed, pipe = without_credentials(env) | _VARIABLES, subprocess.PIPE
    passed.pop("PYTHONPATH", None)
    prepare_guard()
    with suppress(OSError):
        _waiting.append(
            subprocess.Popen(
                PROGRAM, env=passed, encoding="utf-8", errors="replace", stdin=pipe, stdout=pipe,
                stderr=subprocess.STDOUT, **OWN_GROUP,
            )
        )  # fmt: skip
        atexit.register(_end)


def take_early_build() -> subprocess.Popen[str] | None:
    """The program that was started, for its first and only use; None where there is none that still runs."""
    while _waiting:
        process = _waiting.pop()
        if process.poll() is None:
            return process
        _close(process)
    return None


def _end() -> None:
    while _waiting:
        _close(_waiting.pop())


def _close(process: subprocess.Popen[str]) -> None:
    process.kill()
    with suppress(OSError), process:  # closes its pipes, and waits for it
        pass

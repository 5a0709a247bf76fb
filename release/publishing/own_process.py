"""Starts child processes that do a part of this one's work on another processor; see `own_process_child`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import release
from release.adapters.system.guardian import prepare_guard
from release.adapters.system.own_group import OWN_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from release.adapters.system.process import Pipe

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from release.publishing.own_process_child import serve; "
    "serve(*sys.argv[2:])"
)
#: what a child gets of the environment: the language of messages, the place of temporary files, and what Windows needs
PASSED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")


def start_own_process(module: str, function: str, env: Mapping[str, str]) -> Pipe:
    """Start a child that handles requests with what `function` of `module` returns. Raises `OSError`."""
    from release.adapters.system.process import Pipe

    return Pipe.of(launch_own_process(module, function, env))


def launch_own_process(module: str, function: str, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The same as a bare process, for `Pipe.of`, which takes longer to be imported. Raises `OSError`."""
    if not sys.executable:
        raise OSError("the program of Python is unknown")
    # -I and -S: neither the environment nor the directories of users and of .pth files change what is imported
    options = ["-S", *(["-B"] if sys.dont_write_bytecode else [])]
    argv = [sys.executable, "-I", *options, "-c", _BOOT, str(Path(release.__file__).parents[1]), module, function]
    passed, pipe = {name: env[name] for name in PASSED if name in env}, subprocess.PIPE
    # the child notices itself that this process has ended: a guard would be one more process
    prepare_guard()
    process = subprocess.Popen(argv, env=passed, stdin=pipe, stdout=pipe, stderr=pipe, **OWN_GROUP)
    try:
        assert process.stdin is not None
        path = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100 - "" is a directory
        process.stdin.write(json.dumps({"path": path}).encode() + b"\n")
        process.stdin.flush()
    except OSError:
        process.kill()
        with suppress(OSError), process:  # closes its pipes, and waits for it
            pass
        raise
    return process

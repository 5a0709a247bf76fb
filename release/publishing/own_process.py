"""Starts child processes that do a part of this one's work on another processor; see `own_process_child`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import release
from release.adapters.system.process import Pipe

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from release.publishing.own_process_child import serve; "
    "serve(*sys.argv[2:])"
)
#: what a child gets of the environment: the language of messages, the place of temporary files, and what Windows needs
PASSED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")


def start_own_process(module: str, function: str, env: Mapping[str, str]) -> Pipe:
    """Start a child that handles requests with what `function` of `module` returns. Raises `OSError`."""
    if not sys.executable:
        raise OSError("the program of Python is unknown")
    # -I and -S: neither the environment nor the directories of users and of .pth files change what is imported
    options = ["-S", *(["-B"] if sys.dont_write_bytecode else [])]
    argv = [sys.executable, "-I", *options, "-c", _BOOT, str(Path(release.__file__).parents[1]), module, function]
    # the child notices itself that this process has ended: a guard would be one more process
    pipe = Pipe(argv, {name: env[name] for name in PASSED if name in env}, guarded=False)
    try:
        pipe.write({"path": [os.path.abspath(path) for path in sys.path]})  # noqa: PTH100 - "" is a directory
    except OSError:
        pipe.kill()
        pipe.close()
        raise
    return pipe

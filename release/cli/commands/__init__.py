"""The commands. To add one, write a module with `COMMANDS`, and add it to `_MODULES`.

`release.cli.main` declares the options, prints, handles errors and returns the exit status.
"""

from __future__ import annotations

from collections.abc import Mapping

from release.cli.command import Command
from release.cli.commands import (  # fmt: skip
    automation,
    confirm,
    credentials,
    diagnose,
    embedded_index,
    inspect,
    release_run,
    report,
    rotate,
    tokens,
)

_MODULES = (
    release_run, confirm, inspect, diagnose, credentials, tokens, rotate, report, automation, embedded_index,
)  # fmt: skip

#: name → command, in the order of the help text
COMMANDS: Mapping[str, Command] = {command.name: command for module in _MODULES for command in module.COMMANDS}

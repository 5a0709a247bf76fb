"""What a module in `release.cli.commands` provides."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the program."""

    name: str
    #: one line, for the list of commands and the command's own help
    help: str
    #: declares the options
    add_arguments: Callable[[argparse.ArgumentParser], None]
    #: runs the command and returns the exit status. Raises ReleaseError
    run: Callable[[argparse.Namespace, Write], int]
    #: the text after the options
    epilog: str | None = None

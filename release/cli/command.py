"""What a module in `release.cli.commands` provides."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

Write = Callable[[str], None]


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """For a command that has only the global options."""


class Command(NamedTuple):
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

"""What a module in `release.cli.commands` provides, and what it prints and asks with."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from release.cli.terminal.console import PlainConsole
    from release.cli.terminal.set_console import SetConsole

Write = Callable[[str], None]


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """For a command that has only the global options."""


class Command(NamedTuple):
    """One command of the program."""

    #: declares the options
    add_arguments: Callable[[argparse.ArgumentParser], None]
    #: runs the command and returns the exit status. Raises ReleaseError
    run: Callable[[argparse.Namespace, Write], int]
    #: the text after the options
    epilog: str | None = None


def global_options(default: str | None = None) -> argparse.ArgumentParser:
    """The options of every command.

    With SUPPRESS as the default, for a command: an option that is missing there must not reset the one before it.
    """
    made = argparse.ArgumentParser(add_help=False, argument_default=default)
    made.add_argument("--directory", type=Path, metavar="DIR", help="the project's directory (default: .)")
    made.add_argument("--config", type=Path, metavar="FILE", help="read [tool.release] from FILE, not pyproject.toml")
    made.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    made.add_argument("--quiet", action="store_true", help="print only problems and the result")
    made.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
    return made


def show(options: argparse.Namespace, write: Write, document: Any, lines: Iterable[str]) -> None:
    """Write the document with `--json`, else the lines."""
    write(to_json(document) if options.json else "".join(f"{line}\n" for line in lines))


def fit_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines without secrets, wrapped at words on a terminal that is narrower."""
    if not sys.stdout.isatty():
        yield from lines
        return
    from release.core.redaction import redact
    from release.reports.line_width import fit_line

    width = shutil.get_terminal_size().columns
    yield from (fit_line(redact(line), width) for line in lines)


def to_json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


def open_console(options: argparse.Namespace, write: Write) -> PlainConsole:
    """The console for this run: none for JSON, annotations in GitHub Actions, a live display on a terminal."""
    from release.cli.terminal import console

    actions = os.environ.get("GITHUB_ACTIONS") == "true"
    mask = _write_to_runner if actions else None
    if options.json:
        return console.PlainConsole(lambda _text: None, mask=mask, quiet=True)
    if actions:
        return console.ActionsConsole(write, mask=mask, quiet=options.quiet)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _encodes_display():
        from release.cli.terminal.live_display import TerminalConsole  # needs rich

        return TerminalConsole(write, quiet=options.quiet)
    return console.PlainConsole(write, quiet=options.quiet)


def _encodes_display() -> bool:
    """Whether the encoding of the terminal has the signs of a live display, which rich writes as they are."""
    try:
        "⠋━╸…→✓✕".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def open_set_console(options: argparse.Namespace, write: Write) -> SetConsole:
    """The console for a run of a set: as for one run, with many members at work."""
    from release.cli.terminal.set_console import SetConsole

    return SetConsole(
        open_console(options, write), quiet=options.quiet or options.json,
        width=lambda: shutil.get_terminal_size().columns,
    )  # fmt: skip


def _write_to_runner(command: str) -> None:
    """Write a workflow command unredacted, so that the runner masks its secret; on stderr, since stdout may be JSON."""
    sys.stderr.write(command)
    sys.stderr.flush()


def ask_yes_no(write: Write, question: str) -> bool:
    """Ask on the terminal; anything but y or yes is a no."""
    write(f"{question} [y/N] ")
    return read_line().lower() in {"y", "yes"}


def read_line() -> str:
    """A line of standard input; empty if there is none."""
    try:
        return sys.stdin.readline().strip()
    except (OSError, ValueError):
        return ""

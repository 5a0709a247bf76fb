"""What every verb writes with."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from release.cli.terminal.console import Plain

Write = Callable[[str], None]


def show(options: argparse.Namespace, write: Write, document: Any, lines: Iterable[str]) -> None:
    """Write the document where JSON is asked for, else the lines."""
    write(as_json(document) if options.json else "".join(f"{line}\n" for line in lines))


def as_json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


def screen(options: argparse.Namespace, write: Write) -> Plain:
    """Where a run that takes a while tells how it goes: nowhere for JSON, else as the place allows."""
    from release.cli.terminal import console
    from release.core.redaction import redact
    from release.reports import lines

    actions = os.environ.get("GITHUB_ACTIONS") == "true"
    mask = _to_the_runner if actions else None
    if options.json:
        return console.Silent(lines.event_to_lines, write, mask=mask)
    if options.quiet:
        return console.Quiet(lines.event_to_lines, write, mask=mask)
    if actions:
        return console.Actions(lines.event_to_lines, write, mask=mask)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return console.Live(lines.event_to_lines, write, redact)
    return console.Plain(lines.event_to_lines, write)


def _to_the_runner(command: str) -> None:
    """A workflow command with a secret, which the runner hides from here on; on stderr, to leave JSON alone."""
    sys.stderr.write(command)
    sys.stderr.flush()

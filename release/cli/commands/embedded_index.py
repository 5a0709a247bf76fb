"""The command that runs the embedded index."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from release.cli.command import Command, Write
from release.core.decoding import decode_text
from release.core.errors import Exit, UsageError
from release.core.quoting import quote_path


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="the port (default: a free one)")
    parser.add_argument("--world", type=Path, metavar="FILE", help="seed data: users, projects and tokens, as JSON")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="store uploads there (default: discard them at the end)"
    )
    parser.add_argument("--staged", action="store_true", help="with staged releases (a draft, which no index has yet)")
    parser.add_argument(
        "--tls", action="store_true", help="serve https, with a certificate authority of this run; see `ca_environment`"
    )


def _sandbox(options: argparse.Namespace, _write: Write) -> int:
    from release.sandbox import server
    from release.sandbox.seed import SeedData

    world = None
    if options.world:
        try:
            world = SeedData.parse(decode_text(options.world.read_bytes()))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"cannot read {quote_path(options.world)}: {reason}", remedy="check the path") from None
    server.serve_in_foreground(
        world, port=options.port, state=options.state, write=_write_unredacted, staged=options.staged, tls=options.tls
    )
    return Exit.DONE


def _write_unredacted(line: str) -> None:
    """Print the sandbox's own tokens: they are worthless elsewhere, and its user needs them."""
    sys.stdout.write(line if line.endswith("\n") else line + "\n")
    sys.stdout.flush()


COMMANDS = {"sandbox": Command(_add_arguments, _sandbox, frozenset())}

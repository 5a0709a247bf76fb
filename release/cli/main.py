"""The program: command line, signals, errors and exit status. The only module that writes to standard output."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Never, TextIO

from release.cli.command import global_options
from release.cli.commands import HELP, load_command
from release.cli.output_streams import encodable_streams
from release.core.encodable import to_encodable
from release.core.errors import Exit, ReleaseError, from_os_error


def parser(words: Collection[str]) -> argparse.ArgumentParser:
    """The command line, with the options of the commands in `words`. Global options may also follow the command."""
    root = argparse.ArgumentParser(
        prog="pypi-preflight",
        parents=[global_options()],
        description="Release Python packages: green means PyPI accepts the upload, red names the cause.",
        epilog="exit status: 0 done · 1 refused, nothing uploaded · 2 usage or configuration error · "
        "3 upload failed, the index is unchanged · 4 some files are on the index, the release is incomplete",
    )
    root.set_defaults(directory=Path())
    root.add_argument("--version", action="store_true", dest="show_version", help="show the version, and exit")
    root.add_argument(
        "--verbose",
        action="store_true",
        help="with --version: also the server that the rules follow, and the libraries",
    )
    subparsers = root.add_subparsers(dest="command", metavar="COMMAND", required="--version" not in words)
    for name, text in HELP.items():
        if name not in words:
            subparsers.add_parser(name, help=text, add_help=False)
            continue
        command = load_command(name)
        one = subparsers.add_parser(
            name, help=text, description=text, epilog=command.epilog, parents=[global_options(argparse.SUPPRESS)]
        )
        command.add_arguments(one)
        one.set_defaults(run=command.run)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit status; argparse itself exits with 2."""
    with encodable_streams():
        return _run(sys.argv[1:] if argv is None else argv)


def _run(words: Sequence[str]) -> int:
    options = parser(words).parse_args(words)
    if options.show_version:
        return _show_versions(options)
    try:
        with _signals_as_interrupt():
            return int(options.run(options, _write))
    except ReleaseError as error:
        return _fail(error, options)
    except OSError as error:
        return _fail(from_os_error(error), options)
    except KeyboardInterrupt:
        return _fail(ReleaseError("interrupted", remedy="run it again"), options)


def _show_versions(options: argparse.Namespace) -> int:
    from importlib.metadata import version

    from release.adapters.installed_versions import installed_versions
    from release.cli.command import show
    from release.reports import version_report

    own, installed = version("pypi-preflight"), installed_versions()
    lines = version_report.versions_to_lines(own, installed, verbose=options.verbose)
    show(options, _write, version_report.versions_to_json(own, installed), lines)
    return int(Exit.DONE)


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does: cleanly, and recorded in the journal."""

    def stop(_number: int, _frame: object) -> Never:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [(number, signal.signal(number, stop)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _fail(error: ReleaseError, options: argparse.Namespace) -> int:
    if options.json:
        document = {
            "schema": 1, "exit": int(error.exit), "message": error.message, "remedy": error.remedy,
            "cause": error.cause,
        }  # fmt: skip
        _write(json.dumps(document) + "\n")
    else:
        _write(f"{error.message}\n" + (f"→ {error.remedy}\n" if error.remedy else ""), sys.stderr)
    return int(error.exit)


def _write(text: str, stream: TextIO | None = None) -> None:
    """Write the redacted text. A reader that has closed the pipe does not stop a release."""
    from release.core.redaction import redact

    stream = stream or sys.stdout
    try:
        stream.write(to_encodable(redact(text), getattr(stream, "encoding", None) or "utf-8"))
        stream.flush()
    except (BrokenPipeError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

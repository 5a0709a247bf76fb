"""The program: command line, signals, errors and exit status. The only module that writes to standard output."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Never

from release.adapters.system.state_directory import store_in
from release.cli.offline_commands import apply_offline
from release.cli.output_streams import encodable_streams, write_output
from release.cli.parser import parse_command_line, root_parser
from release.core.errors import Exit, ReleaseError, UsageError, from_os_error
from release.core.quoting import quote_path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit status; `--help` exits with 0."""
    if "_ARGCOMPLETE" in os.environ:
        from release.cli.commands.completion import complete

        complete()
    with encodable_streams():
        return _run(sys.argv[1:] if argv is None else argv)


def _run(words: Sequence[str]) -> int:
    options = argparse.Namespace(json="--json" in words)  # known first, for an error in any other word
    try:
        with _signals_as_interrupt():
            parse_command_line(words, options)
            return _run_command(options, words)
    except ReleaseError as error:
        return _fail(error, options)
    except OSError as error:
        return _fail(from_os_error(error), options)
    except KeyboardInterrupt:
        return _fail(ReleaseError("interrupted", remedy="run it again"), options)


def _run_command(options: argparse.Namespace, words: Sequence[str]) -> int:
    if options.show_version:
        return _show_versions(options)
    if options.command is None:
        root_parser().print_help()
        return int(Exit.DONE)
    _require_directory(options.directory)
    apply_offline(options, os.environ)
    with store_in(options.state_dir, os.environ, options.directory.resolve()):
        if not options.debug:
            return int(options.run(options, write_output))
        from release.adapters.system.debug_log import open_debug_log

        with open_debug_log(words, os.environ) as log:
            try:
                return int(options.run(options, write_output))
            finally:
                write_output(f"debug log: {log}\n", sys.stderr)


def _require_directory(directory: Path) -> None:
    """Raise `UsageError` where `--directory` names none: a command would find an empty project there."""
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "does not exist"
        raise UsageError(f"{quote_path(directory)} {what}", remedy="pass the project's directory: --directory DIR")


def _show_versions(options: argparse.Namespace) -> int:
    from importlib.metadata import version

    from release.adapters.installed_versions import installed_versions
    from release.cli.command import show
    from release.reports import version_report

    own, installed = version("pypi-preflight"), installed_versions()
    lines = version_report.versions_to_lines(own, installed, verbose=options.verbose)
    show(options, write_output, version_report.versions_to_json(own, installed), lines)
    return int(Exit.DONE)


@contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    """Let SIGTERM, SIGHUP and Ctrl-Break end a run as Ctrl-C does: cleanly, and recorded in the journal."""

    def stop(_number: int, _frame: object) -> Never:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
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
        write_output(json.dumps(document) + "\n")
    else:
        write_output(f"{error.message}\n" + (f"→ {error.remedy}\n" if error.remedy else ""), sys.stderr)
    return int(error.exit)

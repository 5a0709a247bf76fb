"""The program: command line, signals, errors and exit status. The only module that writes to standard output."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from release.adapters.system.crash_report import report_crash
from release.adapters.system.deferred_signals import Interrupts, signals_as_interrupt
from release.cli.msgspec_import import import_msgspec
from release.cli.offline_commands import apply_offline
from release.cli.output_streams import encodable_streams, write_output
from release.cli.parser import parse_command_line, root_parser
from release.core.errors import Exit, ReleaseError, UsageError, from_os_error
from release.core.harmless import harmless_json
from release.core.quoting import quote_path
from release.publishing.effects import recorded_effects, uploaded_text

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from pathlib import Path

#: exit statuses that say so
_NOTHING_UPLOADED = {Exit.REFUSED, Exit.UNCHANGED}


def main(argv: Sequence[str] | None = None, *, ends_process: bool = False) -> int:
    """Run the program. Returns the exit status; `--help` exits with 0.

    `ends_process`: the process ends after that, and a signal on its way out does not change the status.
    """
    words = sys.argv[1:] if argv is None else argv
    with encodable_streams(), recorded_effects(), _caught_in_threads(), signals_as_interrupt() as interrupts:
        status = _run(words, interrupts)
        if ends_process:
            interrupts.exit_with(status)
        return status


def _run(words: Sequence[str], interrupts: Interrupts) -> int:
    options = argparse.Namespace(json="--json" in words)  # known first, for an error in any other word
    try:
        status = _run_to_its_end(words, options)
        interrupts.end()
    except KeyboardInterrupt:
        interrupts.end()
        return _fail(ReleaseError("interrupted", remedy="run it again"), options)
    return status


def _run_to_its_end(words: Sequence[str], options: argparse.Namespace) -> int:
    try:
        parse_command_line(words, options)
        return _run_command(options, words)
    except ReleaseError as error:
        failure = error
    except OSError as error:
        failure = from_os_error(error)
    except Exception as error:  # noqa: BLE001 - Python would print it as it is
        failure = report_crash(error, os.environ)
    return _fail(failure, options)


def _run_command(options: argparse.Namespace, words: Sequence[str]) -> int:
    if options.show_version:
        return _show_versions(options)
    if options.command is None:
        root_parser().print_help()
        return int(Exit.DONE)
    import_msgspec()
    _require_directory(options.directory)
    apply_offline(options, os.environ)
    from release.adapters.system.state_directory import store_in

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
def _caught_in_threads() -> Iterator[None]:
    """Within the block, an exception that ends a thread, or is raised where none can be caught, is shown redacted."""

    def show(event: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        if event.exc_value is not None and not isinstance(event.exc_value, KeyboardInterrupt):
            failure = report_crash(event.exc_value, os.environ)
            write_output(f"{failure.message}\n→ {failure.remedy}\n", sys.stderr)

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook = sys.unraisablehook = show
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before


def _fail(error: ReleaseError, options: argparse.Namespace) -> int:
    """Show the error. Returns the exit status: that of the error, or 4 where an index has something of the release."""
    uploaded = uploaded_text()
    exit_ = Exit.INCOMPLETE if uploaded and error.exit in _NOTHING_UPLOADED else error.exit
    message = "; ".join(filter(None, [error.message, uploaded]))
    remedy = _complete(error.remedy, options)
    if options.json:
        document = {"schema": 1, "exit": int(exit_), "message": message, "remedy": remedy, "cause": error.cause}
        write_output(harmless_json(document, indent=None))
    else:
        write_output(f"{message}\n" + (f"→ {remedy}\n" if remedy else ""), sys.stderr)
    return int(exit_)


def _complete(remedy: str, options: argparse.Namespace) -> str:
    from release.cli.project_options import complete_commands

    return complete_commands(remedy, options) if "pypi-preflight" in remedy else remedy

"""The commands that read release records: one as a report, all as a list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.cli.command import Command, Write, no_arguments, show
from release.cli.commands.tokens import open_history
from release.cli.output_streams import write_document
from release.core.errors import Exit, ReleaseError, UsageError
from release.core.harmless import harmless_json
from release.core.quoting import escape_unprintable, quote_path
from release.reports import FORMATS, SET_FORMATS, ReportFormat

_READS = frozenset({"directory", "json", "state_dir"})


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", metavar="VERSION", help='or "rehearsal" (default: the last run)')
    formats = parser.add_mutually_exclusive_group()
    for name, one in FORMATS.items():
        formats.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=one.description)
    parser.add_argument(
        "--set", action="store_true", dest="of_set",
        help="report a run of the set of this directory; VERSION is then the name of a directory in .release/sets",
    )  # fmt: skip
    parser.add_argument("--tokens", action="store_true", help="report token health over time; requires --html")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE, not to standard output")


def _report(options: argparse.Namespace, write: Write) -> int:
    """Write the record in the requested format; `--json` alone gives the record itself."""
    from release.publishing import recorder

    if options.tokens:
        text = _token_history(options)
    elif options.of_set:
        text = _set_run(options)
    else:
        path = recorder.find_record(options.directory.resolve(), options.version)
        record = recorder.load_record(path)
        raw = options.json and not options.format
        text = harmless_json(record) if raw else _render(FORMATS, options.format or "text", record, str(path))
    if options.output is None and options.format is None:
        write(text)
    elif options.output is None:
        write_document(write, text)
    else:
        recorder.write_text(options.output, text)
        write("" if options.json or options.quiet else f"written: {escape_unprintable(str(options.output))}\n")
    return Exit.DONE


def _token_history(options: argparse.Namespace) -> str:
    """The page. Raises the history's error if it cannot be read."""
    from release.adapters.system import system
    from release.reports import token_history_html
    from release.token_health import health_history

    if options.format != "html" or options.version is not None:
        raise UsageError(
            "--tokens requires --html, and takes no version",
            remedy="run: pypi-preflight report --tokens --html; for text or JSON: pypi-preflight tokens history",
        )
    history = open_history(options)
    timelines = health_history.load_timelines(history)
    history.close()
    if history.error is not None:
        raise history.error
    return token_history_html.token_history_page(timelines, now=system.real_system().now())


def _set_run(options: argparse.Namespace) -> str:
    """The record of the set's run in the requested format; `--json` alone gives the record itself."""
    from release.publishing.sets import set_recorder

    if options.format is not None and options.format not in SET_FORMATS:
        raise UsageError(
            f"--{options.format} reports the record of one project, not of a set",
            remedy=f"pass {', '.join(f'--{name}' for name in SET_FORMATS)} or --json; each member has its own record",
        )
    path = set_recorder.find_set_record(options.directory.resolve(), options.version)
    record = set_recorder.load_set_record(path)
    if options.json and not options.format:
        return harmless_json(record)
    return _render(SET_FORMATS, options.format or "text", record, str(path))


def _render(formats: Mapping[str, ReportFormat], name: str, record: dict[str, Any], where: str) -> str:
    try:
        return formats[name].render(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReleaseError(
            f"cannot show {quote_path(where)}: it was changed by hand or by another program ({error!r})",
            remedy="restore the original file, or run the command again",
        ) from error


def _history(options: argparse.Namespace, write: Write) -> int:
    from release.publishing import journal, recorder, status

    entries, unreadable = [], []
    for path in journal.record_paths(options.directory.resolve()):
        try:
            record = recorder.load_record(path)
        except ReleaseError as error:
            unreadable.append(error.message)
            continue
        rehearsal = path.parent.name == journal.REHEARSAL
        entries.append(status.history_entry_to_json(record, path=str(path), rehearsal=rehearsal))
    found = sorted(entries, key=lambda one: str(one["date"]), reverse=True)
    document = {"schema": 1, "releases": found, "unreadable": unreadable}
    show(options, write, document, status.history_to_lines(found, unreadable))
    return Exit.DONE


COMMANDS = {
    "report": Command(_add_arguments, _report, _READS | {"quiet"}),
    "history": Command(no_arguments, _history, _READS),
}

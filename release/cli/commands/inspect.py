"""The commands that inspect distribution files, search for secrets, and show the journal."""

from __future__ import annotations

import argparse
import os
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.cli.command import (
    READS_PROJECT,
    Command,
    Write,
    expand_patterns,
    fit_lines,
    no_arguments,
    output_width,
    show,
)
from release.cli.msgspec_import import import_msgspec
from release.cli.offline_commands import require_online
from release.core.errors import Exit

if TYPE_CHECKING:
    from release.core.models.second_process import RstRenderer


def _add_inspect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", metavar="NAME", help="the index, by its name in the configuration")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE",
        help="a wheel or sdist; or a pyproject.toml, whose declared metadata is checked without a build",
    )  # fmt: skip
    parser.add_argument("--others", action="store_true", help="also run third-party checkers that are installed")


def _inspect(options: argparse.Namespace, write: Write) -> int:
    from release.publishing.rst_process import RstProcess

    options.files = expand_patterns(options.files)
    with RstProcess() as render:
        render.start_for(options.files, os.environ)  # before the imports below, which take as long as its own
        return _inspect_with(render, options, write)


def _inspect_with(render: RstRenderer, options: argparse.Namespace, write: Write) -> int:
    from release.publishing import declared
    from release.reports.ending import ending_to_lines
    from release.reports.inspection_report import inspection_ending

    declarations = declared.inspect_declarations(list(filter(declared.is_declaration, options.files)))
    files = [file for file in options.files if not declared.is_declaration(file)]
    document: dict[str, Any] = {"schema": 1, "files": declarations, "release": []}
    lines, refused = declared.declarations_to_text(declarations, quiet=options.quiet), declared.refuses(declarations)
    if files:
        from release.adapters.system import system
        from release.publishing import inspection
        from release.reports import inspection_report

        directory = options.directory.resolve()
        index = inspection.find_index(options.index, directory, options.config) if options.index else None
        real = system.real_system()
        require_online("inspect --index", [index] if index else [], real.env, instead="omit --index")
        project = directory if options.others else None
        found = inspection.inspect_files(real, files, index=index, project=project, render_rst=render)
        document = {**found.document, "files": [*declarations, *found.document["files"]]}
        verbose = options.verbose > 0
        lines = chain(lines, inspection_report.inspection_to_text(found, quiet=options.quiet, verbose=verbose))
        refused = refused or found.refused
    if refused or not options.quiet:
        ending = ending_to_lines(inspection_ending(document), width=output_width())
        lines = chain(lines, (line.text for line in ending))
    show(options, write, document, fit_lines(lines))
    return Exit.REFUSED if refused else Exit.DONE


def _add_leaks_arguments(parser: argparse.ArgumentParser) -> None:
    import_msgspec()
    from release.core.models.leak import SECRET_KINDS

    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or directories (default: .)")
    parser.add_argument("--history", action="store_true", help="also search all objects in the Git history")
    parser.add_argument("--staged", action="store_true", help="search only what is staged for commit")
    parser.add_argument(
        "--kind", action="append", choices=tuple(SECRET_KINDS), metavar="KIND",
        help="report only secrets of this kind, such as pypi-token; may be repeated",
    )  # fmt: skip


def _leaks(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.system import system
    from release.leaks import search

    found = search.scan_paths(
        system.real_system(), options.directory.resolve(), options.paths,
        history=options.history, staged=options.staged, kinds=options.kind,
    )  # fmt: skip
    from release.reports import leaks_text

    lines = leaks_text.leaks_to_text(found, quiet=options.quiet)
    show(options, write, leaks_text.leaks_to_json(found), fit_lines(lines))
    return Exit.REFUSED if leaks_text.leaks_block(found) else Exit.DONE


def _status(options: argparse.Namespace, write: Write) -> int:
    from release.publishing import status

    directory = options.directory.resolve()
    releases = status.load_status(directory)
    lines = status.status_to_lines(releases, of_set=status.is_set_root(directory))
    show(options, write, {"schema": 1, "releases": releases}, lines)
    return Exit.DONE


COMMANDS = {
    "inspect": Command(_add_inspect_arguments, _inspect, READS_PROJECT | {"quiet", "verbose"}),
    "leaks": Command(_add_leaks_arguments, _leaks, frozenset({"directory", "json", "quiet"})),
    "status": Command(no_arguments, _status, frozenset({"directory", "json", "state_dir"})),
}

"""Verbs that look into files: of a release, of a tree, of a history; and into the journal."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from release.cli.output import Write, show
from release.core.errors import Exit

TEXTS = {
    "inspect": "say of distribution files whether PyPI would take them",
    "leaks": "search for tokens, keys and credential files: a directory, files, what is staged, all of history",
    "status": "what the journal knows of this project's releases",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    made["inspect"].add_argument("files", nargs="+", type=Path, metavar="FILE")
    made["inspect"].add_argument(
        "--others", action="store_true", help="ask other people's checkers too, as far as they are installed"
    )
    made["leaks"].add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files, directories (default: here)")
    made["leaks"].add_argument("--history", action="store_true", help="search every object of the repository too")
    made["leaks"].add_argument("--staged", action="store_true", help="search what is staged for a commit, nothing else")


def inspect(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.system import system
    from release.publishing import inspection
    from release.reports import inspection_text

    directory = options.directory.resolve()
    index = inspection.find_index(options.index, directory, options.config) if options.index else None
    found = inspection.inspect_files(
        system.real_system(), options.files, index=index, project=directory if options.others else None
    )
    show(options, write, found.document, inspection_text.inspection_to_text(found, quiet=options.quiet))
    return Exit.REFUSED if found.refused else Exit.DONE


def leaks(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.system import system
    from release.leaks import search

    found = search.scan_paths(
        system.real_system(), options.directory.resolve(), options.paths, history=options.history, staged=options.staged
    )
    from release.reports import leaks_text

    show(options, write, leaks_text.leaks_to_json(found), leaks_text.leaks_to_text(found, quiet=options.quiet))
    return Exit.REFUSED if leaks_text.leaks_block(found) else Exit.DONE


def status(options: argparse.Namespace, write: Write) -> int:
    from release.publishing import status as journal

    releases = journal.load_status(options.directory.resolve())
    show(options, write, {"schema": 1, "releases": releases}, journal.status_lines(releases))
    return Exit.DONE


HANDLERS = {"inspect": inspect, "leaks": leaks, "status": status}

"""Verbs that read the records: of one release, in many forms; of all, in a list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.cli.output import Write, as_json, show
from release.core.errors import Exit, ReleaseError, UsageError
from release.reports import FORMATS

TEXTS = {
    "report": "what the runs for a version did: on the terminal, as a page, for a forge, for CI",
    "history": "the releases of this project, the newest first",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    report_ = made["report"]
    report_.add_argument("version", nargs="?", metavar="VERSION", help='or "rehearsal" (default: what was run last)')
    forms = report_.add_mutually_exclusive_group()
    for name, one in FORMATS.items():
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=one.description)
    report_.add_argument("--tokens", action="store_true", help="the health of tokens over time, as a page: with --html")
    report_.add_argument("--state", type=Path, metavar="DIR", help="where their history is ($PYPI_PREFLIGHT_STATE)")
    report_.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to standard output")


def report(options: argparse.Namespace, write: Write) -> int:
    """One record, in the form that is asked for; `--json` gives the record itself."""
    from release.publishing import recorder

    if options.tokens:
        made = _tokens(options)
    else:
        path = recorder.find_record(options.directory.resolve(), options.version)
        record = recorder.load_record(path)
        plain = options.json and not options.form
        made = as_json(record) if plain else _made(options.form or "text", record, str(path))
    if options.output is None:
        write(made)
    else:
        recorder.write_text(options.output, made)
        write("" if options.json or options.quiet else f"written: {options.output}\n")
    return Exit.DONE


def _tokens(options: argparse.Namespace) -> str:
    """The page about tokens. Raises `ReleaseError` where their history can't be read."""
    from release.adapters.system import system
    from release.reports import token_history_html
    from release.token_health import health_history, queries

    if options.form != "html" or options.version is not None:
        raise UsageError(
            "the report on tokens is a page, and of no version",
            remedy="run: python -m release report --tokens --html; as text or JSON: python -m release tokens history",
        )
    real = system.real_system()
    kept = health_history.History(
        health_history.state_directory(real.env, options.state) / health_history.DATABASE_NAME, now=real.now
    )
    strips = queries.load_timelines(kept)
    kept.close()
    if kept.trouble is not None:
        raise kept.trouble
    return token_history_html.token_history_page(strips, now=real.now())


def _made(form: str, record: dict[str, Any], where: str) -> str:
    try:
        return FORMATS[form].render(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReleaseError(
            f"{where!r} can't be shown: it was changed by hand, or by another program ({error!r})",
            remedy="bring back the file that the run has written, or run it again",
        ) from error


def history(options: argparse.Namespace, write: Write) -> int:
    """Every record of the project."""
    from release.publishing import journal, recorder, release_history

    entries, unreadable = [], []
    for path in journal.record_paths(options.directory.resolve()):
        try:
            record = recorder.load_record(path)
        except ReleaseError as error:
            unreadable.append(error.message)
            continue
        entries.append(
            release_history.history_entry(record, where=str(path), rehearsal=path.parent.name == journal.REHEARSAL)
        )
    found = release_history.newest_first(entries)
    document = {"schema": 1, "releases": found, "unreadable": unreadable}
    show(options, write, document, release_history.history_lines(found, unreadable))
    return Exit.DONE


HANDLERS = {"report": report, "history": history}

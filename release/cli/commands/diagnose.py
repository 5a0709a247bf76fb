"""Verbs about the causes of failures: which it was, and what each is."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from typing import Any

from release.cli.commands.credentials import about_a_project
from release.cli.output import Write, as_json, show
from release.core.errors import Exit, UsageError

TEXTS = {
    "diagnose": "name the cause of a failed upload, or what stands in the way of the next one, and how to mend it",
    "explain": "what a cause is, how it shows, how to mend it",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    made["explain"].add_argument("cause", nargs="?", metavar="CAUSE", help="its id: cred.truncated")
    made["explain"].add_argument("--all", action="store_true", help="every cause there is")
    made["explain"].add_argument("--markdown", action="store_true", help="as Markdown")
    made["diagnose"].add_argument(
        "--log", metavar="FILE", help="the output of the run that failed (twine, uv, poetry, CI…); - is standard input"
    )
    about_a_project(made["diagnose"])


def diagnose(options: argparse.Namespace, write: Write) -> int:
    """The cause of a failed run, from its log; without one, what stands in the way of the next."""
    from release.adapters.system import log_reader
    from release.cli.credential_prompts import Talk
    from release.credentials import log_diagnosis

    talk = Talk.of(options, write)
    if options.log is None:
        walk = talk.walk()
        show(options, write, log_diagnosis.indexes_to_json(walk), log_diagnosis.indexes_to_text(walk))
        talk.mend(walk)
        return Exit.DONE if all(one.verdict.passed for one in walk) else Exit.REFUSED
    log = log_reader.load_log(options.log)
    answer, seen = log_diagnosis.explain_failure(log, talk.config, talk.look, in_ci="CI" in talk.system.env)
    show(options, write, log_diagnosis.explanation_to_json(answer), log_diagnosis.explanation_to_text(answer))
    talk.mend([seen] if seen else [])
    return Exit.DONE if answer.cause else Exit.REFUSED


def explain(options: argparse.Namespace, write: Write) -> int:
    """One record of the catalog, or all."""
    from release.diagnostics import CATALOG, SECTIONS
    from release.reports import catalog_page

    if options.all == (options.cause is not None):
        raise UsageError("explain wants one cause, or --all", remedy="name one: python -m release explain cred.missing")
    records = list(CATALOG.values()) if options.all else [_record(options.cause)]
    if options.json and options.all:
        write(as_json({"schema": 1, "causes": [catalog_page.diagnosis_to_json(one) for one in records]}))
    elif options.json:
        write(as_json({"schema": 1, **catalog_page.diagnosis_to_json(records[0])}))
    elif options.markdown:
        write(
            catalog_page.catalog_to_markdown(SECTIONS)
            if options.all
            else catalog_page.diagnosis_to_markdown(records[0])
        )
    else:
        width = max(60, min(shutil.get_terminal_size().columns, 100))
        write("\n\n".join(catalog_page.diagnosis_to_text(one, width=width) for one in records))
    return Exit.DONE


def _record(cause: str) -> Any:
    from release.diagnostics import CATALOG, near

    if cause in CATALOG:
        return CATALOG[cause]
    neighbours = near(cause)[:3]
    mean = f": did you mean {' or '.join(map(repr, neighbours))}?" if neighbours else ""
    raise UsageError(f"no cause is called {cause!r}{mean}", remedy="see them all: python -m release explain --all")


HANDLERS = {"diagnose": diagnose, "explain": explain}

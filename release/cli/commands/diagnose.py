"""The commands that find the cause of a failure, and explain causes."""

from __future__ import annotations

import argparse
import shutil

from release.cli.command import Command, Write, fit_lines, show, to_json
from release.cli.commands.credentials import add_project_arguments
from release.core.errors import Exit, UsageError


def _add_diagnose_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log", metavar="FILE", help="the output of the failed run (twine, uv, poetry, CI, …); - is standard input"
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="the run of --log took place on this machine, also if the log is of a CI job",
    )
    add_project_arguments(parser)


def _diagnose(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.system import program_output
    from release.cli.credential_prompts import CredentialSession
    from release.credentials import log_diagnosis

    session = CredentialSession.from_options(options, write)
    if options.log is None:
        found = session.verify_all()
        show(options, write, log_diagnosis.indexes_to_json(found), fit_lines(log_diagnosis.indexes_to_text(found)))
        session.offer_repairs(found)
        return Exit.DONE if all(one.verdict.passed for one in found) else Exit.REFUSED
    log = program_output.load_log(options.log)
    explanation, verified = log_diagnosis.explain_failure(log, session.config, session.verify, here=options.here)
    lines = fit_lines(log_diagnosis.explanation_to_text(explanation))
    show(options, write, log_diagnosis.explanation_to_json(explanation), lines)
    session.offer_repairs([verified] if verified else [])
    return Exit.DONE if explanation.cause else Exit.REFUSED


def _add_explain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cause", nargs="?", metavar="CAUSE", help="the id of a cause, such as cred.truncated")
    parser.add_argument("--all", action="store_true", help="explain all known causes")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")


def _explain(options: argparse.Namespace, write: Write) -> int:
    from release.diagnostics.catalog import CATALOG, SECTIONS, similar_ids
    from release.reports import catalog_page

    if options.all == (options.cause is not None):
        raise UsageError("explain takes one cause, or --all", remedy="name one: pypi-preflight explain cred.missing")
    cause = options.cause
    if not options.all and cause not in CATALOG:
        similar = similar_ids(cause)[:3]
        hint = f": did you mean {' or '.join(map(repr, similar))}?" if similar else ""
        raise UsageError(f"unknown cause {cause!r}{hint}", remedy="list all causes: pypi-preflight explain --all")
    records = list(CATALOG.values()) if options.all else [CATALOG[cause]]
    if options.json:
        found = [catalog_page.diagnosis_to_json(one) for one in records]
        write(to_json({"schema": 1, "causes": found} if options.all else {"schema": 1, **found[0]}))
    elif options.markdown and options.all:
        write(catalog_page.catalog_to_markdown(SECTIONS))
    elif options.markdown:
        write(catalog_page.diagnosis_to_markdown(records[0]))
    else:
        width = max(60, min(shutil.get_terminal_size().columns, 100))
        write("\n\n".join(catalog_page.diagnosis_to_text(one, width=width) for one in records))
    return Exit.DONE


COMMANDS = {
    "diagnose": Command(_add_diagnose_arguments, _diagnose),
    "explain": Command(_add_explain_arguments, _explain),
}

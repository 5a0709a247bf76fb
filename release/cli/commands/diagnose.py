"""The commands that find the cause of a failure, and explain causes."""

from __future__ import annotations

import argparse

from release.cli.command import Command, Write, fit_lines, show
from release.cli.commands.credentials import add_project_arguments
from release.cli.output_streams import write_document
from release.cli.terminal_size import terminal_columns
from release.core.errors import Exit, UsageError
from release.core.harmless import harmless_json


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
    parser.add_argument(
        "cause",
        nargs="?",
        metavar="NAME",
        help="the id of a cause, or the name of a check: cred.truncated, the-tree-is-clean",
    )
    parser.add_argument("--all", action="store_true", help="explain all known causes, and all checks")
    parser.add_argument("--checks", action="store_true", help="explain all checks")
    parser.add_argument("--markdown", action="store_true", help="print Markdown; with --all, of the causes")


def _explain(options: argparse.Namespace, write: Write) -> int:
    from release.checks.all_checks import checks_by_name
    from release.diagnostics.catalog import CATALOG, SECTIONS
    from release.reports import catalog_page, checks_page

    name, every, only_checks = options.cause, options.all, options.checks
    if [name is not None, every, only_checks].count(True) != 1:
        remedy = "name one: pypi-preflight explain cred.missing"
        raise UsageError("explain takes one cause or check, or --all, or --checks", remedy=remedy)
    if name is not None and name not in CATALOG and name not in checks_by_name():
        raise _unknown_name(name)
    causes = [] if only_checks else list(CATALOG.values()) if every else [CATALOG[name]] if name in CATALOG else []
    checks = list(checks_by_name().values()) if name is None else [checks_by_name()[name]] if not causes else []
    if options.json:
        found = [catalog_page.diagnosis_to_json(one) for one in causes]
        described = [checks_page.check_to_json(one, CATALOG) for one in checks]
        lists = {"causes": found, "checks": described} if every else {"checks": described}
        write(harmless_json({"schema": 1, **(lists if name is None else [*found, *described][0])}))
    elif options.markdown and every:
        write_document(write, catalog_page.catalog_to_markdown(SECTIONS))
    elif options.markdown and only_checks:
        write_document(write, checks_page.checks_to_markdown(CATALOG))
    elif options.markdown:
        shown = [catalog_page.diagnosis_to_markdown(one) for one in causes]
        write_document(write, "".join([*shown, *(checks_page.check_to_markdown(one, CATALOG) for one in checks)]))
    else:
        width = max(60, min(terminal_columns(), 100))
        shown = [catalog_page.diagnosis_to_text(one, width=width) for one in causes]
        write("\n\n".join([*shown, *(checks_page.check_to_text(one, CATALOG, width=width) for one in checks)]))
    return Exit.DONE


def _unknown_name(name: str) -> UsageError:
    from release.checks.all_checks import check_names
    from release.core.similar_words import did_you_mean
    from release.diagnostics.catalog import similar_ids

    similar = similar_ids(name)[:3]
    hint = did_you_mean(name.strip().lower().replace("_", "-"), check_names())
    if similar and (not hint or "." in name):
        hint = f": did you mean {' or '.join(map(repr, similar))}?"
    return UsageError(f"unknown cause or check {name!r}{hint}", remedy="list all: pypi-preflight explain --all")


COMMANDS = {
    "diagnose": Command(_add_diagnose_arguments, _diagnose),
    "explain": Command(_add_explain_arguments, _explain, frozenset({"json"})),
}

"""The verbs that are no plan: they look, explain, mend, and release nothing.

Each handler gets the options and where to write; `release.__main__` prints, catches, and exits.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from release.errors import Exit, UsageError

Write = Callable[[str], None]

TEXTS = {
    "inspect": "say of distribution files whether PyPI would take them",
    "diagnose": "name the cause of a failed upload, or what stands in the way of the next one, and how to mend it",
    "explain": "what a cause is, how it shows, how to mend it",
    "store": "take a token, try it, and keep it in the keyring where uploads look for it",
    "verify": "say whether an upload would be let in: where the credential is from, what it is, whether it works",
    "leaks": "search for tokens, keys and credential files: a directory, files, what is staged, all of history",
    "status": "what the journal knows of this project's releases",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    made["inspect"].add_argument("files", nargs="+", type=Path, metavar="FILE")
    made["inspect"].add_argument(
        "--others", action="store_true", help="ask other people's checkers too, as far as they are installed"
    )
    made["explain"].add_argument("cause", nargs="?", metavar="CAUSE", help="its id: cred.truncated")
    made["explain"].add_argument("--all", action="store_true", help="every cause there is")
    made["explain"].add_argument("--markdown", action="store_true", help="as Markdown")
    made["diagnose"].add_argument(
        "--log", metavar="FILE", help="the output of the run that failed (twine, uv, poetry, CI…); - is standard input"
    )
    made["store"].add_argument("--index", metavar="NAME", required=True, help="the index that the token is for")
    made["store"].add_argument(
        "--insecure-backend", action="store_true", help="keep it even where the keyring is a readable file"
    )
    made["leaks"].add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files, directories (default: here)")
    made["leaks"].add_argument("--history", action="store_true", help="search every object of the repository too")
    made["leaks"].add_argument("--staged", action="store_true", help="search what is staged for a commit, nothing else")
    made["verify"].add_argument("--index", metavar="NAME", default="pypi", help="the index (default: pypi)")
    for verb in ("verify", "diagnose", "store"):
        made[verb].add_argument("--project", metavar="NAME", help="the project (default: the one of the directory)")
        made[verb].add_argument("--offline", action="store_true", help="ask no index")


def explain(options: argparse.Namespace, write: Write) -> int:
    """One record of the catalog, or all."""
    from release.diagnoses import CATALOG, SECTIONS, render

    if options.all == (options.cause is not None):
        raise UsageError("explain wants one cause, or --all", remedy="name one: python -m release explain cred.missing")
    records = list(CATALOG.values()) if options.all else [_record(options.cause)]
    if options.json and options.all:
        write(_json({"schema": 1, "causes": [render.as_json(one) for one in records]}))
    elif options.json:
        write(_json({"schema": 1, **render.as_json(records[0])}))
    elif options.markdown:
        write(render.markdown(SECTIONS) if options.all else render.as_markdown(records[0]))
    else:
        width = max(60, min(shutil.get_terminal_size().columns, 100))
        write("\n\n".join(render.as_text(one, width=width) for one in records))
    return Exit.DONE


def _record(cause: str) -> Any:
    from release.diagnoses import CATALOG, near

    if cause in CATALOG:
        return CATALOG[cause]
    neighbours = near(cause)[:3]
    mean = f": did you mean {' or '.join(map(repr, neighbours))}?" if neighbours else ""
    raise UsageError(f"no cause is called {cause!r}{mean}", remedy="see them all: python -m release explain --all")


def diagnose(options: argparse.Namespace, write: Write) -> int:
    """The cause of a failed run, from its log; without one, what stands in the way of the next."""
    from release import diagnosing
    from release.adapters import logs
    from release.asking import Talk

    talk = Talk.of(options, write)
    if options.log is None:
        walk = talk.walk()
        _show(options, write, diagnosing.walk_data(walk), diagnosing.walk_lines(walk))
        talk.mend(walk)
        return Exit.DONE if all(one.verdict.passed for one in walk) else Exit.REFUSED
    log = logs.read(options.log)
    answer, seen = diagnosing.diagnose(log, talk.config, talk.look, in_ci="CI" in talk.system.env)
    _show(options, write, diagnosing.as_data(answer), diagnosing.lines(answer))
    talk.mend([seen] if seen else [])
    return Exit.DONE if answer.cause else Exit.REFUSED


def store(options: argparse.Namespace, write: Write) -> int:
    """Take a token from the terminal or a pipe, try it, keep it in the keyring."""
    from release import storing
    from release.asking import Talk

    talk = Talk.of(options, write)
    stored = talk.store(talk.config.index(options.index))
    _show(options, write, storing.as_data(stored), storing.lines(stored))
    return Exit.DONE


def _show(options: argparse.Namespace, write: Write, document: Any, lines: Iterable[str]) -> None:
    write(_json(document) if options.json else "".join(f"{line}\n" for line in lines))


def inspect(options: argparse.Namespace, write: Write) -> int:
    from release import inspection, inspection_report
    from release.adapters import system

    directory = options.directory.resolve()
    index = inspection.index(options.index, directory, options.config) if options.index else None
    found = inspection.inspect(system.real(), options.files, index=index, project=directory if options.others else None)
    _show(options, write, found.document, inspection_report.lines(found, quiet=options.quiet))
    return Exit.REFUSED if found.refused else Exit.DONE


def leaks(options: argparse.Namespace, write: Write) -> int:
    from release import leak_search
    from release.adapters import system

    found = leak_search.search(
        system.real(), options.directory.resolve(), options.paths, history=options.history, staged=options.staged
    )
    from release import leak_report

    _show(options, write, leak_report.document(found), leak_report.lines(found, quiet=options.quiet))
    return Exit.REFUSED if leak_report.refused(found) else Exit.DONE


def status(options: argparse.Namespace, write: Write) -> int:
    from release import status as journal

    releases = journal.read(options.directory.resolve())
    _show(options, write, {"schema": 1, "releases": releases}, journal.lines(releases))
    return Exit.DONE


def verify(options: argparse.Namespace, write: Write) -> int:
    """Whether an upload would be let in, tier by tier."""
    from release.adapters import keyring_process, system

    real = system.real()
    with ExitStack() as stack:
        keyring = keyring_process.start(real.env)  # it takes as long as all the imports below
        if keyring is not None:
            stack.callback(keyring.close)
        from release import verdict_report, verification

        directory, file = options.directory.resolve(), options.config
        config, project = verification.subject(
            real, directory, file=file, name=options.project, offline=options.offline
        )
        found = verification.verify(
            real, config.index(options.index), project,
            offline=options.offline, directory=directory, waive=config.waive, keyring=keyring,
        )  # fmt: skip
    if options.json:
        write(_json(verdict_report.as_data(found)))
    else:
        write("".join(f"{line.text}\n" for line in verdict_report.walk(found, quiet=options.quiet)))
    return Exit.DONE if found.verdict.passed else Exit.REFUSED


def _json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"


HANDLERS: Mapping[str, Callable[[argparse.Namespace, Write], int]] = {
    "inspect": inspect,
    "diagnose": diagnose,
    "explain": explain,
    "store": store,
    "leaks": leaks,
    "status": status,
    "verify": verify,
}

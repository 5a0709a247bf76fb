"""Verbs about tokens over time: how they are, and how they were."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.output import Write, as_json
from release.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from release.cli.terminal.progress_table import Silent
    from release.core.models.token_health import HealthReport
    from release.reports.lines import Line
    from release.reports.prometheus import MetricsInput
    from release.token_health.health_history import History
    from release.token_health.notify.deliver import DeliveryReport

TEXTS = {"tokens": "say how every token is: of this project, or of a fleet; `tokens history`: what has changed"}
#: changes that are shown unless more are asked for
_LIMIT = 50


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    own = made["tokens"]
    own.epilog = (
        "exit status: 0 all healthy · 1 something is broken · 2 usage or configuration · "
        "5 nothing is broken, something is to be done before long · 6 could not tell: network, keyring"
    )
    own.add_argument("what", nargs="?", choices=("history",), help="what has changed, and since when")
    own.add_argument("--fleet", type=Path, metavar="FILE", help="look at what this TOML file lists")
    own.add_argument("--offline", action="store_true", help="ask no index")
    own.add_argument(
        "--probe", choices=("permission", "identity", "off"), default="permission",
        help="how far the indexes are asked: may it upload (default), is it known, or neither",
    )  # fmt: skip
    own.add_argument("--strict", action="store_true", help="a warning is a failure: exit status 1, not 5")
    own.add_argument("--state", type=Path, metavar="DIR", help="keep the history there ($PYPI_PREFLIGHT_STATE)")
    own.add_argument("--notify", action="store_true", help="tell people what has changed: [notify] of the fleet")
    own.add_argument("--metrics", type=Path, metavar="FILE", help="write metrics there, for node_exporter")
    own.add_argument("--issue-body", type=Path, metavar="FILE", help="write what is wrong there, as Markdown")
    own.add_argument("--limit", type=int, metavar="N", default=_LIMIT, help="of the history: the last N changes")


def tokens(options: argparse.Namespace, write: Write) -> int:
    """How every token is, or how they were."""
    if options.what == "history":
        return _history(options, write)
    from release.adapters.system import system
    from release.reports import prometheus
    from release.token_health import health_run
    from release.token_health.notify import deliver

    real, directory = system.real_system(), options.directory.resolve()
    asked = health_run.load_request(
        real, directory, file=options.fleet, config_file=options.config, offline=options.offline
    )
    if options.notify:
        where = str(options.fleet or "pyproject.toml, as [tool.release.fleet.notify]")
        deliver.require_channels(asked.fleet, offline=options.offline, where=where)
    began, history = real.now(), _opened(options)
    with _board(options, write) as board:
        found = health_run.run_scan(
            real, asked, history=history, probe=options.probe, offline=options.offline,
            told=lambda row, total: board.tell(row.seen, total),
        )  # fmt: skip
    status = found.status(strict=options.strict)
    found = health_run.close_run(found, history, status)
    told = _told(options, write, found, lambda: deliver.send_notifications(real, history, asked, found))
    run = prometheus.MetricsInput(
        rows=found.rows, began=began, ended=real.now(), status=status, interrupted=found.interrupted,
        waiting=told.waiting if told else 0,
    )  # fmt: skip
    _complain([*(told.problems if told else ()), *_files(options, run)])
    return status


def _told(
    options: argparse.Namespace, write: Write, found: HealthReport, notify: Callable[[], DeliveryReport]
) -> DeliveryReport | None:
    """Show what was found, and let people know. Lines come before that, since it may take a while."""
    from release.reports import token_health_text
    from release.token_health.notify import deliver

    if options.json:
        told = notify() if options.notify else None
        more = {"notify": deliver.report_to_json(told)} if told else {}
        write(as_json(token_health_text.scan_to_json(found, strict=options.strict) | more))
        return told
    _show(token_health_text.scan_to_lines(found, quiet=options.quiet), write)
    told = notify() if options.notify else None
    if told is not None and not options.quiet:
        _show(deliver.report_to_text(told), write)
    return told


def _files(options: argparse.Namespace, run: MetricsInput) -> Iterator[tuple[str, str]]:
    """Write the files that are asked for, each as a whole; what went wrong, and what to do about it."""
    from release.adapters.system import atomic_write
    from release.core.errors import from_os_error
    from release.reports import notification, prometheus

    made: dict[Path, str] = {}
    if options.metrics is not None:
        made[options.metrics] = prometheus.scan_to_metrics(run)
    if options.issue_body is not None:
        made[options.issue_body] = notification.issue_to_markdown(run.rows, at=run.ended)
    for file, text in made.items():
        try:
            atomic_write.write_atomically(file, text.encode())
        except OSError as error:
            why = from_os_error(error)
            yield f"{str(file)!r} is not written: {why.message}", why.remedy


def _complain(problems: Iterable[tuple[str, str]]) -> None:
    """On stderr: the verdict, and the exit status, stay what they are."""
    from release.core.redaction import redact

    for message, remedy in problems:
        sys.stderr.write(redact(f"{message}\n" + (f"→ {remedy}\n" if remedy else "")))


def _history(options: argparse.Namespace, write: Write) -> int:
    """What is remembered. Exit status 6 where there is no history that could be read."""
    from release.reports import token_health_text
    from release.token_health import queries

    if options.limit < 0:
        raise UsageError(f"--limit must not be negative, and is {options.limit}", remedy="give 0 or more")
    history = _opened(options)
    now, changed = queries.latest_statuses(history), queries.recent_changes(history, limit=options.limit)
    history.close()
    if history.trouble is not None:
        raise history.trouble
    if options.json:
        write(as_json(token_health_text.token_history_to_json(now, changed) | {"notes": history.notes}))
    else:
        _show(token_health_text.token_history_to_lines(now, changed), write)
    return Exit.DONE


def _opened(options: argparse.Namespace) -> History:
    from release.adapters.system import system
    from release.token_health import health_history

    real = system.real_system()
    return health_history.History(
        health_history.state_directory(real.env, options.state) / health_history.DATABASE_NAME, now=real.now
    )


def _board(options: argparse.Namespace, write: Write) -> Silent:
    from release.cli.terminal import progress_table
    from release.core.redaction import redact

    if options.json or options.quiet:
        return progress_table.Silent()
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return progress_table.Moving(redact)
    return progress_table.Plain(write)


def _show(lines: Iterable[Line], write: Write) -> None:
    """Lines: with colours on a terminal, with annotations in GitHub Actions."""
    from release.cli.terminal import console

    def none(_event: object) -> tuple[Line, ...]:
        return ()

    from release.core.redaction import redact

    if os.environ.get("GITHUB_ACTIONS") == "true":
        screen: console.Plain = console.Actions(none, write)
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        screen = console.Live(none, write, redact)
    else:
        screen = console.Plain(none, write)
    with screen:
        for line in lines:
            screen.show(line)


HANDLERS = {"tokens": tokens}

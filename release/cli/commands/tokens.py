"""The command that shows the health of tokens, and its history."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.command import READS_PROJECT, Command, Write, open_console
from release.cli.output_streams import write_output
from release.core.errors import Exit, UsageError, from_os_error
from release.core.harmless import harmless_json_parts
from release.core.quoting import quote_path

if TYPE_CHECKING:
    from release.cli.terminal.console import PlainConsole
    from release.core.models.token_health import HealthReport
    from release.reports.prometheus import MetricsInput
    from release.token_health.health_history import History
    from release.token_health.notify.delivery import DeliveryReport

#: default number of changes in the history
_LIMIT = 50
#: characters of JSON that are written at a time
_WRITTEN = 1 << 16


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=("history",), help="show what has changed, and when")
    parser.add_argument("--fleet", type=Path, metavar="FILE", help="check the tokens listed in this TOML file")
    parser.add_argument("--offline", action="store_true", help="contact no index")
    parser.add_argument(
        "--probe", choices=("permission", "identity", "off"), default="permission",
        help="what to ask the indexes: whether the token may upload (default), whether it is valid, or nothing",
    )  # fmt: skip
    parser.add_argument(
        "--exchange", action="store_true",
        help="in a CI job, prove its trusted publisher: exchange the identity for a token, and revoke it at once; this "
        "leaves two lines in the project's security history (token created, token revoked)",
    )  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="treat warnings as failures: exit status 1, not 5")
    parser.add_argument("--notify", action="store_true", help="send notifications of changes: [notify] of the fleet")
    parser.add_argument("--metrics", type=Path, metavar="FILE", help="write metrics for node_exporter there")
    parser.add_argument("--issue-body", type=Path, metavar="FILE", help="write the problems there, as Markdown")
    parser.add_argument("--limit", type=int, metavar="N", default=_LIMIT, help="show the last N changes of the history")


def _tokens(options: argparse.Namespace, write: Write) -> int:
    if options.what == "history":
        return _history(options, write)
    if options.exchange and options.offline:
        raise UsageError("--exchange contacts the index, and --offline does not", remedy="omit one of the two")
    from release.adapters.system import system
    from release.reports import prometheus
    from release.token_health import health_run
    from release.token_health.notify import delivery

    real, directory = system.real_system(), options.directory.resolve()
    request = health_run.load_request(
        real, directory, file=options.fleet, config_file=options.config, offline=options.offline
    )
    if options.notify:
        where = str(options.fleet or "pyproject.toml, as [tool.release.fleet.notify]")
        delivery.require_channels(request.fleet, offline=options.offline, where=where)
    began, history = real.now(), open_history(options)
    with open_console(options, write) as console:
        report = health_run.run_scan(
            real, request, history=history, probe=options.probe, offline=options.offline,
            exchange=options.exchange, on_report=lambda row, total: console.on_token_scanned(row.seen, total),
        )  # fmt: skip
    status = report.status(strict=options.strict)
    report = health_run.close_run(report, history, status)
    sent = _report(options, write, console, report, lambda: delivery.send_notifications(real, history, request, report))
    run = prometheus.MetricsInput(
        rows=report.rows, began=began, ended=real.now(), status=status, interrupted=report.interrupted,
        waiting=sent.waiting if sent else 0,
    )  # fmt: skip
    # to stderr: these problems change neither the report nor the exit status
    for message, remedy in [*(sent.problems if sent else ()), *_write_files(options, run)]:
        write_output(f"{message}\n" + (f"→ {remedy}\n" if remedy else ""), sys.stderr)
    return status


def _report(
    options: argparse.Namespace, write: Write, console: PlainConsole, report: HealthReport,
    notify: Callable[[], DeliveryReport],
) -> DeliveryReport | None:  # fmt: skip
    """Show the report and send notifications. The lines come first, since sending may take a while."""
    from release.reports import token_health_text
    from release.token_health.notify import delivery

    console.show(token_health_text.scan_to_lines(report, quiet=options.quiet))
    sent = notify() if options.notify else None
    if options.json:
        more = {"notify": delivery.report_to_json(sent)} if sent else {}
        _write_json(write, token_health_text.scan_to_json(report, strict=options.strict) | more)
    elif sent is not None and not options.quiet:
        console.show(delivery.report_to_text(sent))
    return sent


def _write_json(write: Write, document: Mapping[str, object]) -> None:
    """Write a document of thousands of tokens or changes, some at a time: their text is many times as large."""
    parts: list[str] = []
    size = 0
    for part in harmless_json_parts(document):
        parts.append(part)
        size += len(part)
        if size >= _WRITTEN:
            write("".join(parts))
            parts, size = [], 0
    write("".join(parts))


def _write_files(options: argparse.Namespace, run: MetricsInput) -> Iterator[tuple[str, str]]:
    """Write each requested file atomically; yield the message and remedy of each failure."""
    from release.adapters.system import safe_write
    from release.reports import prometheus, token_health_text

    texts: dict[Path, str] = {}
    if options.metrics is not None:
        texts[options.metrics] = prometheus.scan_to_metrics(run)
    if options.issue_body is not None:
        texts[options.issue_body] = token_health_text.issue_to_markdown(run.rows, at=run.ended)
    for file, text in texts.items():
        try:
            safe_write.write_atomically(file, text.encode())
        except OSError as error:
            cause = from_os_error(error)
            yield f"cannot write {quote_path(file)}: {cause.message}", cause.remedy


def _history(options: argparse.Namespace, write: Write) -> int:
    """Show the history. Raises its error (exit status 6) if it cannot be read."""
    from release.reports import token_health_text
    from release.token_health import health_history

    if options.limit < 0:
        raise UsageError(f"--limit is negative: {options.limit}", remedy="pass 0 or more")
    history = open_history(options)
    now, changed = health_history.latest_statuses(history), health_history.recent_changes(history, limit=options.limit)
    history.close()
    if history.error is not None:
        raise history.error
    if options.json:
        _write_json(write, token_health_text.token_history_to_json(now, changed) | {"notes": history.notes})
        return Exit.DONE
    with open_console(options, write) as console:
        console.show(token_health_text.token_history_to_lines(now, changed))
    return Exit.DONE


def open_history(options: argparse.Namespace) -> History:
    """The history in the directory of `--state-dir`, or in the default one."""
    from release.adapters.system import state_directory, system
    from release.token_health import health_history

    real = system.real_system()
    return health_history.History(
        state_directory.state_directory(real.env, options.state_dir) / health_history.DATABASE_NAME, now=real.now
    )


COMMANDS = {
    "tokens": Command(
        _add_arguments, _tokens, READS_PROJECT | {"quiet", "state_dir"},
        epilog="exit status: 0 all healthy · 1 at least one token is broken · 2 usage or configuration error · "
        "5 no token is broken, but some need attention soon · 6 unknown: network or keyring problems",
    )
}  # fmt: skip

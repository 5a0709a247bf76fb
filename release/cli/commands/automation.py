"""The commands that write CI workflows and schedules."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from release.cli.command import Command, Write, show
from release.core.errors import Exit
from release.publishing.ci import SERVICES
from release.token_health.schedulers import SCHEDULERS


def _add_ci_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=tuple(SERVICES), help="the CI service")
    wheels = parser.add_mutually_exclusive_group()
    wheels.add_argument("--binary", action="store_true", default=None, help="the wheels are platform-specific")
    wheels.add_argument(
        "--pure", action="store_false", dest="binary", help="the wheels are not (default: detected from the project)"
    )
    parser.add_argument(
        "--requirements", metavar="FILE",
        help="install the workflow's tools from this file of the project, with hashes (default: pinned versions)",
    )  # fmt: skip
    parser.add_argument(
        "--prove", metavar="TIMES", default="week",
        help="when a scheduled job proves the trusted publishers, which leaves two lines in the project's security "
        "history: week (default), day, a cron expression, or never",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to FILE, not to standard output")
    parser.add_argument("--force", action="store_true", help="replace the file even if its content differs")


def _ci(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.system import system
    from release.publishing.ci.pipeline import load_pipeline, write_workflow
    from release.token_health.schedulers.cron_expression import parse_cron

    directory = options.directory.resolve()
    proof = None if options.prove == "never" else parse_cron(options.prove, directory.name, option="--prove").text
    pipeline = load_pipeline(
        system.real_system(), directory,
        file=options.config, wheels=options.binary, lock=options.requirements, proof=proof,
    )  # fmt: skip
    text = SERVICES[options.service].render_release(pipeline)
    document: dict[str, object] = {"schema": 1, "service": options.service, "binary": pipeline.binary}
    if options.output is None:
        show(options, write, document | {"text": text}, text.splitlines())
        return Exit.DONE
    changed = write_workflow(options.output, text, force=options.force)
    line = f"{'written' if changed else 'unchanged'}: {options.output}"
    show(options, write, document | {"file": str(options.output), "changed": changed}, [line])
    return Exit.DONE


def _add_schedule_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", default="day", metavar="TIMES", help="day (default), week, or a cron expression: '30 7 * * 1-5'"
    )
    parser.add_argument(
        "--kind", choices=tuple(SCHEDULERS), help="the scheduler (default: the one of this operating system)"
    )
    parser.add_argument("--fleet", type=Path, metavar="FILE", help="check the tokens listed in this TOML file")
    parser.add_argument(
        "--metrics", type=Path, metavar="FILE", help="have each run write metrics for node_exporter there"
    )
    actions = parser.add_mutually_exclusive_group()
    for action, text in (
        ("print", "show what would be written, and write nothing (default)"),
        ("install", "install the schedule; running it twice changes nothing"),
        ("remove", "remove the schedule and its files"),
        ("status", "show when it last ran, with what result, and when it runs next"),
    ):
        actions.add_argument(f"--{action}", action="store_const", const=action, dest="action", help=text)


def _schedule(options: argparse.Namespace, write: Write) -> int:
    """Exit status 1 for `--status` of a schedule that is not installed."""
    from release.adapters.system import system as systems
    from release.token_health.schedulers import base, default_kind

    system = systems.real_system()
    request = base.ScheduleRequest(
        directory=options.directory.resolve(), every=options.every,
        fleet=options.fleet and options.fleet.resolve(), config=options.config and options.config.resolve(),
        metrics=options.metrics and options.metrics.resolve(),
    )  # fmt: skip
    kind, name = options.kind or default_kind(system), base.job_name(request)
    scheduler = SCHEDULERS[kind](system, request)
    document: dict[str, object] = {"schema": 1, "kind": kind, "name": name}
    match "print" if options.plan else options.action or "print":
        case "status":
            status = scheduler.status()
            show(options, write, document | asdict(status), status.to_text(kind, name))
            return Exit.DONE if status.installed else Exit.REFUSED
        case "remove":
            removed = scheduler.remove()
            line = f"{'removed' if removed else 'nothing to remove'}: {name} ({kind})"
            show(options, write, document | {"changed": removed}, [line])
        case "install":
            explained = base.explain_job(system, request, kind, scheduler)
            changed = scheduler.install()
            line = f"{'installed' if changed else 'unchanged'}: {name} ({kind}); see also --status and --remove"
            show(options, write, document | {"changed": changed, "explanation": explained}, [*explained, line])
        case _:
            explained, texts = base.explain_job(system, request, kind, scheduler), scheduler.texts()
            lines = [f"# {line}" for line in explained]
            for place, text in texts.items():
                lines += ["", f"# {place}", *text.splitlines()]
            show(options, write, document | {"explanation": explained, "texts": texts}, lines)
    return Exit.DONE


COMMANDS = {"ci": Command(_add_ci_arguments, _ci), "schedule": Command(_add_schedule_arguments, _schedule)}

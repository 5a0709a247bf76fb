"""Verbs that write what other platforms run: workflows, and schedules."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from release.cli.output import Write, show
from release.core.errors import Exit

TEXTS = {
    "ci": "print a workflow that releases: build once, the same files to TestPyPI and to PyPI",
    "schedule": "have tokens looked at again and again: by systemd, cron, launchd, Windows, GitHub or GitLab",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    from release.publishing.ci import SERVICES

    own = made["ci"]
    own.add_argument("service", choices=tuple(SERVICES), help="whose workflow")
    wheels = own.add_mutually_exclusive_group()
    wheels.add_argument("--binary", action="store_true", default=None, help="wheels depend on the machine")
    wheels.add_argument("--pure", action="store_false", dest="binary", help="they do not (default: as it looks)")
    own.add_argument(
        "--requirements", metavar="FILE",
        help="the workflow installs its tools from this file of the project, with hashes (default: by version)",
    )  # fmt: skip
    own.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to standard output")
    own.add_argument("--force", action="store_true", help="replace the file even where it says something else")
    _arguments_of_schedule(made["schedule"])


def _arguments_of_schedule(own: argparse.ArgumentParser) -> None:
    own.add_argument(
        "--every",
        default="day",
        metavar="TIMES",
        help="day (default), week, or the five fields of cron: '30 7 * * 1-5'",
    )
    from release.token_health.schedulers import SCHEDULERS

    own.add_argument(
        "--kind", choices=tuple(SCHEDULERS),
        help="what runs it (default: this platform's own)",
    )  # fmt: skip
    own.add_argument("--fleet", type=Path, metavar="FILE", help="look at what this TOML file lists")
    own.add_argument("--metrics", type=Path, metavar="FILE", help="each run writes metrics there, for node_exporter")
    deeds = own.add_mutually_exclusive_group()
    for deed, text in (
        ("print", "say what would be written, and write nothing (default)"),
        ("install", "have it run; a second time changes nothing"),
        ("remove", "have it run no more, and remove what was installed"),
        ("status", "when it last ran, how that ended, and when it runs next"),
    ):
        deeds.add_argument(f"--{deed}", action="store_const", const=deed, dest="deed", help=text)


def ci(options: argparse.Namespace, write: Write) -> int:
    """A workflow, on standard output or in a file."""
    from release.adapters.system import system
    from release.publishing.ci import SERVICES
    from release.publishing.ci.pipeline import load_pipeline

    pipeline = load_pipeline(
        system.real_system(), options.directory.resolve(),
        file=options.config, wheels=options.binary, lock=options.requirements,
    )  # fmt: skip
    text = SERVICES[options.service].render_release(pipeline)
    deliver(options, write, {"schema": 1, "service": options.service, "binary": pipeline.binary}, text)
    return Exit.DONE


def deliver(options: argparse.Namespace, write: Write, document: dict[str, object], text: str) -> None:
    """Write a text to the file that is asked for, or else to the reader."""
    from release.publishing.ci.pipeline import write_workflow

    if options.output is None:
        show(options, write, document | {"text": text}, text.splitlines())
        return
    changed = write_workflow(options.output, text, force=options.force)
    said = f"{'written' if changed else 'unchanged'}: {options.output}"
    show(options, write, document | {"file": str(options.output), "changed": changed}, [said])


def schedule(options: argparse.Namespace, write: Write) -> int:
    """Print, install, remove a schedule, or say how it stands. Exit status 1 where it is not there to be told of."""
    from release.adapters.system import system as systems
    from release.token_health.schedulers import SCHEDULERS, default_kind, job
    from release.token_health.schedulers.base import explain

    system = systems.real_system()
    request = job.ScheduleRequest(
        directory=options.directory.resolve(), every=options.every,
        fleet=options.fleet and options.fleet.resolve(), config=options.config and options.config.resolve(),
        metrics=options.metrics and options.metrics.resolve(),
    )  # fmt: skip
    kind, name = options.kind or default_kind(system), job.job_name(request)
    scheduler = SCHEDULERS[kind](system, request)
    document: dict[str, object] = {"schema": 1, "kind": kind, "name": name}
    match "print" if options.plan else options.deed or "print":
        case "status":
            status = scheduler.status()
            show(options, write, document | status.to_json(), status.to_text(kind, name))
            return Exit.DONE if status.installed else Exit.REFUSED
        case "remove":
            removed = scheduler.remove()
            said = f"{'removed' if removed else 'there was nothing to remove'}: {name} ({kind})"
            show(options, write, document | {"changed": removed}, [said])
        case "install":
            explained = explain(system, request, kind, scheduler)
            changed = scheduler.install()
            done = f"{'installed' if changed else 'unchanged'}: {name} ({kind}); --status and --remove go with it"
            show(options, write, document | {"changed": changed, "explanation": explained}, [*explained, done])
        case _:
            explained, texts = explain(system, request, kind, scheduler), scheduler.texts()
            shown = [f"# {line}" for line in explained]
            for place, text in texts.items():
                shown += ["", f"# {place}", *text.splitlines()]
            show(options, write, document | {"explanation": explained, "texts": texts}, shown)
    return Exit.DONE


HANDLERS = {"ci": ci, "schedule": schedule}

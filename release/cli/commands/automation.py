"""The commands that write CI workflows and schedules."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.command import READS_PROJECT, Command, Write, show
from release.cli.output_streams import write_document
from release.core.errors import Exit, RefusedError, UsageError
from release.core.harmless import harmless_json
from release.core.quoting import escape_unprintable
from release.publishing.ci import SERVICES, SET_SERVICES
from release.token_health.schedulers import SCHEDULERS

if TYPE_CHECKING:
    from release.publishing.ci.pipeline import Pipeline


def _add_ci_arguments(parser: argparse.ArgumentParser) -> None:
    services = tuple(dict.fromkeys((*SERVICES, *SET_SERVICES)))
    parser.add_argument("service", choices=services, help="the CI service")
    parser.add_argument(
        "--set", action="store_true", dest="for_set", help="release the projects below this directory as a set"
    )
    parser.add_argument(
        "--from", type=Path, metavar="FILE", dest="plan_file",
        help="with --set, in a run of the workflow: print the jobs of the plan in FILE, from 'set plan --json'",
    )  # fmt: skip
    for option, text in (("--levels", "levels"), ("--builds", "levels of builds")):
        parser.add_argument(
            option, type=int, default=0, metavar="N", help=f"with --from: the number of {text} of the workflow"
        )
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
    """Print or write a workflow. Raises `UsageError` for options that do not go together."""
    from release.adapters.system import system
    from release.publishing.ci.pipeline import load_pipeline
    from release.token_health.schedulers.cron_expression import parse_cron

    if options.plan_file is not None and not options.for_set:
        raise UsageError("--from is for the plan of a set", remedy="pass --set, too")
    if options.for_set and options.binary is not None:
        raise UsageError(
            "--binary and --pure are for a single project",
            remedy="omit them; to have a member built on each platform, add [tool.cibuildwheel] to its pyproject.toml",
        )
    if options.service not in SERVICES and not options.for_set:
        raise UsageError(
            f"there is no workflow of a single project for {options.service!r}",
            remedy=f"use one of {', '.join(SERVICES)}; or release a set: pypi-preflight ci {options.service} --set",
        )
    directory = options.directory.resolve()
    proof = None if options.prove == "never" else parse_cron(options.prove, directory.name, option="--prove").text
    pipeline = load_pipeline(
        system.real_system(), directory,
        file=options.config, wheels=options.binary, lock=options.requirements, proof=proof,
    )  # fmt: skip
    if options.plan_file is not None:
        text = _set_run_text(options, pipeline)
    elif options.for_set:
        text = _set_text(options, pipeline)
    else:
        text = SERVICES[options.service].render_release(pipeline)
    return _write_text(options, write, text, {"binary": pipeline.binary})


def _set_text(options: argparse.Namespace, root: Pipeline) -> str:
    """The workflow for all members that can be released, whether or not they are released now."""
    from release.adapters.system import system as systems
    from release.publishing.ci.set_pipeline import load_member_pipelines, make_set_pipeline
    from release.publishing.sets.collect_set import load_set

    system, directory = systems.real_system(), options.directory.resolve()
    release_set = load_set(system, directory, config_file=options.config, offline=True)
    for one in release_set.members:
        if one.problem is not None:
            raise RefusedError(f"{one.member.name}: {one.problem.reason}", remedy=one.problem.remedy)
    members = [one.member for one in release_set.members if not one.member.private]
    pipelines = load_member_pipelines(system, directory, members)
    return SET_SERVICES[options.service].render_set(make_set_pipeline(root, release_set, pipelines))


def _set_run_text(options: argparse.Namespace, root: Pipeline) -> str:
    """What a run of the workflow reads of its plan. Raises `RefusedError` where it has too few jobs for the plan."""
    from release.publishing.ci.set_pipeline import highest_build_level, load_set_plan, require_fitting_plan

    plan = load_set_plan(options.plan_file)
    if options.levels or options.builds:
        again = f"pypi-preflight ci {options.service} --set --force --output {_workflow_file()}"
        require_fitting_plan(plan, levels=options.levels, builds=options.builds, regenerate=again)
    levels, builds = options.levels or len(plan["levels"]), options.builds or highest_build_level(plan)
    return SET_SERVICES[options.service].render_set_run(plan, root, levels=levels, builds=builds)


def _workflow_file() -> str:
    """The file of the workflow that runs. Source: GitHub documentation, "Variables reference" (GITHUB_WORKFLOW_REF)."""
    found = re.fullmatch(r"[^/]+/[^/]+/([^@]+)@.+", os.environ.get("GITHUB_WORKFLOW_REF", ""))
    return found[1] if found else ".github/workflows/release.yml"


def _write_text(options: argparse.Namespace, write: Write, text: str, more: dict[str, object]) -> int:
    from release.publishing.ci.pipeline import write_workflow

    document: dict[str, object] = {"schema": 1, "service": options.service, **more}
    if options.output is None:
        written = harmless_json(document | {"text": text}) if options.json else text
        write_document(write, written if written.endswith("\n") else written + "\n")
        return Exit.DONE
    changed = write_workflow(options.output, text, force=options.force)
    line = f"{'written' if changed else 'unchanged'}: {escape_unprintable(str(options.output))}"
    show(options, write, document | {"file": str(options.output), "changed": changed}, [line])
    return Exit.DONE


def _add_schedule_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", default="day", metavar="TIMES", help="day (default), week, or a cron expression: '30 7 * * 1-5'"
    )
    parser.add_argument(
        "--kind",
        choices=tuple(SCHEDULERS),
        metavar="KIND",
        help=f"the scheduler: {', '.join(SCHEDULERS)} (default: the one of this operating system)",
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
    from msgspec.structs import asdict

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


COMMANDS = {
    "ci": Command(_add_ci_arguments, _ci),
    "schedule": Command(_add_schedule_arguments, _schedule, READS_PROJECT | {"plan"}),
}

"""The command that confirms a published release: any release, or the one in this project's journal."""

from __future__ import annotations

import argparse
from pathlib import Path

from release.cli.command import RUNS, Command, Write, open_console, show
from release.cli.commands import release_run
from release.cli.offline_commands import require_online
from release.core.errors import Exit
from release.core.harmless import harmless_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    release_run.add_plan_options(parser, "--index")
    parser.add_argument(
        "release", nargs="?", metavar="NAME==VERSION",
        help="any release; no project is needed (default: this project's release, from its journal)",
    )  # fmt: skip
    parser.add_argument("--record", type=Path, metavar="FILE", help="compare with this release record (record.json)")


def _confirm(options: argparse.Namespace, write: Write) -> int:
    if options.release is None and options.record is None:
        return release_run.run_plan(options, write)
    from release.adapters.system import system
    from release.publishing import confirmation, inspection
    from release.reports import run_text
    from release.reports.ending import Ending, ending_to_lines

    request = confirmation.parse_request(options.release, options.record)
    directory = options.directory.resolve()
    index = inspection.find_index(options.index or "pypi", directory, options.config)
    if options.plan:
        release = {"project": request.project.name, "version": request.project.version, "index": index.name}
        steps = [{"step": step} for step in run_text.CONFIRM_STEPS]
        numbered = [f"  {number}. {step}" for number, step in enumerate(run_text.CONFIRM_STEPS, 1)]
        title = f"confirm: {request.project.name} {request.project.version} on {index.name}"
        show(options, write, {"schema": 1, "verb": "confirm", **release, "steps": steps}, [title, *numbered])
        return Exit.DONE
    require_online("confirm", [index], system.real_system().env)
    with open_console(options, write) as console:
        config = confirmation.config_for(directory, options.config, request.project.name)
        result = confirmation.confirm_release(
            system.real_system(), index, request, config=config, notify=console.on_event
        )  # fmt: skip
        passed = result.exit == Exit.DONE
        ending = Ending(command="confirm", message=result.message, remedy=result.remedy, passed=passed)
        console.show(ending_to_lines(ending, width=console.width))
    if options.json:
        write(harmless_json(run_text.confirmation_to_json(result)))
    return result.exit


COMMANDS = {"confirm": Command(_add_arguments, _confirm, RUNS)}

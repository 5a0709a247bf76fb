"""The command that rotates a token, from a terminal or a script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.command import RUNS, Command, Write, ask_yes_no
from release.cli.offline_commands import require_online
from release.core.errors import Exit, UsageError
from release.core.harmless import harmless_json

if TYPE_CHECKING:
    from release.core.models.index import Index
    from release.token_health.rotation.perform import RotationPrompts
    from release.token_health.rotation.rotation_plan import RotationRequest

#: seconds to wait on a terminal until the old token is revoked
_WAIT = 600.0
_ATTEMPTS = 3


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--index", metavar="NAME", default="pypi", help="the index that the token is for (default: pypi)"
    )
    parser.add_argument("--project", metavar="NAME", help="the project (default: the project in the directory)")
    parser.add_argument("--fleet", type=Path, metavar="FILE", help="also check the locations listed in this TOML file")
    parser.add_argument("--leaked", action="store_true", help="the old token is known to others: delete it first")
    parser.add_argument(
        "--gh", nargs="*", metavar="SECRET",
        help="also set these secrets of the GitHub repository, with gh; without names, those named like the token",
    )  # fmt: skip
    parser.add_argument(
        "--yes", action="store_true", help="do not prompt, replace all copies; the new token is read from a pipe"
    )
    parser.add_argument("--open", action="store_true", help="open the index's pages in a browser")
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="how long to wait until the old token is revoked")
    parser.add_argument("--insecure-backend", action="store_true", help="accept a keyring that is a readable file")


def _rotate(options: argparse.Namespace, write: Write) -> int:
    """Rotate the token; with `--plan`, only show what would be done."""
    terminal = not (options.json or options.quiet or options.yes) and sys.stdin.isatty() and sys.stdout.isatty()
    if not (terminal or options.yes or options.plan):
        raise UsageError("cannot prompt: not on a terminal", remedy="run it in a terminal, or pass --yes")
    from release.token_health.rotation import new_token, perform, rotation_plan, rotation_text

    def print_line(line: str) -> None:
        if not (options.json or (options.quiet and not options.plan)):
            write(f"{line}\n")

    request = _request(options)
    plan = rotation_plan.plan_rotation(request)
    for line in rotation_text.old_token_to_text(request, plan):
        print_line(line)
    if options.plan:
        write(harmless_json(rotation_text.rotation_to_json(request, plan, None)) if options.json else "")
        for line in rotation_text.plan_to_text(plan):
            print_line(line)
        return Exit.DONE
    timeout = options.wait if options.wait is not None else _WAIT if terminal else 0.0
    prompts = _prompts(options, request.index, print_line, write, terminal=terminal)
    rotation = perform.Rotation(request=request, plan=plan, prompts=prompts, timeout=timeout)
    result = rotation.run()
    if options.json:
        write(harmless_json(rotation_text.rotation_to_json(request, plan, result)))
    else:
        narrower = rotation.new is not None and new_token.is_narrower(plan, rotation.new)
        write("".join(f"{line}\n" for line in rotation_text.result_to_text(request, result, narrower=narrower)))
    return result.status


def _request(options: argparse.Namespace) -> RotationRequest:
    """Raises ConfigError, UsageError, ToolError."""
    from release.adapters.system import state_directory, system
    from release.cli.credential_prompts import load_project
    from release.token_health import fleet
    from release.token_health.rotation.rotation_plan import RotationRequest

    real, directory = system.real_system(), options.directory.resolve()
    config, project = load_project(real, directory, options)
    index = config.index(options.index)
    if not options.plan:
        require_online("rotate", [index], real.env)
    if options.wait is not None and options.wait < 0:
        raise UsageError(f"--wait is negative: {options.wait:g}", remedy="pass 0 or more")
    file = options.fleet
    if file is not None:
        listed = fleet.load_fleet_file(file)
    else:
        listed = fleet.parse_fleet(config.fleet, config.indexes, passed=config.pass_environment)
    return RotationRequest(
        system=real, index=index, project=project, directory=directory, fleet=listed.entries, leaked=options.leaked,
        fleet_directory=options.fleet.resolve().parent if options.fleet else directory,
        state=state_directory.state_directory(real.env, options.state_dir), secrets=_secrets(options, index, directory),
        insecure=options.insecure_backend,
    )  # fmt: skip


def _secrets(options: argparse.Namespace, index: Index, directory: Path) -> tuple[str, ...]:
    if options.gh != []:  # without names: those of the repository
        return tuple(dict.fromkeys(options.gh or ()))
    from release.adapters.github import actions_secrets
    from release.adapters.system import system
    from release.credentials.sources import tool_variables

    names = actions_secrets.list_secret_names(system.real_system(), directory)
    return tuple(one for one in names if tool_variables.is_for(one, index))


def _prompts(
    options: argparse.Namespace, index: Index, print_line: Callable[[str], None], write: Write, *, terminal: bool
) -> RotationPrompts:
    from release.cli.credential_prompts import read_token
    from release.token_health.rotation.perform import RotationPrompts

    ask = partial(ask_yes_no, write)

    def show_page(address: str) -> None:
        print_line(f"  → {address}")
        if options.open and terminal:
            import webbrowser

            webbrowser.open(address)

    return RotationPrompts(
        report=print_line, confirm_change=ask if terminal else lambda _question: True,
        confirm_fact=ask if terminal else lambda _question: False,
        read_token=lambda: read_token(index, "rotate", options.project), show_page=show_page,
        attempts=_ATTEMPTS if terminal else 1,
    )  # fmt: skip


COMMANDS = {
    "rotate": Command(
        _add_arguments, _rotate, RUNS - {"verbose"},
        epilog="exit status: 0 done · 1 refused, or a location still has the old token · "
        "2 usage or configuration error · 5 all locations have the new token, but the old one may not be revoked",
    )
}  # fmt: skip

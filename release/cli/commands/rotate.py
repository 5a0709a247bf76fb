"""The verb that rotates a token, with somebody at a terminal or a script."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.output import Write, as_json
from release.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from release.core.models.index import Index
    from release.token_health.rotation.discovery import RotationRequest
    from release.token_health.rotation.perform import RotationPrompts

TEXTS = {"rotate": "replace a token by a new one wherever it lies, and see the old one dead"}
#: seconds for which the old token is watched on a terminal
_WAIT = 600.0
_ATTEMPTS = 3


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of this verb."""
    own = made["rotate"]
    own.epilog = (
        "exit status: 0 done · 1 refused, or a place still has the old token · 2 usage or configuration · "
        "5 all places have the new token, and the old one is not known to be dead"
    )
    own.add_argument("--index", metavar="NAME", default="pypi", help="the index that the token is for (default: pypi)")
    own.add_argument("--project", metavar="NAME", help="the project (default: the one of the directory)")
    own.add_argument("--fleet", type=Path, metavar="FILE", help="look at the places that this TOML file lists too")
    own.add_argument("--leaked", action="store_true", help="others have seen the old token: delete it first")
    own.add_argument(
        "--gh", nargs="*", metavar="SECRET",
        help="set these secrets of the repository on GitHub too, by gh; without names, those that look like the token",
    )  # fmt: skip
    own.add_argument("--yes", action="store_true", help="ask nothing, replace everywhere; the token comes from a pipe")
    own.add_argument("--open", action="store_true", help="open the index's pages in the browser")
    own.add_argument("--wait", type=float, metavar="SECONDS", help="watch the old token for so long until it is dead")
    own.add_argument("--insecure-backend", action="store_true", help="even where the keyring is a readable file")
    own.add_argument("--state", type=Path, metavar="DIR", help="remember it there ($PYPI_PREFLIGHT_STATE)")


def rotate(options: argparse.Namespace, write: Write) -> int:
    """The whole rotation, or with `--plan` what it would do."""
    terminal = not (options.json or options.quiet or options.yes) and sys.stdin.isatty() and sys.stdout.isatty()
    if not (terminal or options.yes or options.plan):
        raise UsageError("there is nobody to ask", remedy="run it in a terminal, or let it replace everything: --yes")
    from release.token_health.rotation import discovery, new_token, perform, rotation_text

    def tell(line: str) -> None:
        if not (options.json or options.quiet):
            write(f"{line}\n")

    request = _request(options)
    plan = discovery.plan_rotation(request)
    for line in rotation_text.old_token_to_text(request, plan):
        tell(line)
    if options.plan:
        write(as_json(rotation_text.rotation_to_json(request, plan, None)) if options.json else "")
        for line in rotation_text.plan_to_text(plan):
            tell(line)
        return Exit.DONE
    timeout = options.wait if options.wait is not None else _WAIT if terminal else 0.0
    prompts = _prompts(request.index, tell, write, terminal=terminal, browser=options.open)
    rotation = perform.Rotation(request=request, plan=plan, prompts=prompts, timeout=timeout)
    result = rotation.run()
    if options.json:
        write(as_json(rotation_text.rotation_to_json(request, plan, result)))
    else:
        narrower = rotation.new is not None and new_token.is_narrower(plan, rotation.new)
        write("".join(f"{line}\n" for line in rotation_text.result_to_text(request, result, narrower=narrower)))
    return result.status


def _request(options: argparse.Namespace) -> RotationRequest:
    """Raises ConfigError, UsageError, ToolError."""
    from release.adapters import collect
    from release.adapters.system import system
    from release.cli.credential_prompts import subject
    from release.token_health import fleet, health_history
    from release.token_health.rotation.discovery import RotationRequest

    real, directory = system.real_system(), options.directory.resolve()
    config, project = subject(real, directory, options)
    index = config.index(options.index)
    if options.wait is not None and options.wait < 0:
        raise UsageError(f"--wait must not be negative, and is {options.wait:g}", remedy="give 0 or more")
    if options.fleet is not None:
        listed = fleet.parse_fleet_file(collect.load_toml(options.fleet), str(options.fleet)).entries
    else:
        listed = fleet.parse_fleet(config.fleet, config.indexes).entries
    return RotationRequest(
        system=real, index=index, project=project, directory=directory, fleet=listed, leaked=options.leaked,
        fleet_directory=options.fleet.resolve().parent if options.fleet else directory,
        state=health_history.state_directory(real.env, options.state), secrets=_secrets(options, index, directory),
        insecure=options.insecure_backend,
    )  # fmt: skip


def _secrets(options: argparse.Namespace, index: Index, directory: Path) -> tuple[str, ...]:
    if options.gh is None:
        return ()
    from release.adapters.github import actions_secrets
    from release.adapters.system import system
    from release.credentials.sources import tool_variables

    if options.gh:
        return tuple(dict.fromkeys(options.gh))
    return tuple(
        one
        for one in actions_secrets.list_secret_names(system.real_system(), directory)
        if tool_variables.is_for(one, index)
    )


def _prompts(
    index: Index, tell: Callable[[str], None], write: Write, *, terminal: bool, browser: bool
) -> RotationPrompts:
    from release.cli.credential_prompts import typed
    from release.token_health.rotation.perform import RotationPrompts

    def asks(question: str) -> bool:
        write(f"{question} [y/N] ")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def page(address: str) -> None:
        tell(f"  → {address}")
        if browser and terminal:
            import webbrowser

            webbrowser.open(address)

    return RotationPrompts(
        report=tell, confirm_change=asks if terminal else lambda _question: True,
        confirm_fact=asks if terminal else lambda _question: False,
        read_token=lambda: typed(index, "rotate"), show_page=page, attempts=_ATTEMPTS if terminal else 1,
    )  # fmt: skip


HANDLERS = {"rotate": rotate}

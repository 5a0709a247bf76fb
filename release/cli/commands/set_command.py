"""The command `set`: several projects as one release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from release.cli.command import (
    RUNS,
    Command,
    Write,
    add_global_options,
    ask_yes_no,
    fit_lines,
    open_set_console,
    read_line,
    repeat_command,
    show,
)
from release.cli.offline_commands import require_online
from release.cli.project_options import complete_commands
from release.core.errors import Exit, RefusedError, ReleaseError
from release.core.harmless import harmless_json
from release.core.offline import is_offline

if TYPE_CHECKING:
    from release.cli.terminal.set_console import SetConsole
    from release.core.models.release_set import ReleaseSet
    from release.core.models.set_results import SetVerb
    from release.core.repeated_command import RepeatedCommand
    from release.publishing.sets.set_options import Approve, ApproveNew, SetRunOptions

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--only": {"nargs": "+", "metavar": "NAME", "help": "these members only"},
    "--index": {"metavar": "NAME", "help": "this index only, by its name in the configuration"},
    "--files": {
        "nargs": "+", "type": Path, "metavar": "PATH",
        "help": "files that were built before, or directories of them; no source is needed",
    },
    "--yes": {"action": "store_true", "help": "do not prompt before the first step that cannot be undone"},
    "--new-project": {
        "nargs": "+", "metavar": "NAME", "help": "the names of the projects that this release may create",
    },
    "--dry-run-on": {
        "choices": ("testpypi", "sandbox", "none"),
        "help": "the index on which the same files must have passed before (default: testpypi)",
    },
    "--allow": {
        "action": "store_true",
        "help": "exit with status 0 even if failed checks would block a release, as long as the rehearsal goes through",
    },
    "--offline": {"action": "store_true", "help": "contact no index"},
    "wish": {"nargs": "?", "metavar": "VERSION", "help": "the next version, or which part of it is raised"},
}  # fmt: skip

#: the options that the same command needs again: not `--yes`, which was for this time
_REPEATED = ("index", "dry_run_on", "allow", "offline", "only", "new_project", "files")

_DEFAULTS: Mapping[str, Any] = {
    "only": (), "index": None, "files": (), "yes": False, "new_project": (), "dry_run_on": None, "allow": False,
    "offline": False, "wish": None,
}  # fmt: skip


class _Subcommand(NamedTuple):
    """One word after `set`."""

    text: str
    options: tuple[str, ...]
    run: Callable[[argparse.Namespace, Write], int]


def _list(options: argparse.Namespace, write: Write) -> int:
    """Show the members in their order, and what would be released."""
    from release.reports import set_list

    found = _load(options)
    show(options, write, set_list.set_to_json(found), (line.text for line in set_list.set_to_lines(found)))
    return Exit.DONE


def _run(options: argparse.Namespace, write: Write) -> int:
    """Check, rehearse or release the set; with `--plan`, only show what would be released."""
    from msgspec.structs import replace

    from release.publishing.sets import set_runner
    from release.reports import set_list, set_text

    found = _load(options)
    if options.plan:
        show(options, write, set_list.set_to_json(found), (line.text for line in set_list.set_to_lines(found)))
        return Exit.DONE
    asks = options.action == "release" and options.index != "testpypi" and bool(found.levels)
    if asks and not options.yes and not sys.stdin.isatty():
        raise ReleaseError("cannot prompt: standard input is not a terminal", remedy="pass --yes to skip the prompt")
    with ExitStack() as ending:
        with open_set_console(options, write) as console:
            console.align(set_runner.phase_titles(found, options.action))
            result, record = set_runner.execute_set(found, _run_options(options, console, write), ending=ending)
        if options.json:
            write(harmless_json(record))
        if "pypi-preflight set " in result.remedy:  # that of a member is for its own directory
            result = replace(result, remedy=complete_commands(result.remedy, options))
        console.show(set_text.set_run_to_lines(result, width=console.columns))
        return int(result.exit)


def _plan(options: argparse.Namespace, write: Write) -> int:
    """Show the jobs that release the set, for the engine that runs them."""
    from release.adapters.system import system as systems
    from release.publishing.sets.collect_set_plan import collect_set_plan
    from release.publishing.sets.read_members import load_set_config
    from release.publishing.sets.set_plan import set_plan_to_lines

    found, directory = _load(options), options.directory.resolve()
    config = load_set_config(directory, options.config)
    document = collect_set_plan(
        systems.real_system(), directory, config, found, new_projects=options.new_project
    )  # fmt: skip
    show(options, write, document, set_plan_to_lines(document))
    return Exit.DONE


def _status(options: argparse.Namespace, write: Write) -> int:
    """Show what each index has of the members, and the command that continues."""
    from release.adapters.system import system as systems
    from release.publishing.sets.set_status import load_set_status, set_status_to_json, set_status_to_lines

    offline = options.offline or is_offline(systems.real_system().env)
    status = load_set_status(
        options.directory.resolve(), _load(options), command=_again(options), offline=offline
    )  # fmt: skip
    show(options, write, set_status_to_json(status), fit_lines(set_status_to_lines(status)))
    return Exit.DONE


def _run_options(options: argparse.Namespace, console: SetConsole, write: Write) -> SetRunOptions:
    from release.adapters.system import system as systems
    from release.publishing.sets.read_members import load_set_config
    from release.publishing.sets.set_options import SetRunOptions

    system, directory = systems.real_system(), options.directory.resolve()
    verb: SetVerb = options.action
    return SetRunOptions(
        verb=verb, directory=directory, config=load_set_config(directory, options.config), system=system,
        notify=console.on_event, approve=_approval(options, console, write),
        approve_new=_approval_of_new(console, write), command=_again(options),
        index=options.index, new_projects=tuple(options.new_project), dry_run_on=options.dry_run_on,
        allow=options.allow, offline=options.offline or is_offline(system.env),
    )  # fmt: skip


def _approval(options: argparse.Namespace, console: SetConsole, write: Write) -> Approve:
    """Asks before the first step that cannot be undone."""
    from release.reports import set_list

    def approve(found: ReleaseSet) -> bool:
        if options.yes or options.index == "testpypi":
            return True
        with console.paused():
            console.show(set_list.set_to_lines(found))
            return ask_yes_no(write, "Continue? The following steps cannot be undone.")

    return approve


def _approval_of_new(console: SetConsole, write: Write) -> ApproveNew:
    """Lets the names of the projects be typed: one with a misspelled name stays there. Raises `RefusedError`."""

    def approve_new(new: Sequence[tuple[str, str]]) -> None:
        names, index = [name for name, _ in new], new[0][1]
        typed: list[str] = []
        if sys.stdin.isatty():
            with console.paused():
                write(f"{index} has no {', '.join(names)}. Type the names to create them: ")
                typed = read_line().replace(",", " ").split()
        missing = [name for name in names if name not in typed]
        if missing:
            which = f"the project {names[0]!r}" if len(names) == 1 else f"{len(names)} projects: {', '.join(names)}"
            left = f"; not confirmed: {', '.join(missing)}" if typed else ""
            raise RefusedError(
                f"this release would create on {index} {which}{left}",
                remedy=f"to create {'it' if len(names) == 1 else 'them'}, pass --new-project {' '.join(names)}",
                option=("--new-project", *names),
            )

    return approve_new


def _load(options: argparse.Namespace) -> ReleaseSet:
    from release.adapters.system import system as systems
    from release.publishing import prebuilt
    from release.publishing.sets.collect_set import load_set
    from release.publishing.sets.read_members import load_set_config

    system = systems.real_system()
    asks_indexes = options.action in {"check", "release"}  # without them, each member would seem unreleased
    if asks_indexes:
        config = load_set_config(options.directory.resolve(), options.config)
        require_online(f"set {options.action}", [config.index(options.index or "pypi")], system.env)
    return load_set(
        system, options.directory, config_file=options.config, only=options.only, index=options.index,
        dry_run_on=options.dry_run_on,
        offline=not asks_indexes and (options.offline or is_offline(system.env)),
        files=prebuilt.find_files(options.files),
    )  # fmt: skip


def _again(options: argparse.Namespace) -> RepeatedCommand:
    """The command that does the same again."""
    return repeat_command(options, "set", options.action, keep=_REPEATED)


def _prepare(options: argparse.Namespace, write: Write) -> int:
    """Prepare the release of the members that have changed; with `--plan`, only show what would be changed."""
    from release.cli.set_preparation import run_set_prepare

    return run_set_prepare(options, write)


_SUBCOMMANDS: Mapping[str, _Subcommand] = {
    "list": _Subcommand(
        "show the members in the order of their requirements, and which of them would be released",
        ("--only", "--index", "--files", "--offline"), _list,
    ),
    "prepare": _Subcommand(
        "bump the versions of the members that have changed, date their changelogs, and commit",
        ("wish", "--only", "--yes", "--offline"), _prepare,
    ),
    "check": _Subcommand(
        "check the source and the credentials of all members", ("--only", "--index", "--new-project"), _run
    ),
    "rehearse": _Subcommand(
        "rehearse the release of all members on one embedded index",
        ("--only", "--files", "--allow", "--offline"), _run,
    ),
    "release": _Subcommand(
        "release the members: a gate for all of them, then level by level to TestPyPI, then to PyPI",
        ("--only", "--index", "--files", "--yes", "--dry-run-on", "--new-project"), _run,
    ),
    "status": _Subcommand(
        "show what each index has of the members, and the command that continues",
        ("--only", "--index", "--files", "--dry-run-on", "--offline"), _status,
    ),
    "plan": _Subcommand(
        "show the jobs that release the set, for the engine that runs them; as JSON with --json",
        ("--only", "--index", "--dry-run-on", "--new-project", "--offline"), _plan,
    ),
}  # fmt: skip


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(show_help=parser.print_help)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, one in _SUBCOMMANDS.items():
        sub = actions.add_parser(name, help=one.text, description=one.text)
        for option in one.options:
            sub.add_argument(option, **_OPTIONS[option])
        add_global_options(sub, RUNS if one.run in {_run, _prepare} else RUNS - {"plan"})
        sub.set_defaults(**_DEFAULTS)


def _run_subcommand(options: argparse.Namespace, write: Write) -> int:
    if options.action is None:
        options.show_help()
        return Exit.DONE
    return _SUBCOMMANDS[options.action].run(options, write)


COMMANDS = {"set": Command(_add_arguments, _run_subcommand, RUNS)}

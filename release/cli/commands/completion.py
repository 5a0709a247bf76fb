"""The command that prints the completion script of a shell, and what that script calls."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from release.cli.argparse_import import untranslated
from release.cli.command import Command, Write
from release.core.errors import Exit
from release.core.harmless import OwnText

#: shell → where its script goes
_SHELLS = {
    "bash": 'eval "$(pypi-preflight completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(pypi-preflight completion zsh)" in ~/.zshrc, after compinit',
    "fish": "pypi-preflight completion fish | source in ~/.config/fish/config.fish",
    "powershell": "pypi-preflight completion powershell | Out-String | Invoke-Expression in $PROFILE",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(_SHELLS), help="; ".join(_SHELLS.values()))


def _completion(options: argparse.Namespace, write: Write) -> int:
    """Print the script. Source: argcomplete 3.7, "Support for other shells"."""
    from argcomplete.shell_integration import shellcode

    write(OwnText(shellcode(["pypi-preflight"], shell=options.shell)))
    return Exit.DONE


def complete() -> None:
    """Print the completions of the words in the environment, and exit. Only their commands are loaded.

    Source: argcomplete 3.7, "Activating global completion": COMP_LINE is the line so far.
    """
    with untranslated():
        import argcomplete

    from release.cli.commands import COMMANDS as ENTRIES
    from release.cli.parser import full_parser

    words = os.environ.get("COMP_LINE", "").split()
    parser = full_parser(name for name in ENTRIES if name in words)
    _add_completers(parser)
    argcomplete.autocomplete(parser)


def _add_completers(parser: argparse.ArgumentParser) -> None:
    """Complete names that no list of choices has: causes, checks, indexes."""
    for action in _all_actions(parser):
        if action.dest == "cause":
            action.completer = _explained_names  # type: ignore[attr-defined] # argcomplete reads it there
        elif action.dest == "wish":
            action.completer = _bumps  # type: ignore[attr-defined]
        elif action.option_strings == ["--index"]:
            action.completer = _index_names  # type: ignore[attr-defined]


def _all_actions(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - the only list of them
        yield action
        if isinstance(action.choices, dict):
            for one in action.choices.values():
                yield from _all_actions(one)


def _explained_names(**_: object) -> list[str]:
    from release.checks.all_checks import check_names
    from release.diagnostics.catalog import CATALOG

    return [*CATALOG, *check_names()]


def _bumps(**_: object) -> tuple[str, ...]:
    from release.core.next_version import WORDS

    return WORDS


def _index_names(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from pathlib import Path

    from release.adapters.project_config import load_config
    from release.checks.all_checks import check_names
    from release.core.config import Config
    from release.core.errors import ReleaseError

    try:
        config = load_config(getattr(parsed_args, "directory", Path()), check_names=check_names, needs_project=False)
    except ReleaseError:
        config = Config()
    return list(config.indexes)


COMMANDS = {"completion": Command(_add_arguments, _completion, frozenset())}

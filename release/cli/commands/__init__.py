"""The commands. To add one, write a module with `COMMANDS` here, and add it to `COMMANDS` below.

`release.cli.parser` declares the options; `release.cli.main` runs the command, handles errors and returns the exit
status. Only the module of the command that runs is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from release.cli.command import Command


class _Entry:
    """A command in the list of all commands."""

    __slots__ = ("group", "module", "text")

    def __init__(self, group: str, module: str, text: str) -> None:
        #: a heading of the help
        self.group = group
        #: in this package
        self.module = module
        #: at most 64 characters, so that a line of the help fits a terminal
        self.text = text


#: name of a command → its entry; in the order of the help
COMMANDS: Mapping[str, _Entry] = {
    "check": _Entry("release", "release_run", "check the source and the credentials for each index"),
    "build": _Entry("release", "release_run", "build sdist and wheel from a clean clone, and check them"),
    "rehearse": _Entry("release", "release_run", "rehearse a release on an embedded index, without credentials"),
    "testpypi": _Entry("release", "release_run", "upload the same files to TestPyPI and test them: a dry run"),
    "publish": _Entry("release", "release_run", "upload built files to PyPI, and confirm the release"),
    "release": _Entry("release", "release_run", "all of these: check, build, rehearse, TestPyPI, PyPI, tag"),
    "prepare": _Entry("release", "prepare", "bump the version, date the changelog, check and commit"),
    "set": _Entry("release", "set_command", "release several projects that depend on each other as one"),
    "confirm": _Entry("release", "confirm", "confirm a published release: hashes, clean install, smoke test"),
    "status": _Entry("release", "inspect", "show what was built, and what was uploaded where"),
    "report": _Entry("release", "report", "report what the runs for a version did, also as a file"),
    "history": _Entry("release", "report", "list the releases of this project, newest first"),
    "verify": _Entry("credentials", "credentials", "verify a credential: source, kind, scope, whether it works"),
    "diagnose": _Entry("credentials", "diagnose", "find the cause of a failed upload, or of the next one"),
    "explain": _Entry("credentials", "diagnose", "explain a cause or a check, and how to fix it"),
    "store": _Entry("credentials", "credentials", "verify a token, and store it where uploads read it"),
    "rotate": _Entry("credentials", "rotate", "replace a token everywhere, and confirm that it is revoked"),
    "inspect": _Entry("files", "inspect", "check whether PyPI would accept these files"),
    "leaks": _Entry("files", "inspect", "search files or the whole history for tokens and keys"),
    "tokens": _Entry("token health", "tokens", "show the health of all tokens of a project or fleet"),
    "schedule": _Entry("token health", "automation", "schedule recurring token checks"),
    "ci": _Entry("automation", "automation", "print a workflow that releases by trusted publishing"),
    "config": _Entry("automation", "configuration", "show the settings and where they come from, or check them"),
    "sandbox": _Entry("automation", "embedded_index", "run the embedded index in the foreground"),
    "completion": _Entry("automation", "completion", "print the completion script of a shell"),
}

#: heading → its commands, in the order of the help
GROUPS: Mapping[str, tuple[str, ...]] = {
    group: tuple(name for name, entry in COMMANDS.items() if entry.group == group)
    for group in dict.fromkeys(entry.group for entry in COMMANDS.values())
}


def load_command(name: str) -> Command:
    """Import the module of a command."""
    command: Command = import_module(f"{__name__}.{COMMANDS[name].module}").COMMANDS[name]
    return command

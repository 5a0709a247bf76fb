"""The commands. To add one, write a module with `COMMANDS` here, and add it to `_MODULES`.

`release.cli.main` declares the options, prints, handles errors and returns the exit status. Only the module of the
command that runs is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from release.cli.command import Command

#: module → its commands, each with its line of help; in the order of the help text
_MODULES: Mapping[str, Mapping[str, str]] = {
    "release_run": {
        "check": "check the source and the credentials for each index",
        "build": "build sdist and wheel from a clean clone of the commit, and check them",
        "rehearse": "do a whole release on an embedded index; needs no credentials, no tag and no clean working tree",
        "testpypi": "do a dry run: upload the same files to TestPyPI, install them from there and test them",
        "publish": "upload the built files to PyPI, and confirm the release",
        "release": "do all steps: check, build, rehearse, TestPyPI, PyPI, confirm, tag",
    },
    "set_command": {"set": "release several projects that depend on each other as one"},
    "confirm": {"confirm": "confirm a published release: hashes, clean install, smoke test"},
    "inspect": {
        "inspect": "check whether PyPI would accept these files",
        "leaks": "search for tokens, keys and credential files: in files, staged changes or the whole history",
        "status": "show the status of this project's releases",
    },
    "diagnose": {
        "diagnose": "find the cause of a failed upload, or what would block the next one, and how to fix it",
        "explain": "explain a cause or a check: what it is, and how to fix it",
    },
    "credentials": {
        "verify": "verify a credential: where it comes from, what it is, and whether an upload would be accepted",
        "store": "verify a token and store it in the keyring, where uploads read it",
    },
    "tokens": {"tokens": "show the health of all tokens of a project or fleet, or with 'history' what has changed"},
    "rotate": {"rotate": "rotate a token: replace it everywhere it is stored, then confirm the old one is revoked"},
    "report": {
        "report": "report what the runs for a version did, on the terminal or in a file",
        "history": "list the releases of this project, newest first",
    },
    "automation": {
        "ci": "print a workflow that builds once, and releases the same files to TestPyPI and PyPI",
        "schedule": "schedule recurring token checks, with the system's scheduler or a CI service",
    },
    "embedded_index": {"sandbox": "run the embedded index in the foreground"},
}

#: name of a command → its line of help
HELP: Mapping[str, str] = {name: text for commands in _MODULES.values() for name, text in commands.items()}


def load_command(name: str) -> Command:
    """Import the module of a command."""
    module = next(module for module, commands in _MODULES.items() if name in commands)
    return cast("Command", import_module(f"{__name__}.{module}").COMMANDS[name])

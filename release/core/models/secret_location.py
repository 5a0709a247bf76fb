"""Where a credential lives, as somebody wrote it down: a name for a place, never what is in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from release.core.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateFile:
    """A file that its owner alone may read, with the credential and nothing else in it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program that writes the credential to its standard output."""

    #: no shell runs it
    argv: tuple[str, ...]
    #: seconds
    limit: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringEntry:
    """An entry of the system's keyring."""

    service: str
    username: str


Place = Variable | PrivateFile | Command | KeyringEntry


def shown(place: Place) -> str:
    """The place for a reader, and its name in the history."""
    match place:
        case Variable(name=name):
            return f"${name}"
        case PrivateFile(path=path):
            return f"file {path}"
        case Command(argv=argv):
            return redact(f"command {shlex.join(argv)}")
        case KeyringEntry(service=service, username=username):
            return f"keyring, service {service!r}, user {username!r}"

"""Where a secret is stored: the location only, never the secret itself."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from release.core.redaction import redact
from release.core.struct_fields import equal_without, hash_without


class EnvironmentVariable(Struct, frozen=True, kw_only=True):
    """An environment variable."""

    kind: ClassVar = "environment"
    name: str


class ConfigFileKey(Struct, frozen=True, kw_only=True):
    """A key in a configuration file, such as `password` in the section `[pypi]` of `~/.pypirc`."""

    #: whose file it is: "pypirc", or the name of another tool
    kind: str = "pypirc"
    #: may start with "~"
    path: str
    section: str
    key: str
    #: counted from 1; None where it is not known
    line: int | None = None

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "line")

    def __hash__(self) -> int:
        return hash_without(self, "line")


class PrivateFile(Struct, frozen=True, kw_only=True):
    """A file that contains the credential and nothing else, and that only its owner may read."""

    kind: ClassVar = "file"
    path: str
    #: True on Windows, where the access list of the file is not checked
    unchecked: bool = False

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "unchecked")

    def __hash__(self) -> int:
        return hash_without(self, "unchecked")


class CommandOutput(Struct, frozen=True, kw_only=True):
    """A program that writes the credential to its standard output."""

    kind: ClassVar = "command"
    #: run without a shell
    argv: tuple[str, ...]
    #: seconds
    limit: float = 30.0
    #: variables that it gets, though they may be secrets: `pass-environment`
    passed: tuple[str, ...] = ()


class KeyringEntry(Struct, frozen=True, kw_only=True):
    """An entry of the system's keyring."""

    kind: ClassVar = "keyring"
    service: str
    username: str
    #: the module of the backend that returned the entry; empty where it is not known
    backend: str = ""

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "backend")

    def __hash__(self) -> int:
        return hash_without(self, "backend")


class TrustedPublishing(Struct, frozen=True, kw_only=True):
    """No location: the token is exchanged for the identity of the job."""

    kind: ClassVar = "trusted-publishing"
    #: the service that runs the job; empty for a token that was exchanged already
    provider: str = ""


class SandboxToken(Struct, frozen=True, kw_only=True):
    """No location: the token of an index that exists only during this run."""

    kind: ClassVar = "sandbox"


class NotStored(Struct, frozen=True, kw_only=True):
    """No location: a default, or a value that was typed in."""

    kind: ClassVar = "default"
    description: str


#: a location that a fleet or a notification channel can name
ConfiguredLocation = EnvironmentVariable | PrivateFile | CommandOutput | KeyringEntry
SecretLocation = ConfiguredLocation | ConfigFileKey | TrustedPublishing | SandboxToken | NotStored

DEFAULT_USERNAME = NotStored(description="the default for API tokens")

#: what stands before the project's name in the user name of an entry for one project's own token: first in entries of
#: this program, then in those of flit. Observed: flit 4.2.0, `upload.find_token`, 2026-11
PROJECT_USER, FLIT_PROJECT_USER = "__token__:", "pypi_token:project:"


def project_of(location: SecretLocation | None) -> str | None:
    """The project that a keyring entry is for, by its user name; None: it is for no single project."""
    if isinstance(location, KeyringEntry):
        for prefix in (PROJECT_USER, FLIT_PROJECT_USER):
            if location.username.startswith(prefix):
                return location.username.removeprefix(prefix)
    return None


def location_to_text(location: SecretLocation) -> str:
    """The location for a reader. The history stores this text as the name of the location."""
    match location:
        case EnvironmentVariable(name=name):
            return f"${name}"
        case ConfigFileKey(path=path, section=section, key=key, line=line):
            return f"{path}, line {line}, [{section}] {key}" if line else f"{path}, [{section}] {key}"
        case PrivateFile(path=path, unchecked=unchecked):
            return f"file {path}{' (who may read it was not judged: Windows)' * unchecked}"
        case CommandOutput(argv=argv):
            return redact(f"command {shlex.join(argv)}")
        case KeyringEntry(service=service, username=username, backend=backend):
            return f"keyring{f' ({backend})' * bool(backend)}, service {service!r}, user {username!r}"
        case TrustedPublishing(provider=""):
            return "trusted publishing, made for this upload"
        case TrustedPublishing(provider=provider):
            return f"trusted publishing, by the identity that {provider} gives this job"
        case SandboxToken():
            return "made for this run"
        case NotStored(description=description):
            return description


def location_to_json(location: SecretLocation) -> dict[str, str]:
    """The location as JSON data."""
    return {"kind": location.kind, "detail": location_to_text(location)}


def expand_home(path: str, home: Path) -> Path:
    """The path with `home` in place of a leading `~`."""
    return home / path[2:] if path.startswith(("~/", "~\\")) else Path(path)

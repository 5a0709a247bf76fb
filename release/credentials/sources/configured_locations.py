"""Locations that a fleet or a notification channel names: a variable, a private file, a command, a keyring entry.

A location that holds nothing is a finding; one that cannot be read is `Unknown`.
"""

from __future__ import annotations

import codecs
import os
import shlex
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from release.adapters.system.shell_detection import detect_user_environment
from release.core import shell
from release.core.child_environment import without_credentials
from release.core.errors import ToolError, os_error_reason
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Credential, Resolution, StoredSecret
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    CommandOutput,
    ConfiguredLocation,
    EnvironmentVariable,
    KeyringEntry,
    NotStored,
    PrivateFile,
    expand_home,
    location_to_text,
    project_of,
)
from release.core.quoting import quote_path
from release.core.redaction import redact
from release.core.secret import Secret
from release.credentials.sources import base, keyring

if TYPE_CHECKING:
    from release.adapters.system.system import System
    from release.credentials.sources.base import SourceQuery, StorageQuery

#: bytes; a longer file is no credential
_MAX_SIZE = 65_536


class StoredCredential(Struct, frozen=True, kw_only=True):
    """What a location holds."""

    resolution: Resolution
    #: when a file was last written; aware, UTC; None for other locations
    since: datetime | None = None


def read_location(system: System, location: ConfiguredLocation, *, username: str, directory: Path) -> StoredCredential:
    """The credential in a location; relative paths start in `directory`."""
    match location:
        case EnvironmentVariable(name=name):
            if name in system.env:
                return _stored(Secret(system.env[name]), location, username)
            user = detect_user_environment(system.env)
            remedy = shell.read_variable(user.shell_name, name)
            if user.ci is not None:
                remedy = f"give this job the secret: {user.ci.secrets_page or user.ci.service}"
            return _missing(f"${name} is not set", remedy, location)
        case PrivateFile(path=path):
            return _read_file(location, directory / expand_home(path, system.home), username)
        case CommandOutput():
            return _run_command(system, location, username, directory)
        case KeyringEntry():
            return read_keyring_entries([location], system.env)[location]


def read_keyring_entries(
    entries: Sequence[KeyringEntry], env: Mapping[str, str]
) -> dict[KeyringEntry, StoredCredential]:
    """The credential in each entry. One process reads them all."""
    found: dict[KeyringEntry, StoredCredential] = {}
    for one, secret in keyring.read_entries(entries, env).items():
        match secret:
            case Secret():
                found[one] = _stored(secret, one, "__token__" if project_of(one) else one.username)
            case Unknown():
                found[one] = StoredCredential(resolution=Resolution(credential=secret))
            case None:
                words = ("python", "-m", "keyring", "set", one.service, one.username)
                remedy = shell.command_line(detect_user_environment(env).shell_name, *words)
                found[one] = _missing(f"the keyring has no entry {one.service!r}, {one.username!r}", remedy, one)
    return found


# -- the credential source of a rotation ------------------------------------------------------------


def find(query: SourceQuery) -> None:  # noqa: ARG001 - the interface
    """Nothing: no upload reads these locations."""
    return


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """The files and commands that a fleet lists. Commands are run."""
    listed: dict[Path | CommandOutput, tuple[PrivateFile | CommandOutput, list[str]]] = {}
    for one, names in query.configured.items():
        if isinstance(one, PrivateFile | CommandOutput):
            key: Path | CommandOutput = query.path(one.path) if isinstance(one, PrivateFile) else one
            listed.setdefault(key, (one, []))[1].extend(names)
    for key, (location, projects) in listed.items():
        read = read_location(query.system, location, username="__token__", directory=query.directory)
        credential = read.resolution.credential
        if isinstance(credential, Credential):
            yield StoredSecret(
                source="configured", location=location, secret=credential.password,
                projects=tuple(dict.fromkeys(projects)), replaceable=isinstance(location, PrivateFile),
                manual_change=f"write the new token to {quote_path(str(key))}, or run the same command again"
                if isinstance(location, PrivateFile)
                else f"store the new token where {location.argv[0]!r} reads it",
            )  # fmt: skip


def replace(stored: StoredSecret, new: Secret, query: StorageQuery) -> None:
    """Replace the token in a file; a command's output cannot be changed."""
    if not isinstance(stored.location, PrivateFile):
        base.refuse_replacement(stored, new, query)
    base.replace_in_file(
        query.path(stored.location.path), stored, new, current=_text,
        edit=lambda data, old, new: data.replace(old.encode("utf-8", "surrogateescape"), new.encode(), 1),
    )  # fmt: skip


# -- reading ----------------------------------------------------------------------------------------


def _read_file(location: PrivateFile, path: Path, username: str) -> StoredCredential:
    try:
        with path.open("rb") as stream:
            about = os.fstat(stream.fileno())
            if sys.platform != "win32" and (refused := _refusal(path, about, location)):
                return StoredCredential(resolution=Resolution(credential=None, remarks=(refused,)))
            data = stream.read(_MAX_SIZE + 1)
    except FileNotFoundError:
        return _missing(f"there is no file {quote_path(path)}", "write the token to it, or correct its path", location)
    except OSError as error:
        reason = os_error_reason(error)
        return _unknown(f"{quote_path(path)} cannot be read: {reason}", "make it readable for your user only")
    if len(data) > _MAX_SIZE:
        return _missing(
            f"{quote_path(path)} is too long for a token", "write the token to it, and nothing else", location
        )
    origin = PrivateFile(path=location.path, unchecked=sys.platform == "win32")
    since = datetime.fromtimestamp(about.st_mtime, UTC)
    return _stored(Secret(_text(data)), origin, username, since)


def _text(data: bytes) -> str:
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape").strip("\r\n")


def _refusal(path: Path, about: os.stat_result, location: PrivateFile) -> Finding | None:
    """Why a file is not used: others may read it. On Windows its access list is not checked."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    if about.st_uid not in {user, 0}:
        what, command = "belongs to another user", f"chown {user} {shell.quote_word(str(path))}"
    elif about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = f"is accessible to other users (mode {stat.S_IMODE(about.st_mode):04o})"
        command = f"chmod 600 {shell.quote_word(str(path))}"
    else:
        return None
    return Finding(
        message=f"{quote_path(path)} {what} and is not used; if others may have read the token, replace it",
        remedy=command,
        where=location_to_text(location),
        cause="cred.missing",
    )


def _run_command(system: System, location: CommandOutput, username: str, directory: Path) -> StoredCredential:
    from release.adapters.system.process import TimedOutError

    name, command = Path(location.argv[0]).name, redact(shlex.join(location.argv))
    try:
        env = without_credentials(system.env, "fleet command", passed=location.passed)
        done = system.run(location.argv, cwd=directory, env=env, timeout=location.limit, apart=True)
    except TimedOutError:
        return _unknown(
            f"{name!r} did not answer within {location.limit:g} s; it may be waiting for input",
            f"run it by hand and unlock what it reads: {command}",
        )
    except ToolError as error:
        return _unknown(error.message, error.remedy)
    if done.status:  # its output may contain a secret and is not repeated
        return _unknown(f"{name!r} failed with exit status {done.status}", f"run it by hand to see why: {command}")
    text = done.output.strip("\r\n")
    if not text:
        return _missing(f"{name!r} printed nothing", f"correct its arguments: {command}", location)
    return _stored(Secret(text), location, username)


def _stored(
    secret: Secret, location: ConfiguredLocation, username: str, since: datetime | None = None
) -> StoredCredential:
    user = NotStored(description="the fleet's list") if username != "__token__" else DEFAULT_USERNAME
    credential = Credential(username=username, username_origin=user, password=secret, origin=location)
    return StoredCredential(resolution=Resolution(credential=credential), since=since)


def _missing(message: str, remedy: str, location: ConfiguredLocation) -> StoredCredential:
    finding = Finding(message=message, remedy=remedy, where=location_to_text(location), cause="cred.missing")
    return StoredCredential(resolution=Resolution(credential=None, remarks=(finding,)))


def _unknown(reason: str, remedy: str) -> StoredCredential:
    return StoredCredential(resolution=Resolution(credential=Unknown(reason=reason, remedy=remedy)))

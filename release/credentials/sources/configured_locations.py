"""Credentials out of places that somebody wrote down: a variable, a private file, a program's output, the keyring.

A place that has nothing is a finding; one that did not answer, so that nobody knows, is `Unknown`.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.adapters.keyring import keyring_process
from release.adapters.system.process import TimedOutError
from release.core.errors import ToolError
from release.core.models.credential import Credential, Origin, Resolution
from release.core.models.finding import Finding, Unknown
from release.core.models.secret_location import Command, KeyringEntry, Place, PrivateFile, Variable, shown
from release.core.secret import Secret
from release.credentials.sources import keyring

if TYPE_CHECKING:
    from release.adapters.system.json_pipe import Pipe
    from release.adapters.system.system import System

#: bytes; more is no credential
_LONGEST = 65_536
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TOKEN = Origin(kind="default", detail="the default for API tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a place had."""

    resolution: Resolution
    #: since when it has been there, as far as the place tells; aware, UTC
    since: datetime | None = None


def take(system: System, place: Place, *, username: str, directory: Path) -> Taken:
    """The credential of a place; a relative path is one from `directory`. The keyring is asked by `of_keyring`."""
    match place:
        case Variable(name=name):
            return _of_variable(system.env, name, username)
        case PrivateFile(path=path):
            return _of_file(place, directory / expanded(path, system.home), username)
        case Command():
            return _of_command(system, place, username, directory)
        case KeyringEntry():
            return of_keyring([place], system.env)[place]


def expanded(path: str, home: Path) -> Path:
    """The path, with the home directory in the place of its `~`."""
    return home / path[2:] if path.startswith(("~/", "~\\")) else Path(path)


def _of_variable(env: Mapping[str, str], name: str, username: str) -> Taken:
    if name not in env:
        return _missing(f"${name} is not set", f"run: export {name}=…; in CI, let this job have the secret", f"${name}")
    return _found(env[name], Origin(kind="environment", detail=f"${name}"), username)


def _of_file(place: PrivateFile, path: Path, username: str) -> Taken:
    where = shown(place)
    try:
        with path.open("rb") as stream:
            about = os.fstat(stream.fileno())
            refused = _refusal(path, about, where)
            if refused is not None:
                return Taken(resolution=Resolution(credential=None, remarks=(refused,)))
            data = stream.read(_LONGEST + 1)
    except FileNotFoundError:
        return _missing(f"there is no file {str(path)!r}", "write the token to it, or correct its path", where)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _silent(f"{str(path)!r} can't be read: {reason}", "make it readable for you, and for nobody else")
    if len(data) > _LONGEST:
        return _missing(f"{str(path)!r} is too long for a token", "write the token to it, and nothing else", where)
    note = " (who may read it was not judged: Windows)" if sys.platform == "win32" else ""
    origin = Origin(kind="file", detail=f"{where}{note}")
    since = datetime.fromtimestamp(about.st_mtime, UTC)
    return _found(data.decode("utf-8-sig", "surrogateescape").strip("\r\n"), origin, username, since)


def _refusal(path: Path, about: os.stat_result, where: str) -> Finding | None:
    """Why a file is not used: others may read it. On Windows its access list is not judged."""
    if sys.platform == "win32":
        return None
    if about.st_uid not in {os.geteuid(), 0}:
        what, mend = "belongs to somebody else", f"chown {os.geteuid()} {shlex.quote(str(path))}"
    elif about.st_mode & _OTHERS:
        what, mend = (
            f"is open to others (mode {stat.S_IMODE(about.st_mode):04o})",
            f"chmod 600 {shlex.quote(str(path))}",
        )
    else:
        return None
    return Finding(
        message=f"{str(path)!r} {what}, and is not used",
        remedy=f"run: {mend}; if others may have read the token, make a new one",
        where=where,
        cause="cred.missing",
    )


def _of_command(system: System, place: Command, username: str, directory: Path) -> Taken:
    name, where = Path(place.argv[0]).name, shown(place)
    try:
        done = system.run(place.argv, cwd=directory, env=system.env, timeout=place.limit, apart=True)
    except TimedOutError:
        return _silent(
            f"{name!r} did not answer within {place.limit:g} s; it may be waiting for somebody",
            f"run it by hand, and unlock what it reads: {where.removeprefix('command ')}",
        )
    except ToolError as error:
        return _silent(error.message, error.remedy)
    if done.status:  # what it said may hold anything, so none of it is repeated
        return _silent(
            f"{name!r} failed with exit status {done.status}",
            f"run it by hand to see why: {where.removeprefix('command ')}",
        )
    text = done.output.strip("\r\n")
    if not text:
        return _missing(f"{name!r} gives nothing", f"correct what it is asked for: {where}", where)
    return _found(text, Origin(kind="command", detail=where), username)


# -- the keyring ------------------------------------------------------------------------------------


def of_keyring(
    entries: Sequence[KeyringEntry], env: Mapping[str, str], *, limit: float = keyring.LIMIT
) -> dict[KeyringEntry, Taken]:
    """Every entry, asked one after the other in one process; `limit` seconds for each answer.

    Once it does not answer, nobody knows what it has for the rest.
    """
    if not entries:
        return {}
    child = keyring_process.start_keyring(env)
    if child is None:
        return {one: _of_answer(one, {"state": "no backend", "backend": "fail"}) for one in entries}
    found: dict[KeyringEntry, Taken] = {}
    with closing(child):
        for one in entries:
            try:
                found[one] = _of_answer(one, _ask(child, one, limit))
            except TimeoutError:
                silent = _silent(
                    f"the keyring did not answer within {limit:g} s; it may be waiting for somebody to unlock it",
                    "unlock it, then run the same command again",
                    "keyring.hang",
                )
                return found | {one: silent for one in entries if one not in found}
            except (EOFError, OSError, ValueError):
                found[one] = _silent(f"the keyring failed: {child.last_words()}", "run: keyring --list-backends")
    return found


def _ask(child: Pipe, one: KeyringEntry, limit: float) -> dict[str, Any]:
    child.write({"service": one.service, "username": one.username, "default": one.username, "near": []})
    return child.read(limit)


def _of_answer(one: KeyringEntry, answer: dict[str, Any]) -> Taken:
    match answer["state"]:
        case "answered" if answer["password"] is not None:
            origin = Origin(kind="keyring", detail=shown(one))
            return _found(answer["password"], origin, answer["username"])
        case "answered":
            mend = f"run: keyring set {one.service} {one.username}"
            return _missing(f"the keyring has no entry {one.service!r}, {one.username!r}", mend, shown(one))
        case "locked":
            return _silent("the keyring is locked", "unlock it, then run the same command again", "keyring.hang")
        case state:
            why = f": {answer['error']}" if "error" in answer else ""
            return _silent(
                f"no keyring can be asked: {state}{why}",
                "run: keyring --list-backends; a job of cron or systemd needs the session's DBUS_SESSION_BUS_ADDRESS",
                "keyring.no-backend",
            )


def _found(text: str, origin: Origin, username: str, since: datetime | None = None) -> Taken:
    user = Origin(kind="default", detail="the fleet's list") if username != "__token__" else _TOKEN
    credential = Credential(username=username, username_origin=user, password=Secret(text), origin=origin)
    return Taken(resolution=Resolution(credential=credential), since=since)


def _missing(message: str, remedy: str, where: str) -> Taken:
    finding = Finding(message=message, remedy=remedy, where=where, cause="cred.missing")
    return Taken(resolution=Resolution(credential=None, remarks=(finding,)))


def _silent(reason: str, remedy: str, cause: str | None = None) -> Taken:
    return Taken(resolution=Resolution(credential=Unknown(reason=reason, remedy=remedy, cause=cause)))

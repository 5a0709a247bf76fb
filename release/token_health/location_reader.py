"""Read the location of a secret from a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from release.core.errors import ConfigError
from release.core.models.index import Index
from release.core.models.secret_location import (
    CommandOutput,
    ConfiguredLocation,
    EnvironmentVariable,
    KeyringEntry,
    PrivateFile,
)
from release.core.tables import KeyPath, Reader, duration, read_table, string


def secret_location(value: Any, at: KeyPath) -> ConfiguredLocation:
    """Read the location of an address or a password. Messages do not show the value, which may be the secret."""
    if not isinstance(value, dict):
        raise ConfigError(f"{at} must be a table with its location", remedy=f'write {{ env = "NAME" }} in {at.file}')
    return location_of(read_table(value, at, LOCATION_READERS), at)


def secret_locations(value: Any, at: KeyPath) -> tuple[ConfiguredLocation, ...]:
    """Read one location, or a list of them."""
    return tuple(secret_location(one, at) for one in (value if isinstance(value, list) else [value]))


def location_of(
    read: Mapping[str, Any], at: KeyPath, index: Index | None = None, username: str = ""
) -> ConfiguredLocation:
    """Return the location in a table read with `LOCATION_READERS`; `index` and `username` complete a keyring entry."""
    given = [key for key in _PLACES if key in read]
    if len(given) != 1:
        raise ConfigError(
            f"{at} has {' and '.join(given) or 'no location for its credential'}",
            remedy=f"give exactly one of {', '.join(_PLACES)} in {at.file}",
        )
    found = read[given[0]]
    if isinstance(found, CommandOutput) and "limit" in read:
        return replace(found, limit=read["limit"].total_seconds() or found.limit)
    if isinstance(found, dict):
        entry = {"service": index.upload_url if index else "", "username": username} | found
        if not all(entry.values()):
            raise (at / "keyring").wrong("a table with service and username", found)
        return KeyringEntry(**entry)
    return found  # type: ignore[no-any-return]


def with_passed(location: ConfiguredLocation, passed: tuple[str, ...]) -> ConfiguredLocation:
    """The location, whose command gets these variables."""
    return replace(location, passed=passed) if isinstance(location, CommandOutput) else location


def _variable(value: Any, at: KeyPath) -> EnvironmentVariable:
    if isinstance(value, str) and value and "=" not in value:
        return EnvironmentVariable(name=value.removeprefix("$"))
    raise at.wrong("the name of an environment variable", value)


def _file(value: Any, at: KeyPath) -> PrivateFile:
    if isinstance(value, str) and value:
        return PrivateFile(path=value)
    raise at.wrong("a path", value)


def _command(value: Any, at: KeyPath) -> CommandOutput:
    if isinstance(value, list) and value and all(isinstance(word, str) and word for word in value):
        return CommandOutput(argv=tuple(value))
    raise at.wrong('a list of words such as ["pass", "show", "pypi"]; no shell runs it', value)


def _keyring(value: Any, at: KeyPath) -> dict[str, str]:
    """Read the given fields of an entry; none for `true`."""
    if value is True:
        return {}
    if not isinstance(value, dict):
        raise at.wrong("true, or a table with service and username", value)
    return read_table(value, at, {"service": string, "username": string})


_PLACES: Mapping[str, Reader] = {"env": _variable, "file": _file, "command": _command, "keyring": _keyring}
LOCATION_READERS: Mapping[str, Reader] = {**_PLACES, "limit": duration}

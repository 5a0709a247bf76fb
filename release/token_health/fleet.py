"""The fleet: projects, their indexes, the locations of their credentials, and the policy for their tokens.

It is a TOML file of its own, or `[tool.release.fleet]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from release.core.config import read_indexes, read_waivers
from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN, Index, is_project_name
from release.core.models.secret_location import ConfiguredLocation
from release.core.models.token_health import TokenPolicy
from release.core.tables import KeyPath, Reader, did_you_mean, number, read_list, read_table, string
from release.token_health.location_reader import LOCATION_READERS, duration, location_of
from release.token_health.notify import NotifySettings, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetLimits:
    """The limits of a run."""

    #: simultaneous connections
    concurrency: int = 32
    #: requests per second to each host
    rate: float = 20.0
    #: seconds for the whole run; credentials that have not been checked by then are unknown
    deadline: float = 900.0
    #: seconds for one credential
    patience: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEntry:
    """One credential for one project on one index."""

    index: Index
    #: None: only the account is checked
    project: str | None
    location: ConfiguredLocation
    username: str = "__token__"
    #: when the token was created, according to the fleet; aware, UTC
    made: datetime | None = None
    policy: TokenPolicy = field(default_factory=TokenPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All credentials to check, and the settings for them."""

    #: empty: all credentials of the directory's project
    entries: tuple[FleetEntry, ...] = ()
    policy: TokenPolicy = field(default_factory=TokenPolicy)
    limits: FleetLimits = FleetLimits()
    #: the time until a remaining problem is announced again
    remind_after: timedelta = timedelta(days=7)
    #: check name → the reason why its warning is accepted
    waive: Mapping[str, str] = field(default_factory=dict)
    notify: NotifySettings = field(default_factory=NotifySettings)


def load_fleet_file(path: Path) -> Fleet:
    """Load a fleet file. Raises `ConfigError`."""
    from release.adapters import collect

    return parse_fleet_file(collect.load_toml(path), str(path))


def parse_fleet_file(data: Mapping[str, Any], file: str) -> Fleet:
    """Parse a fleet file, which can also declare `[indexes.<name>]`.

    Raises `ConfigError`, which names the key.
    """
    at = KeyPath(file=file)
    return _fleet(data, at, read_indexes(data.get("indexes", {}), at / "indexes"), {"indexes": read_indexes})


def parse_fleet(data: Mapping[str, Any], indexes: Mapping[str, Index] = WELL_KNOWN) -> Fleet:
    """Parse `[tool.release.fleet]`, which can refer to `indexes`. Raises `ConfigError`, which names the key."""
    return _fleet(data, KeyPath(file="pyproject.toml", path="tool.release.fleet"), indexes, {})


def _fleet(data: Mapping[str, Any], at: KeyPath, indexes: Mapping[str, Index], more: Mapping[str, Reader]) -> Fleet:
    read = read_table(data, at, {**_READERS, **more})
    policy = _policy(read, TokenPolicy())
    tokens = read_list(read.get("tokens", []), at / "tokens", _token, "a list of tables, [[tokens]]")
    entries = [
        entry
        for number, token in enumerate(tokens)
        for entry in _entries(token, (at / "tokens")[number], policy, indexes)
    ]
    limits: dict[str, Any] = {key: read[key] for key in ("concurrency", "rate") if key in read}
    limits |= {key: read[key].total_seconds() for key in ("deadline", "patience") if read.get(key)}
    return Fleet(
        entries=tuple(dict.fromkeys(entries)),
        policy=policy,
        limits=FleetLimits(**limits),
        remind_after=read.get("remind_after") or Fleet().remind_after,
        waive=read.get("waive", {}),
        notify=read.get("notify", NotifySettings()),
    )


def _policy(read: dict[str, Any], default: TokenPolicy) -> TokenPolicy:
    given = {key: read[key] for key in ("rotate_after", "warn_before") if key in read}
    if given.get("rotate_after") == timedelta(0):
        del given["rotate_after"]
    return replace(default, **given)


def _entries(
    read: dict[str, Any], at: KeyPath, policy: TokenPolicy, indexes: Mapping[str, Index]
) -> Iterator[FleetEntry]:
    """Yield an entry for each of the token's projects on each of its indexes."""
    own, username = _policy(read, policy), read.get("username", "__token__")
    names, key = _one_or_several(read, at, "index", "indexes")
    for name in names or ("pypi",):
        if name not in indexes:
            raise ConfigError(
                f"{at / key}: no index is called {name!r}{did_you_mean(name, indexes)}",
                remedy=f"use one of {', '.join(sorted(indexes))}, or add a table for it to {at.file}",
            )
        location = location_of(read, at, indexes[name], username)
        for project in _one_or_several(read, at, "project", "projects")[0] or (None,):
            yield FleetEntry(
                index=indexes[name],
                project=project,
                location=location,
                username=username,
                made=read.get("made"),
                policy=own,
            )


def _one_or_several(read: Mapping[str, Any], at: KeyPath, one: str, several: str) -> tuple[tuple[str, ...], str]:
    """Return the values of the given key of two, and that key. Raises `ConfigError` if both are given."""
    if one in read and several in read:
        raise ConfigError(f"{at} has both {one} and {several}", remedy=f"keep one of them in {at.file}")
    return (read[several], several) if several in read else ((read[one],) if one in read else (), one)


def _token(value: Any, at: KeyPath) -> dict[str, Any]:
    return read_table(value, at, _TOKEN)


def _names(value: Any, at: KeyPath) -> tuple[str, ...]:
    if not value:
        raise at.wrong("a list of names", value)
    return read_list(value, at, string, "a list of names")


def _project(value: Any, at: KeyPath) -> str:
    if is_project_name(string(value, at)):
        return str(value)
    raise at.wrong("a project's name", value)


def _rotation(value: Any, at: KeyPath) -> timedelta | None:
    return None if value == "never" else duration(value, at, or_else=', or "never"')


def _creation_date(value: Any, at: KeyPath) -> datetime:
    match value:
        case datetime() as moment:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        case date() as day:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        case _:
            raise at.wrong("a date, without quotes", value)


_POLICY: Mapping[str, Reader] = {"rotate-after": _rotation, "warn-before": duration}
_READERS: Mapping[str, Reader] = {
    **_POLICY,
    "remind-after": duration,
    "concurrency": number(1, 256, whole=True),
    "rate": number(0.1, 10_000),
    "deadline": duration,
    "patience": duration,
    "waive": read_waivers,
    "notify": read_settings,
    "tokens": lambda value, _: value,
}
_TOKEN: Mapping[str, Reader] = {
    "project": _project,
    "projects": lambda value, at: tuple(_project(name, at[number]) for number, name in enumerate(_names(value, at))),
    "index": string,
    "indexes": _names,
    **LOCATION_READERS,
    "username": string,
    "made": _creation_date,
    **_POLICY,
}

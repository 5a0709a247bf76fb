"""The fleet: which projects, on which indexes, with credentials from where; and what is wanted of their tokens.

A TOML file of its own, or `[tool.release.fleet]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from release.core import config
from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN, Index
from release.core.models.project_name import is_project_name
from release.core.models.secret_location import (
    Command,
    ConfiguredLocation,
    EnvironmentVariable,
    KeyringEntry,
    PrivateFile,
)
from release.core.models.token_health import TokenPolicy
from release.core.toml_tables import did_you_mean, known, path, subtable, text, wrong
from release.token_health.notify import channel_config
from release.token_health.notify.channels import Channels


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetLimits:
    """How indexes are asked."""

    #: connections at a time
    concurrency: int = 32
    #: requests a second to each host
    rate: float = 20.0
    #: seconds that a run may take; what it has not looked at by then is unknown
    deadline: float = 900.0
    #: seconds that one credential may take
    patience: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetEntry:
    """One credential for one project on one index."""

    index: Index
    #: None: the account alone is asked about
    project: str | None
    place: ConfiguredLocation
    username: str = "__token__"
    #: when the token was made, as somebody wrote it down; aware, UTC
    made: datetime | None = None
    policy: TokenPolicy = field(default_factory=TokenPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything that is watched."""

    #: empty: whatever the directory's project has
    entries: tuple[FleetEntry, ...] = ()
    policy: TokenPolicy = field(default_factory=TokenPolicy)
    manners: FleetLimits = FleetLimits()
    #: how long it takes until something that is still wrong is announced again
    remind_after: timedelta = timedelta(days=7)
    #: check name → the reason why its warning is accepted
    waive: Mapping[str, str] = field(default_factory=dict)
    #: who is told
    notify: Channels = field(default_factory=Channels)


_KEYS = (
    "rotate-after", "warn-before", "remind-after", "concurrency", "rate", "deadline", "patience", "waive", "notify",
    "tokens",
)  # fmt: skip
_PLACES = ("env", "file", "command", "keyring")
_TOKEN_KEYS = (
    "project", "projects", "index", "indexes", *_PLACES, "username", "made", "rotate-after", "warn-before", "limit",
)  # fmt: skip
_KEYRING_KEYS = ("service", "username")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
#: key → its smallest and its largest value
_COUNTS = {"concurrency": (1, 256), "rate": (0.1, 10_000)}


def parse_file(data: Mapping[str, Any], file: str) -> Fleet:
    """A fleet from the contents of a file of its own, which has `[indexes.<name>]` too.

    Raises `ConfigError`, as `parse` does.
    """
    try:
        indexes = config.parse_config({"indexes": data.get("indexes", {})}).indexes
    except ConfigError as error:
        message, remedy = (one.replace("tool.release.", "") for one in (error.message, error.remedy))
        raise ConfigError(message, remedy=remedy.replace("pyproject.toml", file)) from None
    return parse({k: v for k, v in data.items() if k != "indexes"}, indexes, file=file, where="", more=("indexes",))


def parse(
    table: Mapping[str, Any],
    indexes: Mapping[str, Index] = WELL_KNOWN,
    *,
    file: str = "pyproject.toml",
    where: str = "tool.release.fleet",
    more: tuple[str, ...] = (),
) -> Fleet:
    """A fleet from a table; `indexes` are those that it may name. Raises `ConfigError`, which names the key.

    `more`: keys that are known in this place and read elsewhere.
    """
    known(table, (*_KEYS, *more), where)
    reader = _Reader(file=file, indexes=indexes)
    policy = reader.policy(table, where, TokenPolicy())
    tokens = table.get("tokens", [])
    if not isinstance(tokens, list):
        raise wrong(path(where, "tokens"), "a list of tables, [[tokens]]", tokens, file=file)
    entries = [one for n, t in enumerate(tokens) for one in reader.token(t, f"{path(where, 'tokens')}[{n}]", policy)]
    remind = reader.duration(table, "remind-after", where)
    return Fleet(
        entries=tuple(dict.fromkeys(entries)),
        policy=policy,
        manners=reader.manners(table, where),
        remind_after=remind or Fleet().remind_after,
        waive=reader.waive(subtable(table, "waive", where, file=file), path(where, "waive")),
        notify=channel_config.parse(
            subtable(table, "notify", where, file=file), path(where, "notify"), file=file, place=reader.address
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads tables of one file."""

    file: str
    indexes: Mapping[str, Index]

    def policy(self, table: Mapping[str, Any], where: str, default: TokenPolicy) -> TokenPolicy:
        never = table.get("rotate-after") == "never"
        rotate = None if never else self.duration(table, "rotate-after", where) or default.rotate_after
        warn = self.duration(table, "warn-before", where)
        return TokenPolicy(rotate_after=rotate, warn_before=default.warn_before if warn is None else warn)

    def manners(self, table: Mapping[str, Any], where: str) -> FleetLimits:
        made: dict[str, Any] = {}
        for key, (least, most) in _COUNTS.items():
            value = table.get(key, getattr(FleetLimits(), key))
            kinds = (int,) if key == "concurrency" else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
                raise wrong(path(where, key), f"a number from {least} to {most}", value, file=self.file)
            made[key] = value
        for key in ("deadline", "patience"):
            limit = self.duration(table, key, where)
            made |= {key: limit.total_seconds()} if limit else {}
        return FleetLimits(**made)

    def waive(self, table: Mapping[str, Any], where: str) -> dict[str, str]:
        for name, reason in table.items():
            if not isinstance(reason, str) or not reason.strip():
                raise wrong(path(where, name), "the reason, as text", reason, file=self.file)
        return dict(table)

    def token(self, table: Any, where: str, policy: TokenPolicy) -> Iterator[FleetEntry]:
        """An entry for each of the table's projects on each of its indexes."""
        if not isinstance(table, dict):
            raise wrong(where, "a table", table, file=self.file)
        known(table, _TOKEN_KEYS, where)
        own = self.policy(table, where, policy)
        username = text(table, "username", where, file=self.file) or "__token__"
        made = self._made(table, where)
        for index in self._indexes(table, where):
            place = self._place(table, where, index, username)
            for project in self._projects(table, where):
                yield FleetEntry(index=index, project=project, place=place, username=username, made=made, policy=own)

    def _indexes(self, table: Mapping[str, Any], where: str) -> Iterator[Index]:
        names, key = self._one_or_several(table, where, "index", "indexes")
        for name in names or ("pypi",):
            if name not in self.indexes:
                raise ConfigError(
                    f"{path(where, key)}: no index is called {name!r}{did_you_mean(name, self.indexes)}",
                    remedy=f"use one of {', '.join(sorted(self.indexes))}, or add a table for it to {self.file}",
                )
            yield self.indexes[name]

    def _projects(self, table: Mapping[str, Any], where: str) -> tuple[str | None, ...]:
        names, key = self._one_or_several(table, where, "project", "projects")
        for name in names:
            if not is_project_name(name):
                raise wrong(path(where, key), "a project's name", name, file=self.file)
        return names or (None,)

    def _one_or_several(
        self, table: Mapping[str, Any], where: str, one: str, several: str
    ) -> tuple[tuple[str, ...], str]:
        if one in table and several in table:
            raise ConfigError(f"{where} has both {one} and {several}", remedy=f"keep one of them in {self.file}")
        if several not in table:
            value = text(table, one, where, file=self.file)
            return ((value,) if value else ()), one
        listed = table[several]
        if not isinstance(listed, list) or not listed or not all(isinstance(i, str) and i for i in listed):
            raise wrong(path(where, several), "a list of names", listed, file=self.file)
        return tuple(listed), several

    def address(self, table: Any, where: str) -> ConfiguredLocation:
        """Where something else lies that nobody else shall read."""
        if not isinstance(table, dict):
            raise ConfigError(  # which does not show what may be the address itself
                f"{where} must be a table that says where it lies", remedy=f'write {{ env = "NAME" }} in {self.file}'
            )
        known(table, (*_PLACES, "limit"), where)
        return self._place(table, where, None, "")

    def _place(self, table: Mapping[str, Any], where: str, index: Index | None, username: str) -> ConfiguredLocation:
        given = [key for key in _PLACES if key in table]
        if len(given) != 1:
            raise ConfigError(
                f"{where} has {' and '.join(given) or 'no place for its credential'}",
                remedy=f"give exactly one of {', '.join(_PLACES)} in {self.file}",
            )
        match given[0], table[given[0]]:
            case "env", str(name) if name and "=" not in name:
                return EnvironmentVariable(name=name.removeprefix("$"))
            case "file", str(name) if name:
                return PrivateFile(path=name)
            case "command", [str(), *_] as argv if all(isinstance(one, str) and one for one in argv):
                limit = self.duration(table, "limit", where)
                return Command(argv=tuple(argv), limit=limit.total_seconds() if limit else 30.0)
            case "keyring", True if index is not None:
                return KeyringEntry(service=index.upload_url, username=username)
            case "keyring", dict(entry):
                return self._keyring(entry, f"{where}.keyring", index.upload_url if index else None, username)
            case key, value:
                raise wrong(path(where, key), _WANTED[key], value, file=self.file)

    def _keyring(self, entry: Mapping[str, Any], where: str, service: str | None, username: str) -> KeyringEntry:
        known(entry, _KEYRING_KEYS, where)
        made = KeyringEntry(
            service=text(entry, "service", where, file=self.file) or service or "",
            username=text(entry, "username", where, file=self.file) or username,
        )
        if not made.service or not made.username:
            raise wrong(where, "a table with service and username", dict(entry), file=self.file)
        return made

    def _made(self, table: Mapping[str, Any], where: str) -> datetime | None:
        match table.get("made"):
            case None:
                return None
            case datetime() as moment:
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            case date() as day:
                return datetime(day.year, day.month, day.day, tzinfo=UTC)
            case value:
                raise wrong(path(where, "made"), "a date, without quotes", value, file=self.file)

    def duration(self, table: Mapping[str, Any], key: str, where: str) -> timedelta | None:
        """A time such as "180d"; None where there is none."""
        value = table.get(key)
        if value is None:
            return None
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise wrong(path(where, key), _duration_form(key), value, file=self.file)
        try:
            return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
        except OverflowError:
            raise wrong(path(where, key), "a shorter time", value, file=self.file) from None


_WANTED = {
    "env": "the name of an environment variable",
    "file": "a path",
    "command": 'a list of words such as ["pass", "show", "pypi"]; no shell runs it',
    "keyring": "true, or a table with service and username",
}


def _duration_form(key: str) -> str:
    never = ', or "never"' if key == "rotate-after" else ""
    return f'a time such as "180d", a number and one of s, m, h, d, w{never}'

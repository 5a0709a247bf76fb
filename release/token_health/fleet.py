"""The fleet: projects, their indexes, the locations of their credentials, and the policy for their tokens.

It is a TOML file of its own, or `[tool.release.fleet]`. `Target` is one credential to check: of the fleet, or one that
is stored for the project of a directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.oidc.job_variables import collect_job_variables
from release.adapters.system.system import System
from release.checks.all_checks import check_names
from release.core.config import read_indexes, read_pass_environment, read_waivers, require_checks
from release.core.errors import ConfigError
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential, Resolution
from release.core.models.index import WELL_KNOWN, Index, is_project_name
from release.core.models.oidc_identity import HOSTED, OidcProvider
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    CommandOutput,
    ConfiguredLocation,
    KeyringEntry,
    location_to_text,
    project_of,
)
from release.core.models.token_health import TokenPolicy
from release.core.similar_words import did_you_mean
from release.core.tables import KeyPath, Reader, duration, number, read_list, read_table, string
from release.core.tokens import token
from release.credentials import sources
from release.credentials.sources import configured_locations, keyring
from release.credentials.sources.base import SourceQuery
from release.credentials.sources.configured_locations import StoredCredential
from release.token_health.location_reader import LOCATION_READERS, location_of, with_passed
from release.token_health.notify import NotifySettings, read_settings


class FleetLimits(Struct, frozen=True, kw_only=True):
    """The limits of a run."""

    #: simultaneous connections
    concurrency: int = 32
    #: requests per second to each host
    rate: float = 20.0
    #: seconds for the whole run; credentials that have not been checked by then are unknown
    deadline: float = 900.0
    #: seconds for one credential
    patience: float = 120.0


class FleetEntry(Struct, frozen=True, kw_only=True):
    """One credential for one project on one index."""

    index: Index
    #: None: only the account is checked
    project: str | None
    location: ConfiguredLocation
    username: str = "__token__"
    #: `keyring = true`: the entry that an upload of the project uses, which is its own if there is one
    as_uploaded: bool = False
    #: when the token was created, according to the fleet; aware, UTC
    made: datetime | None = None
    policy: TokenPolicy = field(default_factory=TokenPolicy)

    @property
    def own_entries(self) -> tuple[KeyringEntry, ...]:
        """The project's own entries of the keyring, which are used before `location`."""
        return keyring.project_entries(self.index, self.project) if self.as_uploaded and self.project else ()


class Fleet(Struct, frozen=True, kw_only=True):
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
    from release.adapters import project_config

    return parse_fleet_file(project_config.load_toml(path), str(path))


def parse_fleet_file(data: Mapping[str, Any], file: str) -> Fleet:
    """Parse a fleet file, which can also declare `[indexes.<name>]`.

    Raises `ConfigError`, which names the key.
    """
    at = KeyPath(file=file)
    return _fleet(data, at, read_indexes(data.get("indexes", {}), at / "indexes"), {"indexes": read_indexes})


def parse_fleet(
    data: Mapping[str, Any], indexes: Mapping[str, Index] = WELL_KNOWN, *, passed: tuple[str, ...] = ()
) -> Fleet:
    """Parse `[tool.release.fleet]`, which can refer to `indexes`. Raises `ConfigError`, which names the key.

    `passed`: the `pass-environment` of `[tool.release]`.
    """
    return _fleet(data, KeyPath(file="pyproject.toml", path="tool.release.fleet"), indexes, {}, passed)


def _fleet(
    data: Mapping[str, Any], at: KeyPath, indexes: Mapping[str, Index], more: Mapping[str, Reader],
    passed: tuple[str, ...] = (),
) -> Fleet:  # fmt: skip
    read = read_table(data, at, {**_READERS, **more})
    require_checks(read.get("waive", {}), at / "waive", check_names)
    policy = _policy(read, TokenPolicy())
    tokens = read_list(
        read.get("tokens", []), at / "tokens", lambda value, at: read_table(value, at, _TOKEN),
        "a list of tables, [[tokens]]",
    )  # fmt: skip
    passed = (*passed, *read.get("pass_environment", ()))
    entries = [
        replace(entry, location=with_passed(entry.location, passed))
        for number, token in enumerate(tokens)
        for entry in _entries(token, (at / "tokens")[number], policy, indexes)
    ]
    limits: dict[str, Any] = {key: read[key] for key in ("concurrency", "rate") if key in read}
    limits |= {key: read[key].total_seconds() for key in ("deadline", "patience") if read.get(key)}
    return Fleet(
        entries=tuple(dict.fromkeys(entries)), policy=policy, limits=FleetLimits(**limits),
        remind_after=read.get("remind_after") or Fleet().remind_after, waive=read.get("waive", {}),
        notify=read.get("notify", NotifySettings()),
    )  # fmt: skip


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
                index=indexes[name], project=project, location=location, username=username, made=read.get("made"),
                policy=own, as_uploaded=read.get("keyring") == {} and username == "__token__",
            )  # fmt: skip


def _one_or_several(read: Mapping[str, Any], at: KeyPath, one: str, several: str) -> tuple[tuple[str, ...], str]:
    """Return the values of the given key of two, and that key. Raises `ConfigError` if both are given."""
    if one in read and several in read:
        raise ConfigError(f"{at} has both {one} and {several}", remedy=f"keep one of them in {at.file}")
    return (read[several], several) if several in read else ((read[one],) if one in read else (), one)


def _names(value: Any, at: KeyPath, reader: Reader = string) -> tuple[str, ...]:
    if not value:
        raise at.wrong("a list of names", value)
    return read_list(value, at, reader, "a list of names")


def _project(value: Any, at: KeyPath) -> str:
    if is_project_name(string(value, at)):
        return str(value)
    raise at.wrong("a project's name", value)


def _creation_date(value: Any, at: KeyPath) -> datetime:
    match value:
        case datetime() as moment:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        case date() as day:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        case _:
            raise at.wrong("a date, without quotes", value)


_POLICY: Mapping[str, Reader] = {
    "rotate-after": lambda value, at: None if value == "never" else duration(value, at, or_else=', or "never"'),
    "warn-before": duration,
}
_READERS: Mapping[str, Reader] = {
    **_POLICY,
    "remind-after": duration,
    "concurrency": number(1, 256, whole=True),
    "rate": number(0.1, 10_000),
    "deadline": duration,
    "patience": duration,
    "pass-environment": read_pass_environment,
    "waive": read_waivers,
    "notify": read_settings,
    "tokens": lambda value, _: value,
}
_TOKEN: Mapping[str, Reader] = {
    "project": _project,
    "projects": lambda value, at: _names(value, at, _project),
    "index": string,
    "indexes": _names,
    **LOCATION_READERS,
    "username": string,
    "made": _creation_date,
    **_POLICY,
}


#: without a project, only the account is checked
NO_PROJECT = Unknown(reason="no project is named", remedy="name it: project = … in the fleet")
#: the account's entry of the keyring, where the project has its own: only the account is checked
_OTHER_PROJECTS = Unknown(reason="the project has a token of its own, so other projects use this one", remedy="")
#: commands and actions of workflows that upload with a token
_UPLOADS = re.compile(r"gh-action-pypi-publish|(?:twine|flit|hatch|poetry|pdm|uv) (?:upload|publish)")


class Target(Struct, frozen=True, kw_only=True):
    """One credential for one project on one index, to be checked."""

    index: Index
    project: ProjectMetadata | Unknown
    #: the location of the credential, for people and for the history
    location: str
    policy: TokenPolicy
    #: what the location holds; None if `command` has yet to be run
    stored: StoredCredential | None
    command: CommandOutput | None = None
    username: str = "__token__"
    #: when the token was created, according to the fleet; aware, UTC
    created: datetime | None = None
    #: the CI service on which trusted publishing could replace the token
    publisher: str | None = None


def fleet_targets(system: System, fleet: Fleet, directory: Path) -> tuple[Target, ...]:
    """Return the entries of a fleet. Variables, files and the keyring are read; commands are not run yet."""
    usernames = {one.location: one.username for one in fleet.entries}
    keyring_entries = [location for location in usernames if isinstance(location, KeyringEntry)]
    keyring_entries += dict.fromkeys(entry for one in fleet.entries for entry in one.own_entries)
    stored: dict[ConfiguredLocation, StoredCredential] = {
        location: configured_locations.read_location(system, location, username=username, directory=directory)
        for location, username in usernames.items()
        if not isinstance(location, KeyringEntry | CommandOutput)
    }
    stored |= configured_locations.read_keyring_entries(keyring_entries, system.env).items()
    return tuple(
        Target(
            index=one.index, location=location_to_text(location), policy=one.policy,
            stored=stored.get(location), command=one.location if isinstance(one.location, CommandOutput) else None,
            username=one.username, created=one.made,
            project=ProjectMetadata(name=one.project, version="") if one.project else NO_PROJECT,
        )
        for one in fleet.entries
        for location in (_used_location(one, stored),)
    )  # fmt: skip


def _used_location(entry: FleetEntry, stored: Mapping[ConfiguredLocation, StoredCredential]) -> ConfiguredLocation:
    """The location of an entry, or the project's own entry of the keyring, if it has a token of the index."""
    for one in entry.own_entries:
        credential = stored[one].resolution.credential
        issuer = token.issuer(credential.password) if isinstance(credential, Credential) else None
        if isinstance(credential, Credential) and (issuer is None or token.location_matches(issuer, entry.index)):
            return one
    return entry.location


def project_targets(
    system: System,
    indexes: Mapping[str, Index],
    project: ProjectMetadata | Unknown,
    directory: Path,
    policy: TokenPolicy,
) -> tuple[Target, ...]:
    """Return all credentials that are stored for the configured indexes, whether they are used or not."""
    publisher = _publisher(system.env, directory)
    return tuple(
        Target(
            index=index, project=used_for, location=location, policy=policy, publisher=publisher,
            stored=StoredCredential(resolution=resolution),
        )
        for index in indexes.values()
        for location, resolution, used_for in _find(system, index, directory, project)
    )  # fmt: skip


def _find(
    system: System, index: Index, directory: Path, known: ProjectMetadata | Unknown
) -> Iterator[tuple[str, Resolution, ProjectMetadata | Unknown]]:
    """Yield each location, the credential in it, and the project that it is used for."""
    project = known.name if isinstance(known, ProjectMetadata) else None
    resolution = sources.resolve(SourceQuery(
        index=index, env=system.env, home=system.home, directory=directory, project=project, every_source=True
    ))  # fmt: skip
    credential = resolution.credential
    if isinstance(credential, Unknown):
        yield "keyring", Resolution(credential=credential), known
    elif credential is not None:
        yield location_to_text(credential.origin), resolution, known
    has_own = any(one.status != "other-index" and project_of(one.origin) for one in resolution.candidates)
    for one in resolution.candidates:
        shared = has_own and isinstance(one.origin, KeyringEntry) and project_of(one.origin) is None
        issued_for = token.issuer(one.password) if one.status == "other-tool" else None
        if one.status == "shadowed" or (issued_for is not None and token.location_matches(issued_for, index)):
            found = Credential(
                username="__token__", username_origin=DEFAULT_USERNAME, password=one.password, origin=one.origin
            )
            yield location_to_text(one.origin), Resolution(credential=found), _OTHER_PROJECTS if shared else known


def _publisher(env: Mapping[str, str], directory: Path) -> str | None:
    """Return where this project could use trusted publishing: this CI job, or a workflow that uploads."""
    # the CI services that set a variable, of those that PyPI supports as trusted publishers; not servers of others
    services: tuple[tuple[str, OidcProvider, str], ...] = (
        ("GITHUB_ACTIONS", "GitHub", "GitHub Actions"),
        ("GITLAB_CI", "GitLab", "GitLab CI"),
    )
    for variable, provider, service in services:
        if env.get(variable) == "true":
            server = collect_job_variables(env, provider).server.rstrip("/").lower()
            return service if server in {"", HOSTED[provider]} else None
    for path in sorted((directory / ".github" / "workflows").glob("*.y*ml")):
        with suppress(OSError):
            if _UPLOADS.search(path.read_text(encoding="utf-8", errors="replace")):
                return f"GitHub Actions ({path.name})"
    return None

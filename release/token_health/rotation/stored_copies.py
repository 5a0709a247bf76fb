"""Every place where a token may lie, with what is in it: variables, `.pypirc`, the keyring, a fleet's places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from release.adapters.system.system import System
from release.core.models.credential import Candidate, Credential, Resolution
from release.core.models.index import Index
from release.core.models.secret_location import KeyringEntry, Place, PrivateFile, Variable, shown
from release.credentials.sources import configured_locations, keyring
from release.token_health.fleet import Entry
from release.token_health.rotation import replace as replacing
from release.token_health.rotation.rotation_plan import Holding, home

_ENTRY = re.compile(r"keyring \(.*\), service '(?P<service>[^']+)', user '(?P<user>[^']+)'")


def find(
    system: System, index: Index, resolved: Resolution, fleet: Iterable[Entry], directory: Path
) -> tuple[Holding, ...]:
    """All of them, the one first that an upload would use. Programs of the fleet are run."""
    used = resolved.credential.password if isinstance(resolved.credential, Credential) else None
    entries = [one for one in fleet if one.index.upload_url == index.upload_url]
    found = [
        *(_variable(one) for one in resolved.candidates if one.origin.kind == "environment"),
        *replacing.of_pypirc(system.home / ".pypirc", "~/.pypirc"),
        *_of_keyring(system, index, resolved.candidates, entries),
        *_of_fleet(system, entries, directory),
    ]
    merged: dict[object, Holding] = {}
    for one in found:
        before = merged.setdefault(one.spot, one)
        merged[one.spot] = replace(before, projects=tuple(dict.fromkeys((*before.projects, *one.projects))))
    return tuple(sorted(merged.values(), key=lambda one: one.secret != used))


def _variable(one: Candidate) -> Holding:
    name = one.origin.detail.removeprefix("$")
    return Holding(spot=Variable(name=name), where=one.origin.detail, secret=one.password)


def _of_keyring(
    system: System, index: Index, candidates: Iterable[Candidate], fleet: Iterable[Entry]
) -> Iterator[Holding]:
    """The entry that uploads use, those beside it that people make by mistake, poetry's, and the fleet's.

    Source: poetry, `utils/password_manager.py`: the service is "poetry-repository-" and the repository's name.
    """
    words = [_ENTRY.fullmatch(one.origin.detail) for one in candidates if one.origin.kind == "keyring"]
    beside = (*keyring.near_misses(index), f"poetry-repository-{index.name}")
    asked = (
        *(KeyringEntry(service=one["service"], username=one["user"]) for one in words if one),
        home(index),
        *(KeyringEntry(service=service, username="__token__") for service in beside),
        *(one.place for one in fleet if isinstance(one.place, KeyringEntry)),
    )
    for entry, taken in configured_locations.of_keyring(list(dict.fromkeys(asked)), system.env).items():
        had = taken.resolution.credential
        if isinstance(had, Credential):
            projects = tuple(one.project for one in fleet if one.place == entry and one.project)
            yield Holding(spot=entry, where=shown(entry), secret=had.password, projects=projects)


def _of_fleet(system: System, fleet: Iterable[Entry], directory: Path) -> Iterator[Holding]:
    projects: dict[Place, list[str]] = {}
    for one in fleet:
        if not isinstance(one.place, KeyringEntry):
            projects.setdefault(one.place, []).extend([one.project] if one.project else [])
    for place, names in projects.items():
        had = configured_locations.take(system, place, username="__token__", directory=directory).resolution.credential
        if isinstance(had, Credential):
            spot = _whole(place, directory, system.home) if isinstance(place, PrivateFile) else place
            yield Holding(spot=spot, where=shown(place), secret=had.password, projects=tuple(names))


def _whole(place: PrivateFile, directory: Path, home_directory: Path) -> PrivateFile:
    return PrivateFile(path=str(directory / configured_locations.expanded(place.path, home_directory)))

"""Which credentials are looked at: those of a fleet, or whatever there is for a directory's project."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from release.adapters.system.system import System
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential, CredentialCandidate, Resolution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    Command,
    ConfiguredLocation,
    KeyringEntry,
    location_to_text,
)
from release.core.models.token_health import TokenPolicy
from release.core.tokens import token
from release.core.tokens.token import issuer
from release.credentials import sources
from release.credentials.sources import configured_locations
from release.credentials.sources.configured_locations import StoredCredential
from release.token_health.fleet import Fleet

_USER = DEFAULT_USERNAME
#: where none is named, the account alone is asked about
NO_PROJECT = Unknown(reason="no project is named", remedy="name it: project = … in the fleet")
#: what a workflow does that uploads with a token
_UPLOADS = re.compile(r"gh-action-pypi-publish|(?:twine|flit|hatch|poetry|pdm|uv) (?:upload|publish)")
#: variable → the CI that sets it, of those that PyPI knows as trusted publishers
_PUBLISHERS = {"GITHUB_ACTIONS": "GitHub Actions", "GITLAB_CI": "GitLab CI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One credential for one project on one index, before anybody has looked at it."""

    index: Index
    project: ProjectMetadata | Unknown
    #: its name for a reader and for the history
    place: str
    policy: TokenPolicy
    #: what its place had; None where a program is still to be asked, `source`
    taken: StoredCredential | None
    source: Command | None = None
    username: str = "__token__"
    #: when the token was made, as somebody wrote it down; aware, UTC
    made: datetime | None = None
    #: where trusted publishing could be used in its stead
    publisher: str | None = None


def fleet_targets(system: System, fleet: Fleet, directory: Path) -> tuple[Target, ...]:
    """The entries of a fleet; variables, files and the keyring have been asked, programs have not."""
    asked = {one.place: one.username for one in fleet.entries}
    entries = [place for place in asked if isinstance(place, KeyringEntry)]
    known: dict[ConfiguredLocation, StoredCredential | None] = dict(
        configured_locations.read_keyring_entries(entries, system.env).items()
    )
    for place, username in asked.items():
        if not isinstance(place, KeyringEntry):
            known[place] = (
                None
                if isinstance(place, Command)
                else configured_locations.read_location(system, place, username=username, directory=directory)
            )
    return tuple(
        Target(
            index=one.index, place=location_to_text(one.place), policy=one.policy, taken=known[one.place],
            source=one.place if isinstance(one.place, Command) else None, username=one.username, made=one.made,
            project=ProjectMetadata(name=one.project, version="") if one.project else NO_PROJECT,
        )
        for one in fleet.entries
    )  # fmt: skip


def project_targets(
    system: System,
    indexes: Mapping[str, Index],
    project: ProjectMetadata | Unknown,
    directory: Path,
    policy: TokenPolicy,
) -> tuple[Target, ...]:
    """Every credential that lies anywhere for the configured indexes, used or not."""
    publisher = _publisher(system.env, directory)
    return tuple(
        Target(
            index=index,
            project=project,
            place=place,
            policy=policy,
            taken=StoredCredential(resolution=found),
            publisher=publisher,
        )
        for index in indexes.values()
        for place, found in _found(system, index, directory)
    )


def _found(system: System, index: Index, directory: Path) -> Iterator[tuple[str, Resolution]]:
    resolved = sources.resolve(index, system.env, system.home, directory=directory, every_source=True)
    credential = resolved.credential
    if isinstance(credential, Unknown):
        yield "keyring", Resolution(credential=credential)
    elif credential is not None:
        yield location_to_text(credential.origin), resolved
    yield from (
        (location_to_text(one.origin), Resolution(credential=_as_credential(one)))
        for one in resolved.candidates
        if one.status == "shadowed" or (one.status == "other-tool" and _is_of(one, index))
    )


def _is_of(one: CredentialCandidate, index: Index) -> bool:
    location = issuer(one.password)
    return location is not None and token.location_matches(location, index)


def _as_credential(one: CredentialCandidate) -> Credential:
    return Credential(username="__token__", username_origin=_USER, password=one.password, origin=one.origin)


def _publisher(env: Mapping[str, str], directory: Path) -> str | None:
    """Where this project could publish without a token: this CI, or a workflow that uploads."""
    here = next((name for variable, name in _PUBLISHERS.items() if env.get(variable) == "true"), None)
    if here is not None:
        return here
    for path in sorted((directory / ".github" / "workflows").glob("*.y*ml")):
        with suppress(OSError):
            if _UPLOADS.search(path.read_text(encoding="utf-8", errors="replace")):
                return f"GitHub Actions ({path.name})"
    return None

"""The credentials to check: those of a fleet, or all that are stored for the project of a directory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from release.adapters.system.system import System
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential, CredentialCandidate, Resolution
from release.core.models.index import Index
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    CommandOutput,
    ConfiguredLocation,
    KeyringEntry,
    location_to_text,
)
from release.core.models.token_health import TokenPolicy
from release.core.tokens import token
from release.core.tokens.token import issuer
from release.credentials import sources
from release.credentials.sources import configured_locations
from release.credentials.sources.base import SourceQuery
from release.credentials.sources.configured_locations import StoredCredential
from release.token_health.fleet import Fleet

#: without a project, only the account is checked
NO_PROJECT = Unknown(reason="no project is named", remedy="name it: project = … in the fleet")
#: commands and actions of workflows that upload with a token
_UPLOADS = re.compile(r"gh-action-pypi-publish|(?:twine|flit|hatch|poetry|pdm|uv) (?:upload|publish)")
#: variable → the CI service that sets it, of those that PyPI supports as trusted publishers
_PUBLISHERS = {"GITHUB_ACTIONS": "GitHub Actions", "GITLAB_CI": "GitLab CI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
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
    stored: dict[ConfiguredLocation, StoredCredential] = dict(
        configured_locations.read_keyring_entries(keyring_entries, system.env).items()
    )
    for location, username in usernames.items():
        if not isinstance(location, KeyringEntry | CommandOutput):
            stored[location] = configured_locations.read_location(
                system, location, username=username, directory=directory
            )
    return tuple(
        Target(
            index=one.index, location=location_to_text(one.location), policy=one.policy,
            stored=stored.get(one.location), command=one.location if isinstance(one.location, CommandOutput) else None,
            username=one.username, created=one.made,
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
    """Return all credentials that are stored for the configured indexes, whether they are used or not."""
    publisher = _publisher(system.env, directory)
    return tuple(
        Target(
            index=index, project=project, location=location, policy=policy, publisher=publisher,
            stored=StoredCredential(resolution=resolution),
        )
        for index in indexes.values()
        for location, resolution in _find(system, index, directory)
    )  # fmt: skip


def _find(system: System, index: Index, directory: Path) -> Iterator[tuple[str, Resolution]]:
    query = SourceQuery(index=index, env=system.env, home=system.home, directory=directory, every_source=True)
    resolution = sources.resolve(query)
    credential = resolution.credential
    if isinstance(credential, Unknown):
        yield "keyring", Resolution(credential=credential)
    elif credential is not None:
        yield location_to_text(credential.origin), resolution
    yield from (
        (location_to_text(one.origin), Resolution(credential=_to_credential(one)))
        for one in resolution.candidates
        if one.status == "shadowed" or (one.status == "other-tool" and _is_for(one, index))
    )


def _is_for(candidate: CredentialCandidate, index: Index) -> bool:
    location = issuer(candidate.password)
    return location is not None and token.location_matches(location, index)


def _to_credential(candidate: CredentialCandidate) -> Credential:
    return Credential(
        username="__token__", username_origin=DEFAULT_USERNAME, password=candidate.password, origin=candidate.origin
    )


def _publisher(env: Mapping[str, str], directory: Path) -> str | None:
    """Return where this project could use trusted publishing: this CI job, or a workflow that uploads."""
    service = next((name for variable, name in _PUBLISHERS.items() if env.get(variable) == "true"), None)
    if service is not None:
        return service
    for path in sorted((directory / ".github" / "workflows").glob("*.y*ml")):
        with suppress(OSError):
            if _UPLOADS.search(path.read_text(encoding="utf-8", errors="replace")):
                return f"GitHub Actions ({path.name})"
    return None

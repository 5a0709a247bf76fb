"""Plans a rotation: the token, where it is stored, whether a rotation of it was started, and the steps in order.

A rotation that was started and not finished has a small file in the user's state directory, without secrets. Where a
token is stored shows from the locations; the file only adds which of two tokens is the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from release.adapters import collect
from release.adapters.system import safe_write
from release.adapters.system.system import System
from release.core.errors import ReleaseError
from release.core.facts import ProjectMetadata
from release.core.foreign_json import parse_foreign_json
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential, Resolution, StoredSecret
from release.core.models.index import Index
from release.core.models.secret_location import (
    ConfigFileKey,
    ConfiguredLocation,
    KeyringEntry,
    PrivateFile,
    location_to_text,
)
from release.core.secret import Secret
from release.core.shell import quote_word
from release.core.struct_fields import repr_without
from release.core.tokens import token
from release.core.tokens.token import Token, decode, issuer, scope
from release.credentials import sources, verify
from release.credentials.sources import keyring
from release.credentials.sources.base import SourceQuery, StorageQuery
from release.token_health.fleet import FleetEntry
from release.token_health.health_history import DATABASE_NAME, History


class ObtainToken(Struct, frozen=True, kw_only=True):
    """Read the new token and verify it."""

    index: Index


class ReplaceSecret(Struct, frozen=True, kw_only=True):
    """Replace the old token in one location and read the new one back."""

    stored: StoredSecret


class StoreInKeyring(Struct, frozen=True, kw_only=True):
    """Store the new token in the keyring, unless it has replaced the old one somewhere."""

    #: the account's; a token that is limited to single projects goes into the project's own
    entry: KeyringEntry


class SetGitHubSecret(Struct, frozen=True, kw_only=True):
    """Set a secret of the repository on GitHub to the new token."""

    name: str


class RevokeToken(Struct, frozen=True, kw_only=True):
    """Ask the user to delete the old token on the index, and wait until it is revoked."""

    identifier: str


Step = ObtainToken | ReplaceSecret | StoreInKeyring | SetGitHubSecret | RevokeToken


def rotation_steps(
    request: RotationRequest, stored: Iterable[StoredSecret], identifier: str, *, leaked: bool, resumed: bool
) -> tuple[Step, ...]:
    """The steps in order: the old token is revoked last, or first if it has leaked.

    `resumed`: an earlier run has stored the new token. A step that turns out to be unnecessary is skipped: a second
    `RevokeToken`, or a `StoreInKeyring` after the token was stored elsewhere.
    """
    revoke = (RevokeToken(identifier=identifier),) if identifier else ()
    change: tuple[Step, ...] = tuple(ReplaceSecret(stored=one) for one in stored if one.replaceable)
    if not resumed:
        entry = keyring.upload_entry(request.index)
        change = (ObtainToken(index=request.index), *change, StoreInKeyring(entry=entry))
    change = (*change, *(SetGitHubSecret(name=name) for name in request.secrets), *revoke)
    return (*revoke, *change) if leaked else change


def step_to_text(step: Step) -> str:
    """The step as an instruction."""
    match step:
        case ObtainToken(index=index):
            return f"read a new token for {index.name} and verify it"
        case ReplaceSecret(stored=stored):
            return f"replace the old token: {location_to_text(stored.location)}"
        case StoreInKeyring(entry=entry):
            return (
                f"store the new token in the keyring, service {entry.service!r}, if it is not stored anywhere by then"
            )
        case SetGitHubSecret(name=name):
            return f"set the secret {name} of the repository on GitHub"
        case RevokeToken(identifier=identifier):
            return f"delete the old token on the index, identifier {identifier}, and wait until it is revoked"


def deletion_page(index: Index) -> str:
    """The page that lists the tokens, each with its identifier."""
    return f"{index.site}/manage/account/#api-tokens"


class UnfinishedRotation(Struct, frozen=True, kw_only=True):
    """A rotation whose new token has been read."""

    upload_url: str
    #: fingerprints, 8 hex digits
    old: str
    new: str
    #: of the old token, as the index shows it; empty for a value that is no token
    identifier: str
    #: whether the old one has leaked
    leaked: bool


def save_unfinished(directory: Path, rotation: UnfinishedRotation) -> None:
    """Write the file. Raises `OSError`."""
    safe_write.write_atomically(_path(directory, rotation), (json.dumps(asdict(rotation), indent=2) + "\n").encode())


def delete_unfinished(directory: Path, rotation: UnfinishedRotation) -> None:
    """Delete the file. One that cannot be deleted does no harm: its old token is no longer stored anywhere."""
    with suppress(OSError):
        safe_write.remove_file(_path(directory, rotation))


def load_unfinished(directory: Path, index: Index) -> Iterator[UnfinishedRotation]:
    """Those of an index; files that cannot be read are skipped."""
    for path in sorted(directory.glob("rotation-*.json")):
        with suppress(OSError, ValueError, TypeError):
            rotation = UnfinishedRotation(**parse_foreign_json(path.read_bytes()))
            if rotation.upload_url == index.upload_url:
                yield rotation


def _path(directory: Path, rotation: UnfinishedRotation) -> Path:
    return directory / f"rotation-{rotation.old}.json"


class RotationRequest(Struct, frozen=True, kw_only=True):
    """What is to be rotated."""

    system: System
    index: Index
    project: ProjectMetadata | Unknown
    #: the project's
    directory: Path
    #: the fleet's locations, and the directory where their relative paths start
    fleet: tuple[FleetEntry, ...] = ()
    fleet_directory: Path
    #: the user's state directory
    state: Path
    #: whether the old token has leaked
    leaked: bool = False
    #: names of secrets on GitHub to set to the new token
    secrets: tuple[str, ...] = ()
    #: whether the keyring may be a file that other programs can read
    insecure: bool = False

    @property
    def name(self) -> str | None:
        """The project's name, if it is known."""
        return self.project.name if isinstance(self.project, ProjectMetadata) else None


class RotationPlan(Struct, frozen=True, kw_only=True):
    """The old token, where it is stored, and the steps that replace it."""

    #: of the old token, 8 hex digits
    fingerprint: str
    #: of the old token, as the index shows it; empty for a value that is no token of the index
    identifier: str
    #: None where it is no longer stored anywhere, because an earlier run has replaced it everywhere
    old: Secret | None
    #: the locations of the old one
    stored: tuple[StoredSecret, ...]
    #: of the old one: "account", "projects", …; empty where it is not known
    scope: str
    age: timedelta | None
    #: the new one, where an earlier run has stored it
    new: Secret | None = None
    #: the locations of the new one
    done: tuple[str, ...] = ()
    unfinished: UnfinishedRotation | None = None
    leaked: bool = False
    #: files of the project that contain the old one
    leaked_in: tuple[str, ...] = ()
    #: whether the index may have the project: False only where the index has said that it does not
    on_index: bool
    steps: tuple[Step, ...] = ()
    #: for replacing the stored secrets
    storage: StorageQuery

    def __repr__(self) -> str:
        return repr_without(self, "old", "new")


def plan_rotation(request: RotationRequest) -> RotationPlan:
    """The plan. Raises ReleaseError where no token is stored for the index."""
    system, index = request.system, request.index
    resolved = sources.resolve(
        SourceQuery(
            index=index, env=system.env, home=system.home, directory=request.directory, project=request.name,
            every_source=True,
        )
    )  # fmt: skip
    storage = _storage(request, resolved)
    everything = sources.locate_secrets(storage)
    secrets = {one.secret.fingerprint: one.secret for one in everything}
    unfinished = _unfinished(request, secrets)
    new = secrets.get(unfinished.new) if unfinished else None
    old = secrets.get(unfinished.old) if unfinished else _old_token(request, resolved, everything)
    stored = tuple(one for one in everything if one.secret == old)
    token = decode(old) if old is not None and index.kind == "warehouse" else None
    identifier = unfinished.identifier if unfinished else token.identifier if isinstance(token, Token) else ""
    fingerprint = unfinished.old if unfinished else old.fingerprint if old else ""
    leaked_in = _leaked_in(request, identifier, storage, stored)
    leaked = request.leaked or bool(leaked_in) or bool(unfinished and unfinished.leaked)
    return RotationPlan(
        old=old, fingerprint=fingerprint, identifier=identifier, stored=stored, unfinished=unfinished,
        new=new, scope=scope(token).kind if isinstance(token, Token) else "",
        age=_age(request, fingerprint, identifier), leaked=leaked, leaked_in=leaked_in, storage=storage,
        done=tuple(location_to_text(one.location) for one in everything if one.secret == new),
        on_index=not request.name or collect.collect_listing(index, request.name) is not None,
        steps=rotation_steps(request, stored, identifier, leaked=leaked, resumed=new is not None),
    )  # fmt: skip


def _storage(request: RotationRequest, resolved: Resolution) -> StorageQuery:
    configured: dict[ConfiguredLocation, tuple[str, ...]] = {}
    for one in request.fleet:
        if one.index.upload_url == request.index.upload_url:
            projects = (*configured.get(one.location, ()), *((one.project,) if one.project else ()))
            configured[one.location] = tuple(dict.fromkeys(projects))
    return StorageQuery(
        system=request.system, index=request.index, resolved=resolved, configured=configured,
        directory=request.fleet_directory, insecure=request.insecure,
    )  # fmt: skip


def _unfinished(request: RotationRequest, secrets: Mapping[str, Secret]) -> UnfinishedRotation | None:
    """A rotation to resume: its new token is one of the stored `secrets`, which are by fingerprint, and works."""
    for rotation in load_unfinished(request.state, request.index):
        new = secrets.get(rotation.new)
        if new is not None and verify.verify_token(request.system, request.index, new, request.project).verdict.passed:
            return rotation
    return None


def _old_token(request: RotationRequest, resolved: Resolution, everything: Sequence[StoredSecret]) -> Secret:
    """The token that an upload would use; where there is none, another one that is stored for this index."""
    index, credential = request.index, resolved.credential
    if isinstance(credential, Unknown):
        raise ReleaseError(credential.reason, remedy=credential.remedy, cause=credential.cause)
    if isinstance(credential, Credential) and len(credential.password):
        return credential.password
    for one in sorted(everything, key=lambda one: (request.name not in one.projects, not one.replaceable)):
        location = issuer(one.secret)
        if location is not None and token.location_matches(location, index):
            return one.secret
    raise ReleaseError(
        f"there is no token for {index.name} to rotate: none in the environment, ~/.pypirc, the keyring or the fleet",
        remedy=f"store a first one: pypi-preflight store --index {quote_word(index.name)}",
        cause="cred.missing",
    )


def _age(request: RotationRequest, fingerprint: str, identifier: str) -> timedelta | None:
    """The minimum age of a token, as far as the history of token health knows it."""
    path = request.state / DATABASE_NAME
    if not path.is_file():
        return None
    history = History(path, now=request.system.now)
    seen = history.first_seen().get((fingerprint, identifier))
    history.close()
    return max(request.system.now() - seen, timedelta()) if seen else None


def _leaked_in(
    request: RotationRequest, identifier: str, storage: StorageQuery, stored: Iterable[StoredSecret]
) -> tuple[str, ...]:
    """Files of the project that contain the token and that git does not ignore, except its own locations."""
    from release.adapters.git import repository
    from release.leaks import worktree

    if not identifier or repository.find_root(request.system, request.directory) is None:
        return ()
    locations = (one.location for one in stored)
    own = {storage.path(one.path).resolve() for one in locations if isinstance(one, PrivateFile | ConfigFileKey)}
    return tuple(
        one.where
        for one in worktree.scan_directory(request.system, request.directory).leaks
        if one.identity == identifier and (request.directory / one.path.partition("!")[0]).resolve() not in own
    )

"""Which token is to be rotated, where it lies, and whether a rotation of it has begun."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from release.adapters import collect
from release.adapters.system.system import System
from release.core.errors import ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential, Origin, Resolution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.project_listing import ProjectListing
from release.core.models.secret_location import PrivateFile
from release.core.secret import Secret
from release.core.tokens import audience
from release.core.tokens.token import Token, decode, issuer, scope
from release.credentials import sources, verify
from release.token_health.fleet import Entry
from release.token_health.health_history import NAME, History
from release.token_health.rotation import stored_copies, unfinished_rotation
from release.token_health.rotation.rotation_plan import Holding, PypircLine, Step, changeable, steps
from release.token_health.rotation.unfinished_rotation import Mark

_GIVEN = Origin(kind="default", detail="the new token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be rotated."""

    system: System
    index: Index
    project: ProjectMetadata | Unknown
    #: the project's
    directory: Path
    #: places that somebody wrote down, and where their relative paths begin
    fleet: tuple[Entry, ...] = ()
    fleet_directory: Path
    #: the user's state directory
    state: Path
    #: whether others have seen the old token
    leaked: bool = False
    #: names of secrets on GitHub that get the new one too
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        """The project's name, where it is known."""
        return self.project.name if isinstance(self.project, ProjectMetadata) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is at the beginning."""

    index: Index
    #: 8 hex digits
    fingerprint: str
    #: as the index shows it; empty for what is no token that it could be asked about
    identifier: str
    #: None where it lies nowhere any more, since an earlier run has replaced it everywhere
    old: Secret | None = field(repr=False)
    #: the places that have the old one
    holdings: tuple[Holding, ...]
    #: what the old one is for: "account", "projects", …; empty where nobody can tell
    scope: str
    age: timedelta | None
    #: the new one, where an earlier run has taken it
    new: Secret | None = field(default=None, repr=False)
    #: the places that have the new one
    done: tuple[str, ...] = ()
    mark: Mark | None = None
    leaked: bool = False
    #: files of the project with the old one in them
    leaked_in: tuple[str, ...] = ()
    #: what the index has of the project; Unknown where it could not be asked
    listing: ProjectListing | Unknown | None
    steps: tuple[Step, ...] = ()


def look(asked: Asked) -> Found:
    """What there is to rotate. Raises ReleaseError where there is nothing."""
    resolved = sources.resolve(
        asked.index, asked.system.env, asked.system.home, directory=asked.directory, every_source=True
    )
    everything = stored_copies.find(asked.system, asked.index, resolved, asked.fleet, asked.fleet_directory)
    mark, new = _begun(asked, everything)
    if mark is None:
        old: Secret | None = _old(asked, resolved, everything)
    else:
        old = next((one.secret for one in everything if one.secret.fingerprint == mark.old), None)
    return _found(asked, everything, old, mark, new)


def _found(
    asked: Asked, everything: Sequence[Holding], old: Secret | None, mark: Mark | None, new: Secret | None
) -> Found:
    holding = tuple(one for one in everything if one.secret == old)
    token = decode(old) if old is not None and asked.index.kind == "warehouse" else None
    identifier = mark.identifier if mark else token.identifier if isinstance(token, Token) else ""
    fingerprint = mark.old if mark else old.fingerprint if old else ""
    leaked_in = _leaked_in(asked, identifier, holding)
    leaked = asked.leaked or bool(leaked_in) or bool(mark and mark.leaked)
    return Found(
        index=asked.index, old=old, fingerprint=fingerprint, identifier=identifier, holdings=holding, mark=mark,
        new=new, scope=_scope(token), age=_age(asked, fingerprint, identifier), leaked=leaked, leaked_in=leaked_in,
        done=tuple(one.where for one in everything if one.secret == new),
        listing=(
            collect.collect_listing(asked.index, asked.name) if asked.name else Unknown(reason="no project", remedy="")
        ),
        steps=steps(
            asked.index, holding, identifier, leaked=leaked, received=new is not None, secrets=asked.secrets
        ),
    )  # fmt: skip


def works(asked: Asked, new: Secret, project: ProjectMetadata | Unknown) -> verify.Verification:
    """What `verify` says of a token, wherever it is from."""
    given = Credential(username="__token__", username_origin=_GIVEN, password=new, origin=_GIVEN)
    return verify.verify(asked.system, asked.index, project, credential=given)


def _begun(asked: Asked, everything: Iterable[Holding]) -> tuple[Mark | None, Secret | None]:
    """A rotation whose new token lies in some place already, and works; it goes on."""
    lying = {one.secret.fingerprint: one.secret for one in everything}
    for mark in unfinished_rotation.read(asked.state, asked.index):
        new = lying.get(mark.new)
        if new is not None and works(asked, new, asked.project).verdict.passed:
            return mark, new
    return None, None


def _old(asked: Asked, resolved: Resolution, everything: Sequence[Holding]) -> Secret:
    """The token that an upload would use; where there is none, one that lies elsewhere for this index."""
    index, credential = asked.index, resolved.credential
    if isinstance(credential, Unknown):
        raise ReleaseError(credential.reason, remedy=credential.remedy, cause=credential.cause)
    if isinstance(credential, Credential) and len(credential.password):
        return credential.password
    for one in sorted(everything, key=lambda one: (asked.name not in one.projects, not changeable(one.spot))):
        location = issuer(one.secret)
        if location is not None and audience.location_matches(location, index):
            return one.secret
    raise ReleaseError(
        f"there is no token for {index.name} to be rotated: none in the environment, ~/.pypirc, the keyring, the fleet",
        remedy=f"keep a first one: python -m release store --index {index.name}",
        cause="cred.missing",
    )


def _scope(token: object) -> str:
    return scope(token).kind if isinstance(token, Token) else ""


def _age(asked: Asked, fingerprint: str, identifier: str) -> timedelta | None:
    """How old it is at least, as far as the history of token health knows it."""
    path = asked.state / NAME
    if not path.is_file():
        return None
    history = History(path, now=asked.system.now)
    seen = history.first_seen().get((fingerprint, identifier))
    history.close()
    return max(asked.system.now() - seen, timedelta()) if seen else None


def _leaked_in(asked: Asked, identifier: str, holding: Iterable[Holding]) -> tuple[str, ...]:
    """Where the project's own files have the token, which git does not ignore; its places themselves are none."""
    from release.adapters.git import repository
    from release.leaks import worktree

    if not identifier or repository.find_root(asked.system, asked.directory) is None:
        return ()
    own = {Path(one.spot.path).resolve() for one in holding if isinstance(one.spot, PrivateFile | PypircLine)}
    found = worktree.scan_directory(asked.system, asked.directory).leaks
    return tuple(
        one.where
        for one in found
        if one.identity == identifier and (asked.directory / one.path.partition("!")[0]).resolve() not in own
    )

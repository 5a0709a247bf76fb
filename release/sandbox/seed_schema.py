"""Who and what is on the index before the first request: the world file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name

from release.core.models.attestation import AttestationPublisher
from release.core.tables import (
    KeyPath,
    Reader,
    boolean,
    known,
    one_of,
    parse_json,
    read_named_tables,
    read_table,
    string,
    strings,
)  # fmt: skip
from release.sandbox import fault_json, publishers
from release.sandbox.faults import Fault
from release.sandbox.publishers import CiJob, SeedPublisher

#: PyPI's switches for the whole site that change what an upload is answered
FLAGS = (
    *("read-only", "disallow-new-upload", "disallow-new-project-registration", "disable-pep740", "disallow-oidc"),
    *(f"disallow-{provider}-oidc" for provider in publishers.FIELDS),
)
#: states of a project. Source: warehouse, `packaging/models.py` (LifecycleStatus); "quarantined" as PEP 792 has it
STATUSES = ("active", "archived", "archived-noindex", "quarantined")
#: the user of a world that nobody described
DEFAULT_USER = "rehearsal"
_AT = KeyPath(file="the world file", noun="an object")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account."""

    name: str
    #: whether the primary address is verified
    email_verified: bool = True
    two_factor: bool = True
    #: frozen, or the password was disabled: its tokens are unknown to the index then
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedProject:
    """A project that exists before anything is uploaded."""

    name: str
    owners: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    #: one of `STATUSES`
    status: str = "active"
    #: the organization that it belongs to
    organization: str | None = None
    #: whether that organization is in good standing
    organization_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token that the index makes at its start."""

    name: str
    user: str
    #: normalised names of the projects that it is for; None for all of the user's
    projects: tuple[str, ...] | None = None
    #: unix seconds; None where it does not expire
    expires: int | None = None
    revoked: bool = False
    #: the index knows its identifier, and its signature is wrong
    forged: bool = False
    #: what it says of its issuer; None for this index
    location: str | None = None
    #: the trusted publisher that it stands for, as if it had been given in exchange for an identity
    publisher: AttestationPublisher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedData:
    """Users, projects, tokens, faults. As it stands: a user who owns nothing, and an account-wide token."""

    users: tuple[User, ...] = (User(name=DEFAULT_USER),)
    projects: tuple[SeedProject, ...] = ()
    tokens: tuple[ApiToken, ...] = (ApiToken(name="account", user=DEFAULT_USER),)
    publishers: tuple[SeedPublisher, ...] = ()
    #: for whom identities have to be made: PyPI says "pypi", TestPyPI "testpypi"
    audience: str = "pypi"
    #: the job that the sandbox's own identity service speaks for; as the faults, no part of a state directory
    job: CiJob = field(default_factory=CiJob)
    #: normalised names that nobody may register
    prohibited: tuple[str, ...] = ()
    #: of `FLAGS`, those that are on
    flags: tuple[str, ...] = ()
    #: path of the trust configuration by which attestations are verified; None: any signature is believed
    sigstore: str | None = None
    #: what goes wrong; unlike the rest, it is no part of a state directory
    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, json_text: str) -> SeedData:
        """Read a world file. Raises `ConfigError`, which names the key."""
        read = read_table(parse_json(json_text, _AT.file), _AT, _WORLD)
        if "users" not in read and "tokens" not in read:
            read = {"users": cls().users, "tokens": cls().tokens} | read
        empty: dict[str, Any] = {"users": (), "tokens": ()}
        world = cls(**(empty | read))
        _check(world)
        return world


def seed_for_project(name: str, *, exists: bool = False) -> SeedData:
    """A world for one upload: its user owns nothing, so that the first upload creates the project.

    With `exists`, the project is there already and is the user's.
    """
    return SeedData(projects=(SeedProject(name=name, owners=(DEFAULT_USER,)),) if exists else ())


def _users(value: Any, at: KeyPath) -> tuple[User, ...]:
    return tuple(User(**one) for one in read_named_tables(value, at, _USER))


def _projects(value: Any, at: KeyPath) -> tuple[SeedProject, ...]:
    return tuple(SeedProject(**one) for one in read_named_tables(value, at, _PROJECT))


def _tokens(value: Any, at: KeyPath) -> tuple[ApiToken, ...]:
    read = read_named_tables(value, at, _TOKEN, ("name", "user"))
    return tuple(ApiToken(projects=one.pop("scope", None), **one) for one in read)


def _scope(value: Any, at: KeyPath) -> tuple[str, ...] | None:
    if value == "account":
        return None
    if isinstance(value, str) or value == []:
        raise at.wrong('"account" or a list of projects', value)
    return _names(value, at)


def _names(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(canonicalize_name(name) for name in strings(value, at))


def _flags(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(known(flag, at, FLAGS) for flag in strings(value, at))


def _publisher(value: Any, at: KeyPath) -> AttestationPublisher:
    readers = dict.fromkeys(("kind", "repository", "workflow", "workflow_filepath", "environment", "email"), string)
    return AttestationPublisher.from_json(read_table(value, at, readers, ["kind"]))


def _unix_seconds(value: Any, at: KeyPath) -> int:
    """Given as such, or as an ISO date; UTC unless it has an offset."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise at.wrong("a time: unix seconds, or a string like '2027-01-31T00:00:00Z'", value) from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


_USER: Mapping[str, Reader] = {"name": string, "email_verified": boolean, "two_factor": boolean, "disabled": boolean}
_PROJECT: Mapping[str, Reader] = {
    "name": string,
    "owners": strings,
    "maintainers": strings,
    "status": one_of(*STATUSES),
    "organization": string,
    "organization_active": boolean,
}
_TOKEN: Mapping[str, Reader] = {
    "name": string,
    "user": string,
    "scope": _scope,
    "expires": lambda value, at: None if value is None else _unix_seconds(value, at),
    "revoked": boolean,
    "forged": boolean,
    "location": string,
    "publisher": _publisher,
}
_WORLD: Mapping[str, Reader] = {
    "users": _users,
    "projects": _projects,
    "tokens": _tokens,
    "publishers": publishers.parse_publishers,
    "audience": string,
    "job": publishers.parse_job,
    "prohibited": _names,
    "flags": _flags,
    "sigstore": string,
    "faults": fault_json.faults,
}


def _check(world: SeedData) -> None:
    """Whoever is named, is there."""
    users = [user.name for user in world.users]
    projects = [canonicalize_name(project.name) for project in world.projects]
    for number, project in enumerate(world.projects):
        for role in ("owners", "maintainers"):
            for name in getattr(project, role):
                known(name, (_AT / "projects")[number] / role, users)
    for number, token in enumerate(world.tokens):
        known(token.user, (_AT / "tokens")[number] / "user", users)
        for name in token.projects or ():
            known(name, (_AT / "tokens")[number] / "scope", projects)
    for number, publisher in enumerate(world.publishers):
        for name in publisher.projects:
            known(canonicalize_name(name), (_AT / "publishers")[number] / "projects", projects)
        if publisher.user is not None:
            known(publisher.user, (_AT / "publishers")[number] / "user", users)

"""Who and what is on the index before the first request: the world file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name

from release.core.errors import UsageError
from release.core.models.attestation import AttestationPublisher
from release.sandbox import fault_json, publishers
from release.sandbox.faults import Fault
from release.sandbox.json_reader import Reader, among, moment, one_of, record, records, switch, text, texts
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
        """Read a world file. Raises UsageError, which names the key."""
        try:
            data = json.loads(json_text)
        except ValueError as error:
            raise UsageError(f"the world file is no JSON: {error}", remedy="mend it at that place") from None
        known = record(data, "the world file", _WORLD)
        if "users" not in known and "tokens" not in known:
            known = {"users": cls().users, "tokens": cls().tokens} | known
        empty: dict[str, Any] = {"users": (), "tokens": ()}
        world = cls(**(empty | known))
        _check(world)
        return world


def seed_for_project(name: str, *, exists: bool = False) -> SeedData:
    """A world for one upload: its user owns nothing, so that the first upload creates the project.

    With `exists`, the project is there already and is the user's.
    """
    return SeedData(projects=(SeedProject(name=name, owners=(DEFAULT_USER,)),) if exists else ())


def _users(value: Any, where: str) -> tuple[User, ...]:
    return tuple(User(**one) for one in records(value, where, _USER, ["name"]))


def _projects(value: Any, where: str) -> tuple[SeedProject, ...]:
    return tuple(SeedProject(**one) for one in records(value, where, _PROJECT, ["name"]))


def _tokens(value: Any, where: str) -> tuple[ApiToken, ...]:
    read = records(value, where, _TOKEN, ["name", "user"])
    return tuple(ApiToken(projects=one.pop("scope", None), **one) for one in read)


def _scope(value: Any, where: str) -> tuple[str, ...] | None:
    if value == "account":
        return None
    if isinstance(value, str) or value == []:
        raise UsageError(f"{where}: unknown scope {value!r}", remedy='write "account", or a list of projects')
    return _names(value, where)


def _names(value: Any, where: str) -> tuple[str, ...]:
    return tuple(canonicalize_name(name) for name in texts(value, where))


def _flags(value: Any, where: str) -> tuple[str, ...]:
    return tuple(among(flag, where, FLAGS) for flag in texts(value, where))


def _publisher(value: Any, where: str) -> AttestationPublisher:
    readers = dict.fromkeys(("kind", "repository", "workflow", "workflow_filepath", "environment", "email"), text)
    return AttestationPublisher.read(record(value, where, readers, ["kind"]))


_USER: Mapping[str, Reader] = {"name": text, "email_verified": switch, "two_factor": switch, "disabled": switch}
_PROJECT: Mapping[str, Reader] = {
    "name": text,
    "owners": texts,
    "maintainers": texts,
    "status": one_of(*STATUSES),
    "organization": text,
    "organization_active": switch,
}
_TOKEN: Mapping[str, Reader] = {
    "name": text,
    "user": text,
    "scope": _scope,
    "expires": lambda value, where: None if value is None else moment(value, where),
    "revoked": switch,
    "forged": switch,
    "location": text,
    "publisher": _publisher,
}
_WORLD: Mapping[str, Reader] = {
    "users": _users,
    "projects": _projects,
    "tokens": _tokens,
    "publishers": publishers.parse_publishers,
    "audience": text,
    "job": publishers.parse_job,
    "prohibited": _names,
    "flags": _flags,
    "sigstore": text,
    "faults": fault_json.faults,
}


def _check(world: SeedData) -> None:
    """Whoever is named, is there."""
    users = [user.name for user in world.users]
    projects = [canonicalize_name(project.name) for project in world.projects]
    for number, project in enumerate(world.projects):
        for role in ("owners", "maintainers"):
            for name in getattr(project, role):
                among(name, f"the world file.projects[{number}].{role}", users)
    for number, token in enumerate(world.tokens):
        among(token.user, f"the world file.tokens[{number}].user", users)
        for name in token.projects or ():
            among(name, f"the world file.tokens[{number}].scope", projects)
    for number, publisher in enumerate(world.publishers):
        for name in publisher.projects:
            among(canonicalize_name(name), f"the world file.publishers[{number}].projects", projects)
        if publisher.user is not None:
            among(publisher.user, f"the world file.publishers[{number}].user", users)

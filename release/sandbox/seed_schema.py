"""Seed data: the users, projects and tokens that the index has at first, and the file of `--world` that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from packaging.utils import canonicalize_name

from release.core import tables
from release.core.models.attestation import AttestationPublisher
from release.core.tables import KeyPath, Reader
from release.sandbox import fault_json, publishers
from release.sandbox.faults import Fault
from release.sandbox.publishers import CiJob, SeedPublisher

#: PyPI's admin flags that affect uploads
FLAGS = (
    *("read-only", "disallow-new-upload", "disallow-new-project-registration", "disable-pep740", "disallow-oidc"),
    *(f"disallow-{provider}-oidc" for provider in publishers.FIELDS),
)
#: states of a project. Source: warehouse, `packaging/models.py` (LifecycleStatus); "quarantined" as PEP 792 has it
STATUSES = ("active", "archived", "archived-noindex", "quarantined")
#: the user of the default seed data
DEFAULT_USER = "rehearsal"
_AT = KeyPath(file="the seed data", noun="an object")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account."""

    name: str
    #: whether the primary address is verified
    email_verified: bool = True
    two_factor: bool = True
    #: frozen, or its password was disabled: the index does not know its tokens then
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedProject:
    """A project that exists before anything is uploaded."""

    name: str
    owners: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    #: one of `STATUSES`
    status: str = "active"
    organization: str | None = None
    #: whether the organization is in good standing
    organization_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token that the index creates when it starts."""

    name: str
    user: str
    #: normalised names of the projects that it is valid for; None: all of the user's
    projects: tuple[str, ...] | None = None
    #: unix seconds; None: it does not expire
    expires: int | None = None
    revoked: bool = False
    #: the index knows its identifier, but its signature is wrong
    forged: bool = False
    #: the issuer that it names; None: this index
    location: str | None = None
    #: the trusted publisher that it represents, as if it had been issued in exchange for an identity token
    publisher: AttestationPublisher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedData:
    """Users, projects, tokens, faults. By default: a user who owns nothing, and an account-wide token."""

    users: tuple[User, ...] = (User(name=DEFAULT_USER),)
    projects: tuple[SeedProject, ...] = ()
    tokens: tuple[ApiToken, ...] = (ApiToken(name="account", user=DEFAULT_USER),)
    publishers: tuple[SeedPublisher, ...] = ()
    #: the audience of identity tokens: "pypi" on PyPI, "testpypi" on TestPyPI
    audience: str = "pypi"
    #: the job of the sandbox's own identity provider; like the faults, it is not stored in a state directory
    job: CiJob = field(default_factory=CiJob)
    #: normalised names that cannot be registered
    prohibited: tuple[str, ...] = ()
    #: those of `FLAGS` that are on
    flags: tuple[str, ...] = ()
    #: path of the trust configuration that verifies attestations; None: any signature is accepted
    sigstore: str | None = None
    #: not stored in a state directory, unlike the rest
    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, json_text: str) -> SeedData:
        """Parse the file of `--world`. Raises `ConfigError`, which names the key."""
        read = tables.read_table(tables.parse_json(json_text, _AT.file), _AT, _SEED_DATA)
        if "users" not in read and "tokens" not in read:
            read = {"users": cls().users, "tokens": cls().tokens} | read
        empty: dict[str, Any] = {"users": (), "tokens": ()}
        data = cls(**(empty | read))
        _check_references(data)
        return data


def seed_for_project(name: str, *, exists: bool = False) -> SeedData:
    """Make seed data for uploads of one project.

    With `exists`, its user owns the project; without, the first upload creates it.
    """
    return SeedData(projects=(SeedProject(name=name, owners=(DEFAULT_USER,)),) if exists else ())


def _users(value: Any, at: KeyPath) -> tuple[User, ...]:
    return tuple(User(**one) for one in tables.read_named_tables(value, at, _USER))


def _projects(value: Any, at: KeyPath) -> tuple[SeedProject, ...]:
    return tuple(SeedProject(**one) for one in tables.read_named_tables(value, at, _PROJECT))


def _tokens(value: Any, at: KeyPath) -> tuple[ApiToken, ...]:
    read = tables.read_named_tables(value, at, _TOKEN, ("name", "user"))
    return tuple(ApiToken(projects=one.pop("scope", None), **one) for one in read)


def _scope(value: Any, at: KeyPath) -> tuple[str, ...] | None:
    if value == "account":
        return None
    if isinstance(value, str) or value == []:
        raise at.wrong('"account" or a list of projects', value)
    return _names(value, at)


def _names(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(canonicalize_name(name) for name in tables.strings(value, at))


def _flags(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(tables.known(flag, at, FLAGS) for flag in tables.strings(value, at))


def _publisher(value: Any, at: KeyPath) -> AttestationPublisher:
    readers = dict.fromkeys(
        ("kind", "repository", "workflow", "workflow_filepath", "environment", "email"), tables.string
    )
    return AttestationPublisher.from_json(tables.read_table(value, at, readers, ["kind"]))


def _unix_seconds(value: Any, at: KeyPath) -> int:
    """Read a time: a number, or an ISO date, which is in UTC unless it has an offset."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise at.wrong("a time: unix seconds, or a string like '2027-01-31T00:00:00Z'", value) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


_USER: Mapping[str, Reader] = {
    "name": tables.string,
    **dict.fromkeys(("email_verified", "two_factor", "disabled"), tables.boolean),
}
_PROJECT: Mapping[str, Reader] = {
    **dict.fromkeys(("name", "organization"), tables.string),
    **dict.fromkeys(("owners", "maintainers"), tables.strings),
    "status": tables.one_of(*STATUSES),
    "organization_active": tables.boolean,
}
_TOKEN: Mapping[str, Reader] = {
    **dict.fromkeys(("name", "user", "location"), tables.string),
    **dict.fromkeys(("revoked", "forged"), tables.boolean),
    "scope": _scope,
    "expires": lambda value, at: None if value is None else _unix_seconds(value, at),
    "publisher": _publisher,
}
_SEED_DATA: Mapping[str, Reader] = {
    "users": _users,
    "projects": _projects,
    "tokens": _tokens,
    "publishers": publishers.read_publishers,
    "audience": tables.string,
    "job": publishers.read_job,
    "prohibited": _names,
    "flags": _flags,
    "sigstore": tables.string,
    "faults": fault_json.read_faults,
}


def _check_references(data: SeedData) -> None:
    """Check that every user and project that is referred to is listed."""
    users = [user.name for user in data.users]
    projects = [canonicalize_name(project.name) for project in data.projects]
    for number, project in enumerate(data.projects):
        for role in ("owners", "maintainers"):
            for name in getattr(project, role):
                tables.known(name, (_AT / "projects")[number] / role, users)
    for number, token in enumerate(data.tokens):
        tables.known(token.user, (_AT / "tokens")[number] / "user", users)
        for name in token.projects or ():
            tables.known(name, (_AT / "tokens")[number] / "scope", projects)
    for number, publisher in enumerate(data.publishers):
        for name in publisher.projects:
            tables.known(canonicalize_name(name), (_AT / "publishers")[number] / "projects", projects)
        if publisher.user is not None:
            tables.known(publisher.user, (_AT / "publishers")[number] / "user", users)

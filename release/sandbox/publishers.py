"""Trusted publishers, and the job that the sandbox's own identity service speaks for, as the world file has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from release.core.errors import UsageError
from release.core.models.attestation import AttestationPublisher as Signer
from release.core.tables import KeyPath, Reader, one_of, read_named_tables, read_table, string, strings, table

#: provider → the fields of its publishers; those in the second tuple may be left out.
#: Source: warehouse, `oidc/models`
FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "github": (("repository", "owner_id", "workflow"), ("environment",)),
    "gitlab": (("repository", "workflow"), ("environment",)),
    "google": (("email",), ("sub",)),
    "activestate": (("organization", "project", "actor_id"), ()),
}
ISSUERS = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
    "activestate": "https://platform.activestate.com/api/v1/oauth/oidc",
}
#: an owner's number, where nobody says another one
OWNER_ID = "1001"
_KEYS = ("known", "unknown", "forged")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPublisher:
    """A trusted publisher."""

    name: str
    #: one of `FIELDS`
    provider: str = "github"
    #: what is compared with an identity, by the names in `FIELDS`; empty text where any will do
    fields: Mapping[str, str] = field(default_factory=dict)
    #: names of the projects that it may upload to
    projects: tuple[str, ...] = ()
    #: the project that it will create; None for a publisher of projects that exist
    pending: str | None = None
    #: who entered a pending one, and will own its project
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CiJob:
    """A job at some service, and what is odd about its identity tokens."""

    provider: str = "github"
    #: owner and name
    repository: str = "acme/widget"
    workflow: str = "release.yml"
    environment: str | None = "pypi"
    #: claims that are other than usual; None: the claim is missing
    claims: Mapping[str, Any] = field(default_factory=dict)
    #: "known"; "unknown": signed with a key that the index does not know; "forged": a wrong signature
    key: str = "known"
    #: seconds; below zero: it has run out already
    expires_in: int = 300


def github_publisher(  # noqa: PLR0913 - the fields of PyPI's form
    name: str = "github",
    *projects: str,
    repository: str = "acme/widget",
    workflow: str = "release.yml",
    environment: str = "",
    owner_id: str = OWNER_ID,
    pending: str | None = None,
    user: str | None = None,
) -> SeedPublisher:
    """A publisher for a repository on GitHub."""
    fields = {"repository": repository, "workflow": workflow, "environment": environment, "owner_id": owner_id}
    return SeedPublisher(name=name, fields=fields, projects=projects, pending=pending, user=user)


def attestation_publisher(provider: str, fields: Mapping[str, str]) -> Signer:
    """The same publisher as attestations name it."""
    kind = {"github": "GitHub", "gitlab": "GitLab", "google": "Google", "activestate": "ActiveState"}[provider]
    names = {"gitlab": {"workflow": "workflow_filepath"}}.get(provider, {})
    shown = {"repository", "workflow", "environment", "email"}
    details = {names.get(name, name): text for name, text in fields.items() if name in shown and text}
    return Signer(kind=kind, details=tuple(sorted(details.items())))


def parse_publishers(value: Any, at: KeyPath) -> tuple[SeedPublisher, ...]:
    """The list of them in a world file."""
    found = read_named_tables(value, at, _PUBLISHER)
    return tuple(_publisher(one, at[number]) for number, one in enumerate(found))


def _publisher(read: dict[str, Any], at: KeyPath) -> SeedPublisher:
    provider = read.get("provider", "github")
    needed, optional = FIELDS[provider]
    given = {name: read.pop(name) for name in _FIELD_NAMES if name in read}
    if provider == "github":
        given.setdefault("owner_id", OWNER_ID)
    for name in given:
        if name not in (*needed, *optional):
            remedy = f"use {', '.join((*needed, *optional))}"
            raise UsageError(f"{at / name} is not a key for {provider}", remedy=remedy)
    for name in needed:
        if name not in given:
            raise at.missing(name)
    if ("pending" in read) == ("projects" in read) or ("pending" in read) != ("user" in read):
        raise UsageError(
            f"{at}: a publisher is for projects, or pending and some user's",
            remedy="give 'projects', or 'pending' and 'user'",
        )
    fields = {name: given.get(name, "") for name in (*needed, *optional)}
    return SeedPublisher(**{**read, "fields": fields, "projects": read.get("projects", ())})


def parse_job(value: Any, at: KeyPath) -> CiJob:
    """The job in a world file."""
    return CiJob(**read_table(value, at, _JOB))


def _number(value: Any, at: KeyPath) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise at.wrong("a whole number", value)


_FIELD_NAMES = tuple(dict.fromkeys(name for both in FIELDS.values() for names in both for name in names))
_PUBLISHER: Mapping[str, Reader] = {
    "name": string,
    "provider": one_of(*FIELDS),
    "projects": strings,
    "pending": string,
    "user": string,
    **dict.fromkeys(_FIELD_NAMES, string),
}
_JOB: Mapping[str, Reader] = {
    "provider": one_of(*FIELDS),
    "repository": string,
    "workflow": string,
    "environment": lambda value, at: None if value is None else string(value, at),
    "claims": table,
    "key": one_of(*_KEYS),
    "expires_in": _number,
}

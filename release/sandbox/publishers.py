"""Trusted publishers and CI jobs: their seed data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from release.core.errors import UsageError
from release.core.models.attestation import AttestationPublisher
from release.core.tables import KeyPath, Reader, one_of, or_null, read_named_tables, string, strings, table

#: provider → the required and the optional fields of its publishers
FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "github": (("repository", "owner_id", "workflow"), ("environment",)),
    "gitlab": (("repository", "workflow"), ("environment", "issuer_url")),
    "google": (("email",), ("sub",)),
    "activestate": (("organization", "project", "actor_id"), ()),
}
#: provider → the issuer that the index knows by itself
ISSUERS = {
    "github": "https://token.actions.githubusercontent.com",
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
    "activestate": "https://platform.activestate.com/api/v1/oauth/oidc",
}
#: services whose identities the index does not accept. Source: their documentation of OpenID Connect tokens
OTHER_ISSUERS = {
    "circleci": "https://oidc.circleci.com/org/00000000-0000-4000-8000-000000001001",
    "buildkite": "https://agent.buildkite.com",
    "semaphore": "https://acme.semaphoreci.com",
}
#: the default id of a repository's owner
OWNER_ID = "1001"


class SeedPublisher(Struct, frozen=True, kw_only=True):
    """A trusted publisher in the seed data."""

    name: str
    #: one of `FIELDS`
    provider: str = "github"
    #: what is compared with an identity, by the names in `FIELDS`; an empty text matches anything, an empty
    #: `issuer_url` only gitlab.com
    fields: Mapping[str, str] = field(default_factory=dict)
    #: names of the projects that it may upload to
    projects: tuple[str, ...] = ()
    #: the project that a pending publisher will create; None for other publishers
    pending: str | None = None
    #: who registered a pending publisher, and will own its project
    user: str | None = None


class CiJob(Struct, frozen=True, kw_only=True):
    """A job of a CI service, and how its identity tokens differ from usual ones."""

    provider: str = "github"
    #: owner and name
    repository: str = "acme/widget"
    workflow: str = "release.yml"
    environment: str | None = "pypi"
    #: of a self-managed GitLab; None: the provider's usual issuer
    issuer_url: str | None = None
    #: claims with unusual values; None: the claim is missing
    claims: Mapping[str, Any] = field(default_factory=dict)
    #: "known"; "unknown": signed with a key that the index does not know; "forged": a wrong signature
    key: str = "known"
    #: seconds; negative: the token has expired
    expires_in: int = 300


def attestation_publisher(provider: str, fields: Mapping[str, str]) -> AttestationPublisher:
    """Convert a publisher to the form in attestations."""
    kind = {"github": "GitHub", "gitlab": "GitLab", "google": "Google", "activestate": "ActiveState"}[provider]
    names = {name: name for name in ("repository", "workflow", "environment", "email")}
    if provider == "gitlab":
        names["workflow"] = "workflow_filepath"
    details = {names[name]: text for name, text in fields.items() if name in names and text}
    return AttestationPublisher(kind=kind, details=tuple(sorted(details.items())))


def read_publishers(value: Any, at: KeyPath) -> tuple[SeedPublisher, ...]:
    """Read the publishers in the seed data. Raises `ConfigError` and `UsageError`."""
    tables = read_named_tables(value, at, _PUBLISHER)
    return tuple(
        _seed_publisher({key: one for key, one in read.items() if one is not None}, at[number])
        for number, read in enumerate(tables)
    )


def _seed_publisher(read: dict[str, Any], at: KeyPath) -> SeedPublisher:
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
        if not given.get(name):
            raise at.missing(name)
    if ("pending" in read) == ("projects" in read) or ("pending" in read) != ("user" in read):
        raise UsageError(
            f"{at}: a publisher has either projects, or a pending project and its user",
            remedy="set 'projects', or 'pending' and 'user'",
        )
    fields = {name: given.get(name) or "" for name in (*needed, *optional)}
    return SeedPublisher(**{**read, "fields": fields, "projects": read.get("projects", ())})


def _text_or_none(value: Any, at: KeyPath) -> str | None:
    return value if value is None or value == "" else string(value, at)


def _number(value: Any, at: KeyPath) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise at.wrong("a whole number", value)


_FIELD_NAMES = tuple(dict.fromkeys(name for both in FIELDS.values() for names in both for name in names))
_PUBLISHER: Mapping[str, Reader] = {
    "name": string,
    **dict.fromkeys(("pending", "user"), or_null(string)),
    **dict.fromkeys(_FIELD_NAMES, _text_or_none),
    "provider": one_of(*FIELDS),
    "projects": or_null(strings),
}
#: the keys of a job in the seed data
JOB: Mapping[str, Reader] = {
    "provider": one_of(*FIELDS, *OTHER_ISSUERS),
    "repository": string,
    "workflow": string,
    **dict.fromkeys(("environment", "issuer_url"), _text_or_none),
    "claims": table,
    "key": one_of("known", "unknown", "forged"),
    "expires_in": _number,
}

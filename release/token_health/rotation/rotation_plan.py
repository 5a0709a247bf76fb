"""The steps of a rotation, in order, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from release.core.models.credential import StoredSecret
from release.core.models.index import Index
from release.core.models.project_name import normalize_name
from release.core.models.secret_location import KeyringEntry, location_to_text
from release.credentials.sources import keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainToken:
    """Read the new token and verify it."""

    index: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSecret:
    """Replace the old token in one location and read the new one back."""

    stored: StoredSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInKeyring:
    """Store the new token in the keyring, unless it has replaced the old one somewhere."""

    entry: KeyringEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGitHubSecret:
    """Set a secret of the repository on GitHub to the new token."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    """Ask the user to delete the old token on the index, and wait until it is revoked."""

    identifier: str


Step = ObtainToken | ReplaceSecret | StoreInKeyring | SetGitHubSecret | RevokeToken


def rotation_steps(  # noqa: PLR0913 - the situation, by name
    index: Index,
    stored: Iterable[StoredSecret],
    identifier: str,
    *,
    leaked: bool,
    resumed: bool,
    secrets: Iterable[str],
) -> tuple[Step, ...]:
    """The steps in order: the old token is revoked last, or first if it has leaked.

    `resumed`: an earlier run has stored the new token. A step that turns out to be unnecessary is skipped: a second
    `RevokeToken`, or a `StoreInKeyring` after the token was stored elsewhere.
    """
    revoke = (RevokeToken(identifier=identifier),) if identifier else ()
    change: tuple[Step, ...] = tuple(ReplaceSecret(stored=one) for one in stored if one.replaceable)
    if not resumed:
        change = (ObtainToken(index=index), *change, StoreInKeyring(entry=keyring.upload_entry(index)))
    change = (*change, *(SetGitHubSecret(name=name) for name in secrets), *revoke)
    return (*revoke, *change) if leaked else change


def step_to_text(step: Step) -> str:
    """The step as an instruction."""
    match step:
        case ObtainToken(index=index):
            return f"read a new token for {index.name} and verify it"
        case ReplaceSecret(stored=stored):
            return f"replace the old token: {location_to_text(stored.location)}"
        case StoreInKeyring(entry=entry):
            return f"store the new token, if it is not stored anywhere by then: {location_to_text(entry)}"
        case SetGitHubSecret(name=name):
            return f"set the secret {name} of the repository on GitHub"
        case RevokeToken(identifier=identifier):
            return f"delete the old token on the index, identifier {identifier}, and wait until it is revoked"


def creation_page(index: Index, project: str | None) -> str:
    """The page that creates a token, with the project selected.

    Source: warehouse, `manage/views`, `manage_macaroons`: it reads `selected_project`, and no parameter for the name.
    """
    query = f"?{urlencode({'selected_project': normalize_name(project)})}" if project else ""
    return f"{index.site}/manage/account/token/{query}"


def deletion_page(index: Index) -> str:
    """The page that lists the tokens, each with its identifier."""
    return f"{index.site}/manage/account/#api-tokens"

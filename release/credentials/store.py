"""Stores a token in the keyring: verifies it first, reads it back, and reports what an upload would use instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.adapters.system.system import System
from release.checks import credential_remedies
from release.core import shell
from release.core.errors import ReleaseError
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Unknown, Verdict
from release.core.models.credential import Credential
from release.core.models.index import Index
from release.core.models.results import Verification
from release.core.models.secret_location import (
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    SecretLocation,
    location_to_json,
    location_to_text,
)
from release.core.models.user_environment import POSIX_SHELL, UserEnvironment
from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import decode
from release.credentials import verify
from release.credentials.sources import keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A token that has been stored in the keyring."""

    index: Index
    location: KeyringEntry
    #: the result of verifying it, before it was stored
    verdict: Verdict
    fingerprint: str
    #: what prevents uploads from using it: (message, remedy)
    conflicts: tuple[tuple[str, str], ...]
    #: where the next command is run
    user: UserEnvironment = POSIX_SHELL


def token_defect(index: Index, secret: Secret) -> TokenDefect | None:
    """What is wrong with a token, as far as it shows without any request; None: nothing."""
    token = decode(secret) if index.kind == "warehouse" or not len(secret) else None
    return token if isinstance(token, TokenDefect) else None


def store_token(  # noqa: PLR0913 - a request with options, all but the first four with defaults
    system: System,
    index: Index,
    secret: Secret,
    project: ProjectMetadata | Unknown,
    *,
    offline: bool = False,
    insecure: bool = False,
    directory: Path | None = None,
) -> StoredToken:
    """Verify a token, store it and read it back. Raises ReleaseError where it does not work or is not stored.

    `insecure` allows a keyring that is a readable file.
    """
    verdict = verify.verify_token(system, index, secret, project, offline=offline).verdict
    if not verdict.passed:
        raise ReleaseError(f"not stored: {verdict.message}", remedy=verdict.remedy, cause=verdict.cause)
    entry = keyring.upload_entry(index)
    location = keyring.write_entry(entry, secret, system.env, insecure=insecure)
    now = verify.verify_credential(system, index, project, offline=True, directory=directory)
    return StoredToken(
        index=index,
        location=location,
        verdict=verdict,
        fingerprint=secret.fingerprint,
        conflicts=tuple(_conflicts(now, secret)),
        user=now.access.user,
    )


def _conflicts(now: Verification, secret: Secret) -> Iterator[tuple[str, str]]:
    """What an upload would use instead of the token, or together with it."""
    access = now.access
    used = access.credential
    if isinstance(used, Unknown):
        yield used.reason, used.remedy
    if isinstance(used, Credential) and used.password != secret:
        where = location_to_text(used.origin)
        yield f"{where} takes precedence over the keyring, and has another secret", _removal(access, used.origin)
    if isinstance(used, Credential) and access.index.kind == "warehouse" and used.username != "__token__":
        origin = used.username_origin
        message = f"{location_to_text(origin)} sets the username {used.username!r}, but tokens need '__token__'"
        yield message, credential_remedies.username_for_tokens(access, origin)
    for one in access.candidates:
        if one.status == "other-index":
            where = location_to_text(one.origin)
            yield (
                f"{where} has a token of another index, which twine itself would send anyway",
                _removal(access, one.origin),
            )


def _removal(access: Access, location: SecretLocation) -> str:
    """Remove a value in favor of the token in the keyring."""
    if isinstance(location, EnvironmentVariable) and access.user.ci is None:
        return shell.unset_variables(access.user.shell_name, location.name)
    if isinstance(location, ConfigFileKey) and access.user.ci is None:
        return credential_remedies.own_command(access.user, "diagnose")
    return f"remove {location_to_text(location)}"


def stored_to_json(stored: StoredToken) -> dict[str, Any]:
    """The result as JSON data, schema 1."""
    return {
        "schema": 1,
        "stored": True,
        "index": stored.index.name,
        "origin": location_to_json(stored.location),
        "fingerprint": stored.fingerprint,
        "verdict": stored.verdict.word,
        "causes": list(stored.verdict.causes),
        "shadows": [{"message": message, "remedy": remedy} for message, remedy in stored.conflicts],
    }


def stored_to_text(stored: StoredToken) -> Iterator[str]:
    """The result for a person, line by line."""
    yield f"stored, and read back: {location_to_text(stored.location)}"
    if stored.verdict.message:
        yield f"  warning: {stored.verdict.message}"
        yield f"  → {stored.verdict.remedy}"
    for message, remedy in stored.conflicts:
        yield f"  but {message}"
        yield f"  → {remedy}"
    if not stored.conflicts:
        verify_command = credential_remedies.own_command(stored.user, "verify", "--index", stored.index.name)
        yield f"→ {verify_command}"

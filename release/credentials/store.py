"""Stores a token in the keyring: verifies it first, reads it back, and reports what an upload would use instead.

A token is stored for every project, in the entry that twine reads, or as one project's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from release.adapters.system.system import System
from release.checks import credential_remedies
from release.checks.engine import quote
from release.core import shell
from release.core.errors import ReleaseError
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Unknown, Verdict
from release.core.models.credential import Credential, Resolution, StoredSecret, twine_alone_to_text
from release.core.models.index import Index, normalize_name
from release.core.models.results import Verification
from release.core.models.secret_location import (
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    SecretLocation,
    location_to_json,
    location_to_text,
    project_of,
)
from release.core.models.user_environment import POSIX_SHELL, UserEnvironment
from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import Token, decode, scope
from release.credentials import verify
from release.credentials.sources import keyring, pypirc
from release.credentials.sources.base import StorageQuery


class StoredToken(Struct, frozen=True, kw_only=True):
    """A token that has been stored in the keyring, or in a line of `.pypirc`."""

    index: Index
    location: SecretLocation
    #: the result of verifying it, before it was stored
    verdict: Verdict
    secret: Secret
    #: why the token is better stored in another way: (message, remedy)
    warnings: tuple[tuple[str, str], ...]
    #: what prevents uploads from using it: (message, remedy)
    conflicts: tuple[tuple[str, str], ...]
    #: what twine itself would use in place of a project's own token; empty where it would use the same
    twine: str = ""
    #: where the next command is run
    user: UserEnvironment = POSIX_SHELL


def token_defect(index: Index, secret: Secret) -> TokenDefect | None:
    """What is wrong with a token, as far as it shows without any request; None: nothing."""
    token = decode(secret) if index.kind == "warehouse" or not len(secret) else None
    return token if isinstance(token, TokenDefect) else None


def belongs_to_project(access: Access, cause: str | None) -> bool:
    """Whether a new token for an index is to be stored as the project's own. `cause`: why the one found does not work.

    Where its own is broken, and where the keyring has only tokens of other projects, which stay.
    """
    credential = access.credential
    if not isinstance(access.project, ProjectMetadata):
        return False
    if not isinstance(credential, Credential):
        return cause == "keyring.other-project"
    limited = cause == "cred.project-scope-mismatch" and isinstance(credential.origin, KeyringEntry)
    return limited or project_of(credential.origin) is not None


def store_token(  # noqa: PLR0913 - a request with options, all but the first four with defaults
    system: System,
    index: Index,
    secret: Secret,
    project: ProjectMetadata | Unknown,
    *,
    own: bool = False,
    offline: bool = False,
    insecure: bool = False,
    directory: Path | None = None,
    line: StoredSecret | None = None,
) -> StoredToken:
    """Verify a token for a project, store it and read it back. Raises ReleaseError where it is not stored.

    `own`: store it as the project's own; otherwise in the entry that serves every project. `insecure` allows a keyring
    that is a readable file. `line`: a line of `.pypirc` whose token it replaces, instead of the keyring's.
    """
    verified = verify.verify_token(system, index, secret, project, offline=offline)
    verdict = verified.verdict
    if not verdict.passed:
        remedy = _other_command(verified) or verdict.remedy
        raise ReleaseError(f"not stored: {verdict.message}", remedy=remedy, cause=verdict.cause)
    name = project.name if own and isinstance(project, ProjectMetadata) else None
    location: SecretLocation
    if line is None:
        entry = keyring.project_entry(index, name) if name else keyring.upload_entry(index)
        location = keyring.write_entry(entry, secret, system.env, insecure=insecure)
    else:
        location = line.location
        resolved = Resolution(credential=None)
        query = StorageQuery(system=system, index=index, resolved=resolved, directory=directory or system.home)
        pypirc.replace(line, secret, query)
    now = verify.verify_credential(system, index, project, offline=True, directory=directory)
    used = now.access.credential
    return StoredToken(
        index=index,
        location=location,
        verdict=verdict,
        secret=secret,
        warnings=tuple(_scope_warnings(verified.access, name)),
        conflicts=tuple(_conflicts(now, location, secret)),
        twine=twine_alone_to_text(used, now.access.candidates) if isinstance(used, Credential) else "",
        user=now.access.user,
    )


def _other_command(verified: Verification) -> str:
    """The command that stores a token of another project for that project; empty where it is not such a token."""
    index, token = verified.access.index, verified.access.token
    projects = scope(token).projects if isinstance(token, Token) else None
    if verified.verdict.cause != "cred.project-scope-mismatch" or projects is None or len(projects) != 1:
        return ""
    return credential_remedies.store_command(verified.access.user, index, normalize_name(projects[0]))


def _scope_warnings(access: Access, own: str | None) -> Iterator[tuple[str, str]]:
    """Where the scope of a token does not fit the entry: one for a single project's, or the one for every project."""
    index = access.index
    if own is not None and index.kind == "other":
        message = f"uploads of {own!r} to {index.name} send the username '__token__' with it"
        yield message, f"set TWINE_USERNAME if {index.name} needs another username"
    if not isinstance(access.token, Token):
        return
    found = scope(access.token)
    if own is not None and found.kind == "account" and access.listing is not None:
        page = credential_remedies.token_page(index)
        message = f"it can upload to every project of its user, but is stored only for {own!r}: create one with the "
        message += f"scope 'Project: {own}' on {page}, and store that one"
        yield message, credential_remedies.store_command(access.user, index, own)
    if own is None and found.kind == "projects":
        current = access.project.name if isinstance(access.project, ProjectMetadata) else "NAME"
        name = normalize_name(found.projects[0] if found.projects else current)
        limited = f"is limited to {quote(found.projects)}" if found.projects else "is limited to single projects"
        yield (
            f"it {limited}, but is stored for every project: an upload of another one would use it, and be refused",
            credential_remedies.store_command(access.user, index, name),
        )


def _conflicts(now: Verification, stored: SecretLocation, secret: Secret) -> Iterator[tuple[str, str]]:
    """What an upload would use instead of the token, or together with it."""
    access, index = now.access, now.access.index
    used = access.credential
    if isinstance(used, Unknown):
        yield used.reason, used.remedy
    if isinstance(used, Credential) and used.password != secret:
        where, own = location_to_text(used.origin), project_of(used.origin)
        if own is not None and project_of(stored) is None:
            remedy = credential_remedies.store_command(access.user, index, own)
            yield f"{own!r} has a token of its own, which is used first: {where}", remedy
        else:
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
        "fingerprint": stored.secret.fingerprint,
        "verdict": stored.verdict.word,
        "causes": list(stored.verdict.causes),
        "warnings": [{"message": message, "remedy": remedy} for message, remedy in stored.warnings],
        "shadows": [{"message": message, "remedy": remedy} for message, remedy in stored.conflicts],
        "twine": stored.twine,
    }


def stored_to_text(stored: StoredToken) -> Iterator[str]:
    """The result for a person, line by line."""
    yield f"stored, and read back: {location_to_text(stored.location)}"
    if stored.verdict.message:
        yield f"  warning: {stored.verdict.message}"
        yield f"  → {stored.verdict.remedy}"
    for message, remedy in stored.warnings:
        yield f"  warning: {message}"
        yield f"  → {remedy}"
    for message, remedy in stored.conflicts:
        yield f"  but {message}"
        yield f"  → {remedy}"
    if stored.twine:
        yield f"  {stored.twine}"
    if not stored.conflicts:
        project = project_of(stored.location)
        options = ("--index", stored.index.name, *(("--project", project) if project else ()))
        yield f"→ {credential_remedies.own_command(stored.user, 'verify', *options)}"

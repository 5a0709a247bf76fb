"""Keeps a token in the keyring: tried before it is kept, read back after, and told what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.adapters.system.system import System
from release.core.errors import ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Candidate, Credential, Origin
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.verdict import Verdict
from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import decode
from release.credentials import verify
from release.credentials.sources import keyring, keyring_writer
from release.credentials.verify import Verification

_USERNAME = "__token__"
_GIVEN = Origin(kind="default", detail="what was given")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A token that is in the keyring now."""

    index: Index
    #: where it is
    origin: Origin
    #: the verdict on it, before it was kept
    verdict: Verdict
    fingerprint: str
    #: what keeps uploads from using it, each with what to do about it
    shadows: tuple[tuple[str, str], ...]


def damage(index: Index, secret: Secret) -> TokenDefect | None:
    """What can be seen to be wrong with a token without asking anybody; None where nothing can."""
    found = decode(secret) if index.kind == "warehouse" or not len(secret) else None
    return found if isinstance(found, TokenDefect) else None


def keep(  # noqa: PLR0913 - a request with options, all but the first four with defaults
    system: System,
    index: Index,
    secret: Secret,
    project: ProjectMetadata | Unknown,
    *,
    offline: bool = False,
    insecure: bool = False,
    directory: Path | None = None,
    limit: float = keyring.LIMIT,
) -> Stored:
    """Try a token, keep it, read it back. Raises ReleaseError where it does not work, or is not kept.

    The keyring has `limit` seconds for each answer. `insecure` lets it be a readable file.
    """
    given = Credential(username=_USERNAME, username_origin=_GIVEN, password=secret, origin=_GIVEN)
    tried = verify.verify(system, index, project, offline=offline, credential=given).verdict
    if not tried.passed:
        raise ReleaseError(f"not stored: {tried.message}", remedy=tried.remedy, cause=tried.cause)
    origin = keyring_writer.keep(index, secret, system.env, insecure=insecure, limit=limit)
    now = verify.verify(system, index, project, offline=True, directory=directory)
    return Stored(
        index=index, origin=origin, verdict=tried, fingerprint=secret.fingerprint, shadows=tuple(_shadows(now, secret))
    )


def _shadows(now: Verification, secret: Secret) -> Iterator[tuple[str, str]]:
    """What an upload would use in place of the token, or beside it."""
    access = now.access
    used = access.credential
    if isinstance(used, Unknown):
        yield used.reason, used.remedy
    elif isinstance(used, Credential) and used.password != secret:
        yield f"{used.origin.detail} goes before the keyring, and holds another secret", _away(used.origin)
    if isinstance(used, Credential) and access.index.kind == "warehouse" and used.username != _USERNAME:
        where = used.username_origin.detail
        yield (
            f"{where} makes the username {used.username!r}, and tokens need {_USERNAME!r}",
            _away(used.username_origin),
        )
    for one in access.candidates:
        if one.standing == "other-index":
            yield _elsewhere(one)


def _elsewhere(one: Candidate) -> tuple[str, str]:
    message = f"{one.origin.detail} holds a token of another index, which twine by itself would send all the same"
    return message, _away(one.origin)


def _away(origin: Origin) -> str:
    if origin.detail.startswith("$"):
        return f"run: unset {origin.detail.removeprefix('$')}"
    return f"remove it: {origin.detail}"


def as_data(stored: Stored) -> dict[str, Any]:
    """The same as JSON data, schema 1."""
    return {
        "schema": 1,
        "stored": True,
        "index": stored.index.name,
        "origin": {"kind": stored.origin.kind, "detail": stored.origin.detail},
        "fingerprint": stored.fingerprint,
        "verdict": stored.verdict.word,
        "causes": list(stored.verdict.causes),
        "shadows": [{"message": message, "remedy": remedy} for message, remedy in stored.shadows],
    }


def lines(stored: Stored) -> Iterator[str]:
    """The same for a person."""
    yield f"stored, and read back: {stored.origin.detail}"
    if stored.verdict.message:
        yield f"  warning: {stored.verdict.message}"
        yield f"  → {stored.verdict.remedy}"
    for message, remedy in stored.shadows:
        yield f"  but {message}"
        yield f"  → {remedy}"
    if not stored.shadows:
        yield f"→ python -m release verify --index {stored.index.name}"

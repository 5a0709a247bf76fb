"""The caveats of a token, which limit it. Each is compact JSON, `[tag, field…]`, inside the macaroon.

Source: warehouse, `macaroons/caveats/__init__.py` (tags), `_core.py` (form), `_legacy.py` (objects).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from release.core.models.index import normalize_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiration:
    """Tag 0: valid from `not_before` until, not including, `expires_at`. Aware, UTC."""

    expires_at: datetime
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectNames:
    """Tag 1: only for projects with these normalized names."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectIds:
    """Tag 2: only for projects with these identifiers."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUser:
    """Tag 3: only for this user."""

    #: identifier of an account, a UUID; None in the legacy form, which means the owner of the token
    user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherCaveat:
    """Tag 4: issued by trusted publishing, only for this publisher."""

    publisher_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCaveat:
    """A caveat that this program does not know; the index refuses caveats that it does not know."""

    text: str


_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

Caveat = Expiration | ProjectNames | ProjectIds | RequestUser | PublisherCaveat | UnknownCaveat


def parse_caveat(data: bytes) -> Caveat:
    """A caveat from its bytes. Never raises: a caveat that cannot be parsed is an `UnknownCaveat`."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = _adapted(value)
    known = _read(value) if isinstance(value, list) and value else None
    return known or UnknownCaveat(text=data.decode("utf-8", "backslashreplace"))


def expiration(expires_at: datetime, not_before: datetime) -> bytes:
    """The caveat of tag 0; both times aware, rounded down to the second."""
    return _dump(0, int(expires_at.timestamp()), int(not_before.timestamp()))


def project_names(*names: str) -> bytes:
    """The caveat of tag 1; the names are normalized here."""
    return _dump(1, [normalize_name(name) for name in names])


def _dump(tag: int, *fields: Any) -> bytes:
    return json.dumps([tag, *fields], separators=(",", ":")).encode()


def _adapted(value: Mapping[str, Any]) -> list[Any] | None:
    """The array that the index converts an object to; tokens from before 2022 have objects."""
    if value.get("version") == 1:
        match value.get("permissions"):
            case "user":
                return [3, None]
            case {"projects": names}:
                return [1, names]
            case _:
                return None
    if "exp" in value and "nbf" in value:
        return [0, value["exp"], value["nbf"]]
    return [2, value["project_ids"]] if "project_ids" in value else None


def _read(value: Sequence[Any]) -> Caveat | None:
    """The caveat; surplus fields are ignored, as they are by the index."""
    match value:
        case [0, int(end), int(start), *_] if not any(isinstance(one, bool) for one in value[:3]):
            return Expiration(expires_at=_time(end), not_before=_time(start))
        case [1, [*names], *_] if not isinstance(value[0], bool) and _texts(names):
            return ProjectNames(names=tuple(names))
        case [2, [*ids], *_] if _texts(ids):
            return ProjectIds(ids=tuple(ids))
        case [3, (str() | None) as user, *_]:
            return RequestUser(user_id=user)
        case [4, str(publisher), *_]:
            return PublisherCaveat(publisher_id=publisher)
        case _:
            return None


def _texts(values: Sequence[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def _time(seconds: int) -> datetime:
    """A time of the index, limited to the range of `datetime`."""
    bounded = min(max(seconds, int(_FIRST.timestamp())), int(_LAST.timestamp()))
    return datetime.fromtimestamp(bounded, UTC)

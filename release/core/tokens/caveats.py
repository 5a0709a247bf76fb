"""The caveats of a token, which limit it. Each is compact JSON, `[tag, field…]`, inside the macaroon.

Source: warehouse, `macaroons/caveats/__init__.py` (tags), `_core.py` (form), `_legacy.py` (objects): values are not
converted, so that a number is no text; additional fields are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from release.core.models.index import normalize_name


class Expiration(Struct, frozen=True, kw_only=True):
    """Tag 0: valid from `not_before` until, not including, `expires_at`. Aware, UTC."""

    expires_at: datetime
    not_before: datetime


class ProjectNames(Struct, frozen=True, kw_only=True):
    """Tag 1: only for projects with these normalized names."""

    names: tuple[str, ...]


class ProjectIds(Struct, frozen=True, kw_only=True):
    """Tag 2: only for projects with these identifiers."""

    ids: tuple[str, ...]


class RequestUser(Struct, frozen=True, kw_only=True):
    """Tag 3: only for this user."""

    #: identifier of an account, a UUID; None in the legacy form, which means the owner of the token
    user_id: str | None


class PublisherCaveat(Struct, frozen=True, kw_only=True):
    """Tag 4: issued by trusted publishing, only for this publisher."""

    publisher_id: str


class InvalidCaveat(Struct, frozen=True, kw_only=True):
    """A caveat of a kind or form that the index refuses always."""

    text: str
    #: the index's words for it: "caveat has unknown tag: 9"
    refusal: str


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

Caveat = Expiration | ProjectNames | ProjectIds | RequestUser | PublisherCaveat | InvalidCaveat


def parse_caveat(data: bytes) -> Caveat:
    """A caveat from its bytes. Never raises: a caveat that the index cannot parse is an `InvalidCaveat`."""
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError):
        refusal = "unknown error"
    else:
        found = _read(_adapted(value) if isinstance(value, dict) else value)
        if not isinstance(found, str):
            return found
        refusal = found
    return InvalidCaveat(text=data.decode("utf-8", "backslashreplace"), refusal=refusal)


def expiration(expires_at: datetime, not_before: datetime) -> bytes:
    """The caveat of tag 0; both times aware, rounded down to the second."""
    return _dump(0, int(expires_at.timestamp()), int(not_before.timestamp()))


def project_names(*names: str) -> bytes:
    """The caveat of tag 1; the names are normalized here."""
    return _dump(1, [normalize_name(name) for name in names])


def _dump(tag: int, *fields: Any) -> bytes:
    return json.dumps([tag, *fields], separators=(",", ":")).encode()


#: the legacy form of the caveat for a user has no user: the owner of the token is meant
_OWNER = object()


def _adapted(value: Mapping[str, Any]) -> list[Any] | None:
    """The array that the index converts an object to; tokens from before 2022 have objects."""
    if value.get("version") == 1:
        match value.get("permissions"):
            case "user":
                return [3, _OWNER]
            case {"projects": names}:
                return [1, names]
            case _:
                return None
    if "exp" in value and "nbf" in value:
        return [0, value["exp"], value["nbf"]]
    return [2, value["project_ids"]] if "project_ids" in value else None


#: by tag: the number of fields that must be there
_FIELDS = {0: 2, 1: 1, 2: 1, 3: 1, 4: 1}


def _read(value: Any) -> Caveat | str:
    """The caveat, or the index's words for why it is none."""
    if not isinstance(value, list):
        return "caveat must be an array"
    if not value:
        return "caveat array cannot be empty"
    tag, *fields = value
    if type(tag) is not int or tag not in _FIELDS:
        return f"caveat has unknown tag: {tag}"
    if len(fields) < _FIELDS[tag]:
        return "Not enough values"
    return _build(tag, fields) or "invalid values for fields"


def _build(tag: int, fields: Sequence[Any]) -> Caveat | None:
    """The caveat of a known tag; None if its values are of the wrong types."""
    match tag, fields:
        case 0, [int(end), int(start), *_] if not isinstance(end, bool) and not isinstance(start, bool):
            return Expiration(expires_at=_time(end), not_before=_time(start))
        case 1, [[*names], *_] if _texts(names):
            return ProjectNames(names=tuple(names))
        case 2, [[*ids], *_] if _texts(ids):
            return ProjectIds(ids=tuple(ids))
        case 3, [user, *_] if isinstance(user, str) or user is _OWNER:
            return RequestUser(user_id=user if isinstance(user, str) else None)
        case 4, [str(publisher), *claims] if not claims or claims[0] is None or isinstance(claims[0], dict):
            return PublisherCaveat(publisher_id=publisher)
        case _:
            return None


def _texts(values: Sequence[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def _time(seconds: int) -> datetime:
    """A time of the index, limited to the range of `datetime`."""
    bounded = min(max(seconds, int(_FIRST.timestamp())), int(_LAST.timestamp()))
    return _EPOCH + timedelta(seconds=bounded)  # Windows refuses `fromtimestamp` before 1970 and after 3000

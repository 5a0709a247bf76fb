"""What the caveats of a token leave: its scope, its validity, and why nothing is left.

Each caveat limits a token further, so what is allowed is what all of them allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from release.core.models.index import normalize_name
from release.core.tokens.caveats import Caveat, Expiration, ProjectIds, ProjectNames, PublisherCaveat, RequestUser


class TokenScope(Struct, frozen=True, kw_only=True):
    """What a token may upload to, according to its own caveats."""

    #: "unknown": no caveat is visible; the index may store further ones. "nothing": no project meets all of them
    kind: Literal["account", "projects", "publisher", "unknown", "nothing"]
    #: names as the index compares them; None: not limited by names; empty: no name is in all lists
    projects: tuple[str, ...] | None = None
    #: identifiers of projects, UUIDs; None: not limited by them; empty: no identifier is in all lists
    ids: tuple[str, ...] | None = None
    #: whether the identifiers only repeat the names or the publisher, as the index itself issues them
    ids_issued: bool = True


class Validity(Struct, frozen=True, kw_only=True):
    """When a token is valid: from `not_before` until, not including, `expires_at`. Aware, UTC; None: no limit."""

    not_before: datetime | None = None
    expires_at: datetime | None = None


class Contradiction(Struct, frozen=True, kw_only=True):
    """Why no upload can meet all caveats of a token."""

    #: id of the known failure in the catalog
    cause: str
    #: continues "the token …": "is limited to 'a' and to 'b', which have no project in common"
    message: str


def scope_of(caveats: Sequence[Caveat]) -> TokenScope:
    """What the caveats of a token allow."""
    projects = _common(one.names for one in caveats if isinstance(one, ProjectNames))
    ids = _common(one.ids for one in caveats if isinstance(one, ProjectIds))
    kinds = {type(one) for one in caveats}
    kind: Literal["account", "projects", "publisher", "unknown", "nothing"] = "unknown"
    if projects == () or ids == ():
        kind = "nothing"
    elif PublisherCaveat in kinds:
        kind = "publisher"
    elif projects is not None or ids is not None:
        kind = "projects"
    elif RequestUser in kinds:
        kind = "account"
    return TokenScope(kind=kind, projects=projects, ids=ids, ids_issued=_are_issued(caveats))


def validity_of(caveats: Iterable[Caveat]) -> Validity:
    """When the caveats of a token allow an upload."""
    limits = [one for one in caveats if isinstance(one, Expiration)]
    if not limits:
        return Validity()
    return Validity(not_before=max(one.not_before for one in limits), expires_at=min(one.expires_at for one in limits))


def contradictions(caveats: Sequence[Caveat], now: datetime) -> Iterator[Contradiction]:
    """Why no upload can meet all caveats, now or later; nothing if one can."""
    yield from _of_identities(caveats)
    yield from _of_names([one.names for one in caveats if isinstance(one, ProjectNames)])
    ids = [one.ids for one in caveats if isinstance(one, ProjectIds)]
    if not all(ids):
        yield Contradiction(cause="cred.scope-empty", message="is limited to an empty list of project identifiers")
    elif _common(ids) == ():
        message = "is limited to lists of project identifiers that have none in common"
        yield Contradiction(cause="cred.scope-conflict", message=message)
    yield from _of_times(caveats, now)


def _common(lists: Iterable[Sequence[str]]) -> tuple[str, ...] | None:
    """What is in all lists, sorted; None if there are no lists."""
    sets = list(map(set, lists))
    return tuple(sorted(set.intersection(*sets))) if sets else None


def _are_issued(caveats: Sequence[Caveat]) -> bool:
    """Whether each list of identifiers belongs to the caveat before it, or repeats one that does.

    Source: warehouse, `manage/views/__init__.py`, `oidc/views.py`: the identifiers follow the name or the publisher.
    """
    known: set[str] | None = None
    for before, one in zip((None, *caveats), caveats, strict=False):
        if isinstance(one, ProjectIds) and (known is None or not known <= set(one.ids)):
            if not isinstance(before, ProjectNames | PublisherCaveat):
                return False
            known = set(one.ids)
    return True


def _of_identities(caveats: Sequence[Caveat]) -> Iterator[Contradiction]:
    """Two users, two publishers, or a user and a publisher: a token belongs to one of them."""
    users = {one.user_id for one in caveats if isinstance(one, RequestUser) and one.user_id is not None}
    publishers = {one.publisher_id for one in caveats if isinstance(one, PublisherCaveat)}
    if len(users) > 1:
        yield Contradiction(cause="cred.user-caveat", message=f"is limited to {len(users)} different users at once")
    if len(publishers) > 1:
        message = f"is limited to {len(publishers)} different trusted publishers at once"
        yield Contradiction(cause="cred.publisher-caveat", message=message)
    elif publishers and any(isinstance(one, RequestUser) for one in caveats):
        message = "is limited to a user and to a trusted publisher, but belongs to one of them only"
        yield Contradiction(cause="cred.publisher-caveat", message=message)
    elif publishers and isinstance(caveats[0], ProjectNames):
        message = "was created by a user for a project, but is limited to a trusted publisher"
        yield Contradiction(cause="cred.publisher-caveat", message=message)


def _of_names(lists: Sequence[Sequence[str]]) -> Iterator[Contradiction]:
    """No name that is in all lists is one that the index compares with: they are normalized."""
    if not all(lists):
        yield Contradiction(cause="cred.scope-empty", message="is limited to an empty list of projects")
    elif lists and not any(name == normalize_name(name) for name in _common(lists) or ()):
        if _common([normalize_name(name) for name in names] for names in lists):
            odd = sorted({name for names in lists for name in names if name != normalize_name(name)})
            message = (
                f"is limited to {_quoted(odd)}, but the index compares with the normalized name, "
                f"{_quoted(map(normalize_name, odd))}"
            )
            yield Contradiction(cause="cred.scope-unnormalised", message=message)
        else:
            groups = " and to ".join(dict.fromkeys(map(_quoted, lists)))
            message = f"is limited to {groups}, which have no project in common"
            yield Contradiction(cause="cred.scope-conflict", message=message)


def _of_times(caveats: Iterable[Caveat], now: datetime) -> Iterator[Contradiction]:
    periods = [one for one in caveats if isinstance(one, Expiration)]
    whole = validity_of(periods)
    if whole.not_before is None or whole.expires_at is None or whole.not_before < whole.expires_at:
        return
    if whole.expires_at > now or any(one.not_before >= one.expires_at for one in periods):
        message = (
            f"is never valid: from {whole.not_before:%Y-%m-%d %H:%M:%S} UTC, but only until "
            f"{whole.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        yield Contradiction(cause="cred.scope-empty", message=message)


def _quoted(names: Iterable[str], most: int = 5) -> str:
    """Names for a message, the first of them if there are many."""
    every = list(dict.fromkeys(names))
    return ", ".join(map(repr, every[:most])) + (", …" if len(every) > most else "")

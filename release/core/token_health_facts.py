"""The facts that the checklist of token health checks: a credential, its history, and the other credentials."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from release.core.facts import Access
from release.core.models.token_health import TokenPolicy


class PreviousToken(Struct, frozen=True, kw_only=True):
    """The token that a location had in the last scan."""

    fingerprint: str
    #: empty if it could not be decoded
    identifier: str
    #: its state then: "healthy", "expiring", "revoked", …
    state: str
    #: aware, UTC
    last_seen: datetime


class TokenHealth(Struct, frozen=True, kw_only=True):
    """A credential, its history, and its relation to the other credentials."""

    access: Access
    policy: TokenPolicy
    #: when the token was created, according to the fleet file or the token itself; aware, UTC
    made: datetime | None = None
    #: when it was first seen: by an earlier run, or by the date of its file; aware, UTC
    known_since: datetime | None = None
    #: the other locations of the same token
    elsewhere: tuple[str, ...] = ()
    #: the token that its location had before; None if unknown
    before: PreviousToken | None = None
    #: where trusted publishing could be used instead; None if unknown
    publisher: str | None = None

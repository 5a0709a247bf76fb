"""One request, and what is at hand to answer it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from werkzeug.wrappers import Request

from release.sandbox.store import Store


@dataclass(slots=True, kw_only=True)
class Notes:
    """What a request turns out to be about; for the log."""

    #: name of the account, where the token was known
    username: str | None = None
    project: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    request: Request
    store: Store
    #: aware, UTC
    now: datetime
    notes: Notes = field(default_factory=Notes)

    @property
    def site(self) -> str:
        """Scheme and host, without a slash, as the client sees them."""
        return self.request.host_url.rstrip("/")

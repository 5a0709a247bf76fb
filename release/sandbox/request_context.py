"""One request, and what is at hand to answer it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from werkzeug.wrappers import Request

from release.sandbox.index_store import Store
from release.sandbox.oidc_provider import IdentityProvider

#: where the notes on a request are kept for the log, and its trouble for the application
LOG_FIELDS_KEY, INDEX_FAULTS_KEY = "release.sandbox.notes", "release.sandbox.trouble"


@dataclass(slots=True, kw_only=True)
class LogFields:
    """What a request turns out to be about; for the log."""

    #: name of the account, where the token was known
    username: str | None = None
    project: str | None = None
    filename: str | None = None
    #: whether the form had attestations
    attested: bool = False
    #: the faults that struck it
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFaults:
    """The faults of a request that the index itself acts out."""

    #: seconds for which a new file is not shown
    stale: float = 0
    #: status where the disk is full; None where it is not
    full: int | None = None
    #: whether first files of a release get into each other's way
    clash: bool = False
    #: makes the work take longer; None where it does not
    work: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One request."""

    request: Request
    store: Store
    #: aware, UTC
    now: datetime
    #: tells the time anew
    clock: Callable[[], datetime]
    #: whose identity tokens the index trusts
    issuer: IdentityProvider = field(default_factory=IdentityProvider)
    notes: LogFields = field(default_factory=LogFields)
    trouble: IndexFaults = field(default_factory=IndexFaults)
    #: the newest release of all when the request began; None where nobody will ask
    newest_release: int | None = None

    @property
    def site(self) -> str:
        """Scheme and host, without a slash, as the client sees them."""
        return self.request.host_url.rstrip("/")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """The index as this request may see it."""
        stale = self.trouble.stale
        return self.store.reading(self.now - timedelta(seconds=stale) if stale else None)

    def at_work(self) -> RequestContext:
        """The same request when its work is done, which may take a while."""
        if self.trouble.work is not None:
            self.trouble.work()
        return replace(self, now=self.clock())

"""One request, and what its handlers need to answer it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from werkzeug.wrappers import Request

from release.sandbox.index_store import Store
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.request_log import LogFields

#: where the middleware leaves the faults of a request for the application, in the WSGI environment
INDEX_FAULTS_KEY = "release.sandbox.index_faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFaults:
    """The active faults of a request that the index itself simulates."""

    #: seconds for which a new file is not listed
    stale: float = 0
    #: status to answer with because the disk is full; None if it is not
    full: int | None = None
    #: whether concurrent first files of a release fail
    clash: bool = False
    #: makes the work take longer; None if it does not
    work: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One request."""

    request: Request
    store: Store
    #: aware, UTC
    now: datetime
    #: returns the current time
    clock: Callable[[], datetime]
    #: the provider whose identity tokens the index trusts
    identity_provider: IdentityProvider
    log_fields: LogFields
    faults: IndexFaults
    #: the newest release of all projects when the request began; None if not needed
    newest_release: int | None = None

    @property
    def site(self) -> str:
        """Scheme and host as the client sees them, without a trailing slash."""
        return self.request.host_url.rstrip("/")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open the index as this request may see it."""
        stale = self.faults.stale
        return self.store.reading(self.now - timedelta(seconds=stale) if stale else None)

    def after_work(self) -> RequestContext:
        """Wait as long as a fault prolongs the work, and return the same request at that time."""
        if self.faults.work is not None:
            self.faults.work()
        return replace(self, now=self.clock())

"""The release before this one, fetched in parallel to the steps of a run."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError

from msgspec import Struct

from release.adapters import collect
from release.core.facts import PreviousRelease
from release.core.models.check_result import NotApplicable, Unknown
from release.core.models.index import Index, ProjectListing
from release.publishing import compare

#: seconds that a rehearsal waits for an index after the build
_PATIENCE = 10.0

_Fetched = PreviousRelease | Unknown | NotApplicable


class LastRelease(Struct, kw_only=True):
    """Fetches the last release for a comparison; a run that is not compared with any starts no request."""

    pool: ThreadPoolExecutor
    _fetched: Future[_Fetched] | None = None
    #: seconds; None: until it is there
    _within: float | None = None

    def fetch(self, listing: ProjectListing, version: str) -> None:
        """Start to fetch the release before `version`. Of several indexes, the last one counts."""
        if self._fetched is not None:
            self._fetched.cancel()
        self._fetched = self.pool.submit(compare.fetch_previous_release, listing, version, complete=True)

    def fetch_if_reachable(self, index: Index, name: str, version: str) -> None:
        """Start to fetch it from an index that nothing else depends on, and that need not answer."""
        if self._fetched is None:
            self._fetched, self._within = self.pool.submit(_ask, index, name, version), _PATIENCE

    def result(self) -> _Fetched | None:
        """The release before this one, or why there is none to compare with; None if none was requested."""
        if self._fetched is None:
            return None
        try:
            return self._fetched.result(self._within)
        except LateError:
            return NotApplicable(reason="the index has not answered in time")


def _ask(index: Index, name: str, version: str) -> _Fetched:
    listing = collect.collect_listing(index, name, retries=0)
    if isinstance(listing, Unknown):
        return NotApplicable(reason=f"{index.name} was not reached: {listing.reason}")
    return compare.fetch_previous_release(listing, version)

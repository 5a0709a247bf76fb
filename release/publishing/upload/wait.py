"""Wait until an index lists what was uploaded: its pages lag behind its responses."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from release.adapters import collect
from release.adapters.system.system import System
from release.core.events import Observer, Progress
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.index import Index, ProjectListing

#: seconds until an index must list an upload; PyPI's pages have lagged more than 10 minutes
LAG = 30 * 60.0
#: seconds for an index on this machine, where no cache is in between
LOOPBACK_LAG = 10.0
#: seconds; the first pause, which doubles, and the longest
_PAUSE, _LONGEST = 1.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingAfterWait:
    """What an index lists, and how long that took."""

    #: None: no such project; `Unknown`: the index does not answer
    listing: ProjectListing | Unknown | None
    #: seconds
    waited: float


def wait_until_listed(  # noqa: PLR0913 - an index, a release, and a limit
    system: System, notify: Observer, index: Index, project: ProjectMetadata, filenames: AbstractSet[str], *,
    within: float | None = None,
) -> ListingAfterWait:  # fmt: skip
    """Fetch the listing, past caches, until it has every file, or for `within` seconds; None: the index's usual lag.

    It does not use the JSON API, whose 404s are cached for long. It ends early for a quarantined project.
    """
    limit = within if within is not None else LOOPBACK_LAG if index.loopback else LAG
    waited, pause = 0.0, _PAUSE
    while True:
        found = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(found, Unknown):
            return ListingAfterWait(listing=found, waited=waited)
        missing = filenames - {file.filename for file in (found.files if found else ())}
        if not missing or waited >= limit or (found is not None and found.status == "quarantined"):
            return ListingAfterWait(listing=found, waited=waited)
        text = f"waiting for {index.name} to list {min(missing)}"
        notify(Progress(text=text, done=waited, total=limit, unit="seconds"))
        system.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST)

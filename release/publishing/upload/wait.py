"""Waits until an index shows what it took: its pages lag behind its answers."""

from __future__ import annotations

from collections.abc import Sequence

from release.adapters import collect
from release.adapters.system.system import System
from release.core.events import Observer, Progress
from release.core.facts import ProjectMetadata
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.project_listing import ProjectListing

#: seconds that an index gets to show what it took; PyPI's own pages have lagged over 10 minutes
LAG = 30 * 60.0
#: seconds for an index on this machine, which has nothing between itself and us
LOOPBACK_LAG = 10.0
#: seconds; the first pause, which doubles, and the longest
_PAUSE, _LONGEST = 1.0, 30.0


def until_listed(  # noqa: PLR0913 - an index, a release, and a limit
    system: System,
    tell: Observer,
    index: Index,
    project: ProjectMetadata,
    files: Sequence[Distribution],
    *,
    within: float | None = None,
) -> ProjectListing | Unknown | None:
    """What the index lists, once it has every file, or after `within` seconds; None: what its kind is known to need.

    Goes past caches. The JSON API is not asked: its 404s are cached for long.
    """
    lag = within if within is not None else LOOPBACK_LAG if index.loopback else LAG
    waited, pause = 0.0, _PAUSE
    while True:
        found = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(found, Unknown) or not _missing(found, files) or waited >= lag:
            return found
        tell(Progress(text=f"waiting for {index.name} to list the files", done=waited, total=lag, unit="seconds"))
        system.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST)


def _missing(listing: ProjectListing | None, files: Sequence[Distribution]) -> list[Distribution]:
    return [file for file in files if listing is None or listing.file(file.filename) is None]

"""The state of one release run: what it was given, and what it has learned so far."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from release.adapters.system.system import System
from release.core.config import Config
from release.core.events import Observer
from release.core.facts import PreviousRelease, Source
from release.core.models.check_result import Outcome
from release.core.models.distribution import Distribution
from release.core.models.finding import NotApplicable, Unknown
from release.core.models.project_listing import ProjectListing
from release.core.plan import Plan
from release.publishing.journal import Journal
from release.publishing.run_resources import RunResources


@dataclass(kw_only=True)
class Run:
    """One run of a plan: what it was given, and what it has learnt so far."""

    plan: Plan
    config: Config
    source: Source
    directory: Path
    system: System
    tell: Observer
    #: asked once, before the first step that can't be undone; True goes on
    #: with it comes the index that the project would be created on, where it is new there
    confirm: Callable[[Plan, str | None], bool]
    journal: Journal
    delivery: RunResources
    #: does beside the steps what only a later one needs
    pool: ThreadPoolExecutor
    outcomes: list[Outcome] = field(default_factory=list)
    files: tuple[Distribution, ...] = ()
    confirmed: bool = False
    #: index name → what it had of the project when the way to it was looked at; None: no such project
    listings: dict[str, ProjectListing | None] = field(default_factory=dict)
    #: checks that did not pass and did not stop the run
    later: int = 0
    #: whether any step found something to do
    busy: bool = False
    #: the release before this one, on its way; None where no index has one
    earlier: Future[PreviousRelease | Unknown | NotApplicable] | None = None

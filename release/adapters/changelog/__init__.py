"""Changelogs: what brings each kind to a new version.

To add a kind, write a module with a function of this protocol, and add it to `CHANGELOGS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.changelog.keep_a_changelog import plan_sections
from release.adapters.changelog.scriv import plan_scriv
from release.adapters.changelog.towncrier import plan_towncrier


class PlanChangelog(Protocol):
    """Plans the change of a project's changelog; None where the project has no changelog of this kind."""

    def __call__(self, request: ChangelogRequest, /) -> ChangelogChange | None: ...


#: kind → what plans its change; the first that the project has counts
CHANGELOGS: Mapping[str, PlanChangelog] = {
    "towncrier": plan_towncrier,
    "scriv": plan_scriv,
    "sections": plan_sections,
}


def plan_changelog(request: ChangelogRequest) -> ChangelogChange:
    """What brings the project's changelog to the release; nothing where it has none."""
    for plan in CHANGELOGS.values():
        if (found := plan(request)) is not None:
            return found
    return ChangelogChange()

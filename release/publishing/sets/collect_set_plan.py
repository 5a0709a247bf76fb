"""The plan of a set for other engines: the checks of the set as a whole, and what the build of each member needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from release.adapters.system.system import System
from release.checks import engine, set_checks
from release.core.config import Config
from release.core.models.check_result import blocking_problem
from release.core.models.index import normalize_name
from release.core.models.release_set import ReleaseSet
from release.publishing import result
from release.publishing.ci.set_pipeline import load_member_pipelines
from release.publishing.sets.set_plan import set_plan_to_json


def collect_set_plan(
    system: System, directory: Path, config: Config, release_set: ReleaseSet, *, new_projects: Sequence[str] = ()
) -> dict[str, Any]:
    """The document of `set plan --json`. `config`: that of the root.

    Raises `RefusedError` where a check of the set fails: its release would be refused, too.
    """
    outcomes = tuple(engine.run(set_checks.CHECKS, release_set, waive=config.waive, block=config.block))
    if blocking_problem(outcomes) is not None:
        raise result.checks_failed(outcomes)
    members = [one.member for one in release_set.members if one.state == "release"]
    pipelines = load_member_pipelines(system, directory.resolve(), members)
    return set_plan_to_json(release_set, pipelines, new_projects=[normalize_name(one) for one in new_projects])

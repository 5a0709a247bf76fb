"""Check a prepared project as `check` does, before its changes are committed."""

from __future__ import annotations

from msgspec.structs import replace

from release.adapters import collect
from release.adapters.builds import pinned_builds
from release.adapters.oidc import provider
from release.adapters.system.system import System
from release.core import plan as plans
from release.core.errors import RefusedError
from release.core.events import Observer
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Unknown
from release.core.models.distribution import parse_version
from release.core.models.results import RunResult
from release.core.repeated_command import RepeatedCommand
from release.publishing import runner
from release.publishing.prepare.collect_preparation import CollectedPreparation


def check_prepared(  # noqa: PLR0913 - a project, and what its checks need
    system: System,
    prepared: CollectedPreparation,
    *,
    index: str | None,
    offline: bool,
    notify: Observer,
    command: RepeatedCommand,
) -> RunResult:
    """Run the checks of `check` for the new version, as if the changes were committed. Its result.

    `index`: the index of the release; None: PyPI. `offline`: only the checks of the source.
    Raises `RefusedError` where the build backend reports another version.
    """
    config, directory = prepared.config, prepared.directory
    source = source_after(system, prepared)
    plan = plans.make_plan("check", config, source)
    if offline:
        plan = replace(plan, steps=tuple(step for step in plan.steps if isinstance(step, plans.CheckSource)))
    else:
        release = plans.make_plan("release", config, source, index=index)
        checked = (one for one in release.steps if isinstance(one, plans.CheckSource | plans.CheckCredentials))
        plan = replace(plan, steps=tuple(checked))
    identified = config.exchange != "never" and provider.may_request_identity(system.env)
    plan = replace(plan, exchanges=identified and plan.checks_credentials)
    options = runner.RunOptions(
        config=config, source=source, directory=directory, notify=notify,
        system=pinned_builds.pin_builds(system, directory, config),
        approve=lambda _plan, _new_on: True, command=command, offline=offline,
    )  # fmt: skip
    return runner.execute_plan(plan, options)


def source_after(system: System, prepared: CollectedPreparation) -> Source:
    """The source as it is after the commit, and after the tag where the version is derived from it."""
    made = prepared.preparation
    system = pinned_builds.pin_builds(system, prepared.directory, prepared.config)
    source = collect.collect_source(system, prepared.directory, prepared.config)
    project = source.project
    if isinstance(project, Unknown):
        raise RefusedError(project.reason, remedy=project.remedy)
    if made.tag is not None:
        project = ProjectMetadata(name=made.project, version=made.proposal.text)
        source = collect.with_project(source, system, prepared.directory, project)
    elif parse_version(project.version) != made.proposal.version:
        raise RefusedError(
            f"the version is still {project.version!r} after the edit: {made.proposal.text!r} was written, and "
            "the build backend reads another place",
            remedy="set it where the build backend reads it, commit it, then run the same command again",
        )
    if not isinstance(source.git, GitState):
        return source
    before = prepared.source.git
    changes = before.changes if isinstance(before, GitState) else ()
    here = source.git.tags if made.message is None else ()
    tags = (*here, made.tag) if made.tag else here
    return replace(
        source,
        git=replace(
            source.git, changes=changes, tags=tags, on_remote=None,
            tagged_commit=source.git.commit if made.tag else source.git.tagged_commit,
        ),
    )  # fmt: skip

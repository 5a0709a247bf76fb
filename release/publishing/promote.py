"""Promotes files that passed the dry run: the tag of the release, and its page on GitHub."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.version import Version

from release.adapters.git import pushes, repository, tags
from release.adapters.github import releases
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ToolError
from release.core.models.distribution import Distribution
from release.core.models.index import ProjectListing
from release.core.models.results import StepResult
from release.core.plan import (
    SANDBOX,
    CompareWithDryRun,
    Plan,
    Promotion,
    PushCommit,
    PushTag,
    ReleaseOnGitHub,
    Tag,
    require_name,
)
from release.publishing.compare import compare_with_dry_run
from release.publishing.journal import Journal


def execute_promotion(  # noqa: PLR0913 - a step, and what it publishes
    step: Promotion,
    *,
    plan: Plan,
    config: Config,
    system: System,
    directory: Path,
    files: Sequence[Distribution],
    journal: Journal,
) -> StepResult:
    """Execute a step that follows the dry run. Raises `RefusedError` and `ToolError`, as the functions below do."""
    match step:
        case CompareWithDryRun(proven_on=name):
            index = None if name == SANDBOX else config.index(name)
            return compare_with_dry_run(files, index, require_name(plan)[0], journal, config.waive)
        case Tag():
            return tag_release(system, directory, step, plan=plan, files=files, journal=journal)
        case PushTag():
            return push_release_tag(system, directory, step, journal)
        case PushCommit():
            return push_release_commit(system, directory, step, journal)
        case ReleaseOnGitHub():
            return publish_on_github(system, step, plan, files, journal)


def new_project_index(
    plan: Plan, listings: Mapping[str, ProjectListing | None], trusted: Collection[str]
) -> str | None:
    """The name of the lasting index that the run would create the project on; None where all have it.

    A dry run may create projects; a name on PyPI is taken for good. `trusted`: indexes with trusted publishing. There,
    the user has entered the project's name already: a pending publisher creates only that project.
    """
    exempt = {step.proven_on for step in plan.steps if isinstance(step, CompareWithDryRun)} | set(trusted)
    targets = (step.index for step in plan.irreversible if step.index not in exempt)
    return next((name for name in targets if name in listings and listings[name] is None), None)


def tag_release(  # noqa: PLR0913 - a tag and its message
    system: System, directory: Path, step: Tag, *, plan: Plan, files: Iterable[Distribution], journal: Journal
) -> StepResult:
    """Create an annotated tag with the hashes of the files. Raises `ToolError`."""
    root = repository.find_root(system, directory)
    if root is None or plan.commit is None or repository.tag_commit(system, root, step.name) is not None:
        return StepResult(changed=False, note=f"{step.name} exists already")
    message = f"{plan.project} {plan.version}\n\n{_hashes(files)}\n"
    tags.create_tag(system, root, step.name, plan.commit, message)
    journal.write("tagged", tag=step.name)
    return StepResult(changed=True)


def push_release_tag(system: System, directory: Path, step: PushTag, journal: Journal) -> StepResult:
    """Push the tag, once the release is confirmed. Raises `ToolError`."""
    root = repository.find_root(system, directory)
    assert root is not None
    if not pushes.push_tag(system, root, step.remote, step.name):
        return StepResult(changed=False, note=f"{step.remote} has {step.name}")
    journal.write("pushed", tag=step.name, remote=step.remote)
    return StepResult(changed=True)


def push_release_commit(system: System, directory: Path, step: PushCommit, journal: Journal) -> StepResult:
    """Push the commit of the release, once it is confirmed. Raises `ToolError`."""
    root = repository.find_root(system, directory)
    assert root is not None
    if not pushes.push_commit(system, root, step.commit, remote=step.remote, ref=f"refs/heads/{step.branch}"):
        return StepResult(changed=False, note=f"{step.remote} has {step.commit[:12]}")
    journal.write("pushed", commit_of=step.commit, branch=step.branch, remote=step.remote)
    return StepResult(changed=True)


def publish_on_github(
    system: System, step: ReleaseOnGitHub, plan: Plan, files: Sequence[Distribution], journal: Journal
) -> StepResult:
    """Create the release on GitHub. Raises `ToolError`, `UnreachableError`."""
    secret = releases.find_github_token(system)
    if secret is None:
        raise ToolError(
            "no GitHub credentials: neither GH_TOKEN nor GITHUB_TOKEN is set, and gh is not logged in",
            remedy="run `gh auth login` or set GH_TOKEN; to skip this step: github-release = false",
        )
    project, version = require_name(plan)
    indexes = " and ".join(upload.index for upload in plan.irreversible) or "the index"
    request = releases.ReleaseRequest(
        repository=step.repository, tag=step.tag, title=f"{project} {version}",
        body=f"SHA-256 of the files on {indexes}:\n\n```\n{_hashes(files)}\n```\n",
        prerelease=Version(version).is_prerelease, files=tuple(files),
    )  # fmt: skip
    published = releases.publish_release(system, secret, request)
    if published.changed:
        journal.write("released", on="github", tag=step.tag, url=published.url)
    return StepResult(changed=published.changed, note=published.url)


def _hashes(files: Iterable[Distribution]) -> str:
    return "\n".join(f"{file.sha256}  {file.filename}" for file in files)

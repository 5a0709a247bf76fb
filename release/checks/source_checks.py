"""The first checklist: the project as it stands, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from release.checks.engine import Check, check
from release.core.facts import GitState, Source
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.project_name import is_project_name


@check()
def the_project_says_its_name_and_version(source: Source) -> Iterator[Observation]:
    """The project says its name and version.

    Both are read from `[project]`, or from the build backend where they are dynamic.
    """
    if isinstance(source.project, Unknown):
        yield source.project


@check(needs=(the_project_says_its_name_and_version,))
def the_name_is_valid(source: Source) -> Iterator[Observation]:
    """The project's name is one that an index accepts.

    Source: core metadata specification, "Name".
    """
    assert not isinstance(source.project, Unknown)
    if not is_project_name(source.project.name):
        yield Finding(
            message=f"the name {source.project.name!r} is not valid",
            remedy="use ASCII letters and digits with '.', '_' and '-' between them",
            source="https://packaging.python.org/specifications/core-metadata/#name",
        )


@check(needs=(the_project_says_its_name_and_version,))
def the_version_is_valid(source: Source) -> Iterator[Observation]:
    """The version is one that an index accepts.

    Source: version specifiers (PEP 440); PyPI takes no local versions (`1.0+local`).
    """
    assert not isinstance(source.project, Unknown)
    text = source.project.version
    try:
        version = Version(text)
    except InvalidVersion:
        yield Finding(
            message=f"the version {text!r} is not valid",
            remedy="use a version such as 1.0, 1.0rc1 or 1.0.post1",
            source="https://packaging.python.org/specifications/version-specifiers/",
        )
        return
    if version.local:
        yield Finding(
            message=f"the version {text!r} has a local part, which no public index takes",
            remedy=_local_remedy(source),
            cause="version.local",
            server_text=f"The use of local versions in '{text}' is not allowed.",
        )


def _local_remedy(source: Source) -> str:
    if isinstance(source.git, GitState) and source.git.shallow:
        return "fetch the whole history and its tags: git fetch --unshallow --tags"
    return "commit everything and tag the commit (git tag v1.2.3), or set local_scheme = 'no-local-version'"


@check()
def the_project_is_in_a_repository(source: Source) -> Iterator[Observation]:
    """The project is in a git repository.

    A release is built from a commit, so that nothing untracked or uncommitted slips in.
    """
    if source.git is None:
        yield Finding(
            message="the project is in no git repository, so there is no commit to release",
            remedy="run: git init, commit everything; or rehearse, which needs no repository",
        )
    elif isinstance(source.git, Unknown):
        yield source.git


def _git(source: Source) -> GitState:
    assert isinstance(source.git, GitState)
    return source.git


@check(needs=(the_project_is_in_a_repository,))
def the_tree_is_clean(source: Source) -> Iterator[Observation]:
    """Everything is committed.

    What is not committed would be missing from the release, which is built from the commit.
    """
    changes = _git(source).changes
    if changes:
        shown = ", ".join(repr(path) for path in changes[:5]) + (", …" if len(changes) > 5 else "")  # noqa: PLR2004 - a line's worth
        count = f"{len(changes)} file{'s' if len(changes) > 1 else ''}"
        yield Finding(
            message=f"{count} changed or untracked: {shown}", remedy="commit, ignore or remove them; see git status"
        )


@check(needs=(the_project_is_in_a_repository,))
def the_branch_is_the_release_branch(source: Source) -> Iterator[Observation]:
    """The branch is the one that releases are made from."""
    git, wanted = _git(source), source.config.branch
    if wanted is None:
        yield NotApplicable(reason="tool.release.branch names none")
    elif git.branch is None and git.tagged_commit == git.commit:
        yield NotApplicable(reason=f"the commit is checked out by its tag {source.tag}")
    elif git.branch != wanted:
        where = f"on branch {git.branch!r}" if git.branch else "on no branch (HEAD is detached)"
        yield Finding(message=f"{where}, not on {wanted!r}", remedy=f"run: git switch {wanted}")


@check(needs=(the_project_is_in_a_repository, the_project_says_its_name_and_version))
def the_tag_is_free_or_here(source: Source) -> Iterator[Observation]:
    """The release tag is on this commit, or not made yet.

    Where there is none, the run makes it once the release is confirmed.
    """
    git = _git(source)
    if git.tagged_commit not in {None, git.commit}:
        yield Finding(
            message=f"the tag {source.tag!r} is on commit {str(git.tagged_commit)[:12]}, not on {git.commit[:12]}",
            remedy=f"take a new version, or release the tagged commit: git switch --detach {source.tag}",
            cause="version.mismatch-tag",
        )


@check(needs=(the_project_is_in_a_repository,))
def the_branch_is_not_behind_its_upstream(source: Source) -> Iterator[Observation]:
    """The upstream branch has no commit that is not here."""
    git = _git(source)
    if git.upstream is None:
        yield NotApplicable(reason="the branch has no upstream")
    elif isinstance(git.behind, Unknown):
        yield git.behind
    elif git.behind:
        commits = f"{git.behind} commit{'s' if git.behind > 1 else ''}"
        yield Finding(message=f"{git.upstream} has {commits} that this branch has not", remedy="run: git pull --rebase")


@check(needs=(the_project_says_its_name_and_version,))
def the_changelog_mentions_the_version(source: Source) -> Iterator[Observation]:
    """The changelog has an entry for this version."""
    assert not isinstance(source.project, Unknown)
    path, version = source.config.changelog, source.project.version
    if path is None:
        yield NotApplicable(reason="tool.release.changelog names none")
    elif source.changelog is None:
        yield Finding(message=f"the changelog {path!r} can't be read", remedy="correct tool.release.changelog")
    elif not re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\d)", source.changelog):
        yield Finding(message=f"{path!r} does not mention {version}", remedy=f"add an entry for {version} to {path}")


CHECKS: tuple[Check[Source], ...] = (
    the_project_says_its_name_and_version,
    the_name_is_valid,
    the_version_is_valid,
    the_project_is_in_a_repository,
    the_tree_is_clean,
    the_branch_is_the_release_branch,
    the_tag_is_free_or_here,
    the_branch_is_not_behind_its_upstream,
    the_changelog_mentions_the_version,
)

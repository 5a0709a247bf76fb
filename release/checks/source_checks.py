"""The first checklist: the project in its current state, before anything is built."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from release.checks.build_pins import NOT_SET, pin_finding
from release.checks.engine import Checklist, quote, quote_some
from release.core import python_versions
from release.core.build_constraints import uncovered_requirements, write_command
from release.core.facts import GitState, Source
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.index import is_project_name
from release.core.models.interpreter import RequiredPython, version_to_text
from release.core.models.source_tree import CHECK_OUT_SUBMODULES
from release.core.shell import quote_word
from release.core.tag_form import release_after
from release.core.time_text import format_count

#: Python versions in a message
_MOST_VERSIONS = 8

CHECKS = Checklist[Source]()


@CHECKS.check()
def the_project_says_its_name_and_version(source: Source) -> Iterator[Observation]:
    """The project declares its name and version.

    Both are read from `[project]`, or from the build backend if they are dynamic.
    """
    if isinstance(source.project, Unknown):
        yield source.project


@CHECKS.check(needs=(the_project_says_its_name_and_version,), name="the-name-is-valid")
def the_project_name_is_valid(source: Source) -> Iterator[Observation]:
    """The project name is valid.

    Source: core metadata specification, "Name".
    """
    assert not isinstance(source.project, Unknown)
    if not is_project_name(source.project.name):
        yield Finding(
            message=f"the name {source.project.name!r} is not valid",
            remedy="use ASCII letters and digits with '.', '_' and '-' between them",
            source="https://packaging.python.org/specifications/core-metadata/#name",
        )


@CHECKS.check(needs=(the_project_says_its_name_and_version,))
def the_version_is_valid(source: Source) -> Iterator[Observation]:
    """The version is valid on an index.

    Source: version specifiers (PEP 440); PyPI accepts no local versions (`1.0+local`).
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
            message=f"the version {text!r} has a local part, which no public index accepts",
            remedy=tag_remedy(source) if source.version_source else f"set the version to {version.public}",
            cause="version.local",
            server_text=f"The use of local versions in '{text}' is not allowed.",
        )


def tag_remedy(source: Source) -> str:
    """How a version that is derived from git becomes a release: the tags are missing here, or there is none yet."""
    git = source.git
    if not isinstance(git, GitState) or isinstance(source.project, Unknown) or source.tag_form is None:
        return "tag a commit in a git repository, and build from there"
    if git.shallow:
        return "fetch the whole history and its tags: git fetch --unshallow --tags"
    tag = source.tag_form.tag(release_after(source.project.version) or source.project.version)
    tag = source.tag_form.tag("0.1.0") if not git.all_tags else tag
    command = f"tag the commit: git tag {quote_word(tag)}"
    if git.changes:
        command = f"commit everything, then {command}"
    return f"fetch the tags: git fetch --tags; if there are none, {command}" if not git.all_tags else command


@CHECKS.check()
def a_required_python_is_installed(source: Source) -> Iterator[Observation]:
    """A Python version that the project requires is installed.

    The clean install before the upload needs one, and some build backends do: the interpreter that runs this program,
    or another one that uv, pyenv, the Windows launcher or PATH has.
    """
    python = source.python
    if python is None:
        yield NotApplicable(reason="the project's files state no requires-python")
    elif python.chosen is None:
        yield missing_python(python)


def missing_python(python: RequiredPython) -> Finding:
    """The finding where no installed interpreter satisfies the project's requirement."""
    found = ", ".join(map(version_to_text, python.others[-_MOST_VERSIONS:]))
    minors = python_versions.fitting_minors(python.specifier)
    message = f"the project requires Python {python.specifier!r} ({python.declared_in}); found only {found}"
    if not minors:
        return Finding(message=message, remedy=f"correct {python.declared_in}: no known Python version satisfies it")
    running = python.running.version[1]
    closest = min(minors, key=lambda text: abs(int(text.partition(".")[2]) - running))
    return Finding(
        message=message,
        remedy=f"install one of {', '.join(minors)}: uv python install {closest}, or pyenv install {closest}; "
        "then run the same command again",
    )


@CHECKS.check()
def the_build_constraints_are_complete(source: Source) -> Iterator[Observation]:
    """The constraints pin each requirement of the build, with hashes.

    An entry without a hash lets the index decide which file runs during the build. What backends ask for themselves is
    known during the build only.
    """
    file, required = source.config.build_constraints, bool(source.config.require_pinned_build)
    pins = source.build_pins
    again = write_command(file)
    if file is None or pins is None:
        yield NotApplicable(reason=NOT_SET)
        return
    if isinstance(source.project, Unknown) and (source.project.cause or "").startswith("build."):
        yield NotApplicable(reason="the build backend was not installed because of them")
        return
    missing, contradicted = uncovered_requirements(pins.constraints, pins.requires)
    if contradicted:
        yield Finding(
            message=f"'{file}' contradicts [build-system] requires: {quote(contradicted)}",
            remedy=f"write it again: {again}",
            where=file,
        )
    if missing:
        yield pin_finding(
            f"'{file}' does not pin what [build-system] requires: {quote(missing)}",
            f"write it again: {again}", required=required, where=file,
        )  # fmt: skip
    if loose := pins.constraints.loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        yield pin_finding(f"'{file}', {loose[0]}{more}", f"write it again: {again}", required=required, where=file)
    if pins.tracked is False:
        yield pin_finding(
            f"'{file}' is not in git, so a build elsewhere is not held to it",
            f"commit it: git add --force {shlex.quote(file)}",
            required=required, where=file,
        )  # fmt: skip


@CHECKS.check()
def the_project_is_in_a_repository(source: Source) -> Iterator[Observation]:
    """The project is in a git repository.

    A release is built from a commit, so that it contains nothing untracked or uncommitted.
    """
    if source.git is None:
        remedy = "run git init and commit everything; or rehearse, which needs no repository"
        yield Finding(message="the project is not in a git repository, so there is no commit to release", remedy=remedy)
    elif isinstance(source.git, Unknown):
        yield source.git


def _git(source: Source) -> GitState:
    assert isinstance(source.git, GitState)
    return source.git


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def the_tree_is_clean(source: Source) -> Iterator[Observation]:
    """No uncommitted changes.

    They would be missing from the release, which is built from the commit.
    """
    changes = _git(source).changes
    if changes:
        message = f"{format_count(len(changes), 'file')} changed or untracked: {quote_some(changes, listed=5)}"
        yield Finding(message=message, remedy="commit, ignore or remove them; see git status")


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def the_submodules_are_checked_out(source: Source) -> Iterator[Observation]:
    """The submodules that the release takes files from are checked out.

    A clone without `--recurse-submodules` has an empty directory in place of each. Only submodules in a package, or in
    a place that the build configuration names, count: the files of others may not be meant for the release.
    """
    submodules = _git(source).submodules
    if not submodules:
        yield NotApplicable(reason="the repository has no submodules")
    for one in submodules:
        if one.used_because and not one.checked_out:
            remedy = (
                CHECK_OUT_SUBMODULES
                if one.named
                else f"write its path and url into .gitmodules, then: {CHECK_OUT_SUBMODULES}"
            )
            message = f"the submodule {one.path!r} is not checked out, and the release needs its files, because "
            yield Finding(message=message + one.used_because, remedy=remedy, where=one.path)


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def the_branch_is_the_release_branch(source: Source) -> Iterator[Observation]:
    """The current branch is the release branch."""
    git, expected = _git(source), source.config.branch
    if expected is None:
        yield NotApplicable(reason="tool.release.branch is not set")
    elif git.branch is None and git.tagged_commit == git.commit:
        yield NotApplicable(reason=f"the commit is checked out by its tag {source.tag}")
    elif git.branch != expected:
        where = f"on branch {git.branch!r}" if git.branch else "on no branch (HEAD is detached)"
        yield Finding(message=f"{where}, not on {expected!r}", remedy=f"run: git switch {quote_word(expected)}")


@CHECKS.check(needs=(the_project_is_in_a_repository, the_project_says_its_name_and_version))
def the_tag_is_free_or_here(source: Source) -> Iterator[Observation]:
    """The release tag is new, or points to this commit.

    The run creates a missing tag once the release is confirmed.
    """
    git = _git(source)
    if git.tagged_commit not in {None, git.commit}:
        message = f"the tag {source.tag!r} points to commit {str(git.tagged_commit)[:12]}, not to {git.commit[:12]}"
        switch = f"git switch --detach {quote_word(str(source.tag))}"
        remedy = f"bump the version: pypi-preflight prepare; or release the tagged commit: {switch}"
        yield Finding(message=message, remedy=remedy, cause="version.mismatch-tag")


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def the_branch_is_not_behind_its_upstream(source: Source) -> Iterator[Observation]:
    """The branch is not behind its upstream."""
    git = _git(source)
    if git.upstream is None:
        yield NotApplicable(reason="the branch has no upstream")
    elif isinstance(git.behind, Unknown):
        yield git.behind
    elif git.behind:
        message = f"the branch is {format_count(git.behind, 'commit')} behind {git.upstream}"
        yield Finding(message=message, remedy="run: git pull --rebase")


@CHECKS.check(needs=(the_project_says_its_name_and_version,))
def the_changelog_mentions_the_version(source: Source) -> Iterator[Observation]:
    """The changelog mentions the version."""
    assert not isinstance(source.project, Unknown)
    path, version = source.config.changelog, source.project.version
    if path is None:
        yield NotApplicable(reason="tool.release.changelog is not set")
    elif source.changelog is None:
        yield Finding(message=f"cannot read the changelog {path!r}", remedy="correct tool.release.changelog")
    elif not re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\d)", source.changelog):
        yield Finding(message=f"{path!r} does not mention {version}", remedy=f"add an entry for {version} to {path}")

"""The version against the tags of the repository. Run together with the first checklist."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from release.checks import source_checks
from release.checks.engine import Checklist, warn
from release.checks.source_checks import (
    tag_remedy,
    the_project_is_in_a_repository,
    the_project_says_its_name_and_version,
    the_version_is_valid,
)
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.shell import quote_word
from release.core.tag_form import has_name, is_comparable, is_made_up, version_of_any_tag

#: the default of setuptools-git-versioning
_STARTING = "0.0.1"

CHECKS = Checklist[Source]()
#: where only files are known, and the tag of the pipeline
OF_THE_PIPELINE = Checklist[Source]()


def _git(source: Source) -> GitState:
    assert isinstance(source.git, GitState)
    return source.git


def _project(source: Source) -> tuple[ProjectMetadata, Version]:
    assert not isinstance(source.project, Unknown)
    return source.project, Version(source.project.version)


def _is_tagged(source: Source) -> bool:
    """Whether the commit has the tag of this version."""
    git = _git(source)
    return git.tagged_commit == git.commit


@CHECKS.check(needs=(the_project_is_in_a_repository, the_project_says_its_name_and_version, the_version_is_valid))
def the_tags_here_are_of_this_version(source: Source) -> Iterator[Observation]:
    """No tag for another version on this commit.

    A tag in the form of the project's tags says which version the commit is. Tags of other projects in the repository,
    and of other kinds (`release-883`, `nightly`), say nothing about it.
    """
    git = _git(source)
    if not git.tags:
        yield NotApplicable(reason="the commit has no tag")
    elif _is_tagged(source):
        return
    elif source.rehearsal and git.changes:
        yield NotApplicable(reason="what is built is not yet committed")
    else:
        of_pipeline = {source.pipeline_tag}  # has a check of its own
        here = (tag for tag in git.tags if tag not in of_pipeline and not _can_be_of_another_project(source, tag))
        yield from (_other_version(source, tag) for tag in here if _differs(source, tag))


@OF_THE_PIPELINE.check()
def the_pipeline_runs_for_this_version(source: Source) -> Iterator[Observation]:
    """The tag that the CI pipeline runs for is of this version."""
    if source.pipeline_tag is None:
        yield NotApplicable(reason="no CI pipeline runs for a tag here")
    elif isinstance(source.project, Unknown) or _version_of(source) is None:
        yield NotApplicable(reason="the version is not known, or not valid")
    elif _differs(source, source.pipeline_tag):
        yield _other_version(source, source.pipeline_tag)


CHECKS += OF_THE_PIPELINE


def _version_of(source: Source) -> Version | None:
    try:
        return _project(source)[1]
    except InvalidVersion:
        return None


def _differs(source: Source, tag: str) -> bool:
    """Whether a tag is for another version of this project."""
    tagged = source.tag_form.version_of(tag) if source.tag_form else None
    _, version = _project(source)
    return tagged is not None and tagged != version and is_comparable(tagged, version)


def _can_be_of_another_project(source: Source, tag: str) -> bool:
    """Whether a tag has no name, in a repository of several projects with none at its root."""
    git, (project, _) = _git(source), _project(source)
    shared = git.below_root and git.other_projects and source.config.tag_format is None
    return shared and not has_name(tag, project.name)


def _other_version(source: Source, tag: str) -> Finding:
    project, version = _project(source)
    tagged = source.tag_form.version_of(tag) if source.tag_form else None
    what = "the CI pipeline runs for the tag" if tag == source.pipeline_tag else "the commit is tagged"
    if tagged is not None and tagged < version:
        remedy = f"release {version} from a commit of its own: git commit --allow-empty -m 'Release {version}'"
    else:
        remedy = f"set a version after {tagged}, commit it, and release that commit"
    if source.config.tag_format is None:
        remedy += f"; if the tag is not one of {project.name}, set tag-format in [tool.release]"
    return Finding(
        message=f"{what} {tag!r}, but the version is {project.version}", remedy=remedy, where=tag,
        cause="version.mismatch-tag",
    )  # fmt: skip


@CHECKS.check(needs=(the_tags_here_are_of_this_version,))
def the_version_comes_from_a_tag_of_the_project(source: Source) -> Iterator[Observation]:
    """The version comes from a tag in the form of the project's tags.

    Tools that take the version from git take it from any tag with a number at its end: `paper-v1` makes version 1.
    """
    git, form, origin = _git(source), source.tag_form, source.version_source
    if origin is None or origin.tool is None or origin.overridden or form is None:
        yield NotApplicable(reason="the version is not taken from git")
        return
    known = [one for one in git.all_tags if form.version_of(one.name) is not None]
    project, version = _project(source)
    if _is_tagged(source) or not known:
        return
    newest = max(known, key=lambda one: one.time).name
    for tag in git.tags:
        if version_of_any_tag(tag) == version:
            yield Finding(
                message=f"the version {project.version} comes from the tag {tag!r}, but the project's tags are like "
                f"{newest!r}",
                remedy=f"tag the commit with the version that you mean, like {newest!r}; configure {origin.tool} to "
                "ignore tags of other kinds",
                where=tag,
                cause="version.mismatch-tag",
            )


@CHECKS.check(needs=(the_project_is_in_a_repository, the_version_is_valid), name="the-version-is-of-a-tag")
def the_derived_version_is_of_a_tag(source: Source) -> Iterator[Observation]:
    """The version comes from a tag, not from a fallback.

    A shallow clone, or a repository without tags, gives `0.0.0` or `0.1.dev1`.
    """
    origin, git = source.version_source, _git(source)
    if origin is None:
        yield NotApplicable(reason="the project declares its version")
        return
    project, version = _project(source)
    if _is_tagged(source) or origin.overridden or any(version_of_any_tag(tag) == version for tag in git.tags):
        return
    without_tags = origin.tool is not None and not git.all_tags
    if is_made_up(project.version) if origin.tool else version == Version("0"):
        message = f"the version {project.version} is made up: it does not come from a tag"
    elif without_tags and (version.is_devrelease or str(version) == _STARTING):
        message = f"the version {project.version} is made up: the repository has no tags"
    else:
        return
    remedy = tag_remedy(source) if origin.tool else "set the version where the build backend reads it"
    yield warn(message, remedy) if source.rehearsal else Finding(message=message, remedy=remedy)


@CHECKS.check(needs=(the_project_is_in_a_repository, the_version_is_valid))
def the_tags_of_the_remote_are_here(source: Source) -> Iterator[Observation]:
    """The clone has the remote's tags of this version and commit.

    A clone of a single commit has none, and a second tag for the version could not be pushed.
    """
    git, form = _git(source), source.tag_form
    if not git.remote_tags or form is None:
        yield NotApplicable(reason="the remote has no other tags, or no tag is pushed")
        return
    project, version = _project(source)
    if source.version_source is not None and is_made_up(project.version):
        yield NotApplicable(reason="the version does not come from a tag")
        return
    for name, commit in git.remote_tags:
        tagged = form.version_of(name)
        if tagged is None or (name != source.tag and _can_be_of_another_project(source, name)):
            continue
        if tagged == version or (commit == git.commit and is_comparable(tagged, version)):
            message = f"{git.remote!r} has the tag {name!r}, this clone does not"
            yield Finding(
                message=message, remedy=f"git fetch {quote_word(str(git.remote))} tag {quote_word(name)}", where=name
            )


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def the_tag_can_be_signed(source: Source) -> Iterator[Observation]:
    """The release tag can be signed, if git is configured to sign tags."""
    git = _git(source)
    if git.signing is not None:
        yield git.signing


@CHECKS.check(needs=(the_project_is_in_a_repository,))
def a_branch_of_the_remote_has_the_commit(source: Source) -> Iterator[Observation]:
    """A branch of the remote has the commit.

    Otherwise the tag would be pushed alone, and the release would have a commit that is on no branch.
    """
    git = _git(source)
    if git.remote is None or not source.config.push_tag:
        yield NotApplicable(reason="no tag is pushed")
    elif git.push_to is not None:
        yield NotApplicable(reason=f"{'/'.join(git.push_to)} gets the commit once the release is confirmed")
    elif source.rehearsal or git.branch is None or git.on_remote is None:
        yield NotApplicable(reason="the commit is not on a branch" if git.branch is None else "nothing is pushed")
    elif not git.on_remote:
        message = f"no branch of {git.remote!r} has the commit {git.commit[:12]}; only its tag would be pushed"
        yield warn(message, f"push the branch first: git push {quote_word(git.remote)} {quote_word(git.branch)}")


#: names of the checks of the repository's state, which a rehearsal shows but does not need: it is promised to need no
#: repository, no clean tree, no branch and no tag. A submodule that is missing is a fault: its files are not released.
OF_THE_REPOSITORY = frozenset(
    check.name
    for check in (
        the_project_is_in_a_repository, source_checks.the_tree_is_clean,
        source_checks.the_branch_is_the_release_branch, source_checks.the_tag_is_free_or_here,
        source_checks.the_branch_is_not_behind_its_upstream, the_tags_here_are_of_this_version,
        the_tags_of_the_remote_are_here,
        the_tag_can_be_signed, a_branch_of_the_remote_has_the_commit,
    )
)  # fmt: skip

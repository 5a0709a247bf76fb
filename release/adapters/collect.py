"""Collect facts about the project and the index. A fact that cannot be found is an `Unknown` with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec.structs import replace

from release.adapters import project_config
from release.adapters.builds.version_source import find_version_source
from release.adapters.git import prepared_commit, projects, signing, tags
from release.adapters.git import repository as git
from release.adapters.git.shared_answers import GitAnswers
from release.adapters.install import interpreters
from release.adapters.installed_versions import installed_versions
from release.adapters.system.system import System, path_from_here
from release.core import python_versions
from release.core.config import Config
from release.core.errors import ConfigError, ReleaseError, ToolError, UnreachableError
from release.core.facts import BuiltFile, BuiltFiles, GitState, ProjectMetadata, Source
from release.core.models.check_result import Unknown
from release.core.models.index import Index, ProjectListing, normalize_name
from release.core.tag_form import DEFAULT_FORMAT, DatedTag, TagForm, declared_form, learn_form

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

    from release.core.models.distribution import Distribution, TwineRefusal
    from release.core.models.interpreter import RequiredPython


def collect_source(
    system: System, directory: Path, config: Config, *, ask_backend: bool = True,
    meanwhile: Callable[[System, RequiredPython | None], object] = lambda _system, _python: None,
) -> Source:  # fmt: skip
    """The project as it is now. `meanwhile` is called first, with the system for its builds, and what Python it needs.

    With `ask_backend=False`, a name or version that only the build backend knows is unknown: a rehearsal reads it
    from the built files.
    """
    from release.adapters.builds import pinned_builds

    system = replace(system, passed=config.pass_environment)
    python = collect_required_python(system, directory)
    system = interpreters.with_interpreter(system, python)
    meanwhile(system, python)
    system = GitAnswers().shared(system)
    known = collect_project(system, directory, ask_backend=ask_backend)
    changelog = None
    with suppress(OSError, UnicodeDecodeError):
        changelog = (directory / config.changelog).read_text(encoding="utf-8") if config.changelog else None
    source = Source(
        config=config, project=known, git=collect_git(system, directory), tag=None, changelog=changelog,
        pipeline_tag=pipeline_tag(system), version_source=find_version_source(system, directory),
        rehearsal=not ask_backend, python=python,
        build_pins=pinned_builds.collect_build_pins(system, directory, config),
    )  # fmt: skip
    return source if isinstance(known, Unknown) else with_project(source, system, directory, known)


def pipeline_tag(system: System) -> str | None:
    """The tag that the CI pipeline runs for; None outside of one, or for a branch.

    Source: the lists of predefined variables of GitHub Actions and of GitLab CI.
    """
    if system.env.get("GITHUB_REF_TYPE") == "tag":
        return system.env.get("GITHUB_REF_NAME") or None
    return system.env.get("CI_COMMIT_TAG") or None


def collect_required_python(system: System, directory: Path) -> RequiredPython | None:
    """The Python versions that the project's files require; None where they state none.

    Its build backend is not run.
    """
    texts = []
    for name in ("pyproject.toml", "setup.cfg", "setup.py"):
        text = None
        with suppress(OSError, UnicodeDecodeError):
            text = (directory / name).read_text(encoding="utf-8-sig")
        texts.append(text)
    declared = python_versions.declared_requires_python(*texts)
    return interpreters.find_required_python(system, *declared) if declared else None


def required_python_of_files(system: System, files: tuple[Distribution, ...]) -> RequiredPython | None:
    """The Python versions that the metadata of built files requires; None where they require none."""
    raws = read_metadata(files[:2])  # an sdist and a wheel
    specifier = next((raw["requires_python"] for raw in raws if raw.get("requires_python")), None)
    if specifier is None:
        return None
    return interpreters.find_required_python(system, specifier, "Requires-Python in the metadata")


def collect_project(system: System, directory: Path, *, ask_backend: bool = True) -> ProjectMetadata | Unknown:
    """Name and version of the project."""
    from release.adapters.builds import builder, missing_name

    try:
        if not ask_backend and builder.declared_name_and_version(directory) is None:
            unknown = Unknown(reason="only the build backend knows the name and version", remedy="build the project")
            return missing_name.explain_missing_name(directory) or unknown
        name, version = builder.name_and_version(system, directory)
    except ReleaseError as error:
        unknown = Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
        return missing_name.explain_missing_name(directory) or unknown
    return ProjectMetadata(name=name, version=version)


def collect_git(system: System, directory: Path) -> GitState | Unknown | None:
    """The repository of the project, without its release tag, see `with_project`; None without git."""
    from release.adapters.builds import submodule_use
    from release.adapters.github import releases

    try:
        root = git.find_root(system, directory)
        commit = git.commit(system, root) if root else None
        if root is None or commit is None:
            return None
        remote = git.remote(system, root)
        return GitState(
            commit=commit,
            branch=git.branch(system, root),
            changes=git.changed_paths(system, root),
            upstream=git.upstream(system, root),
            behind=git.commits_behind(system, root),
            tagged_commit=None,
            shallow=git.is_shallow(system, root),
            tags=git.tags_at(system, root, commit),
            all_tags=tags.all_tags(system, root),
            remote=remote,
            on_remote=tags.is_on_remote(system, root, commit) if remote else None,
            push_to=prepared_commit.find_push(system, root, directory, commit),
            root_project=_root_project(directory, root),
            other_projects=projects.has_other_projects(system, root, directory),
            below_root=directory.resolve() != root.resolve(),
            github=releases.github_repository(system.env, git.remote_url(system, root, remote) if remote else None),
            submodules=submodule_use.collect_submodules(system, root, directory),
        )
    except ToolError as error:
        return Unknown(reason=error.message, remedy=error.remedy)


def collect_listing(
    index: Index, name: str, *, fresh: bool = False, retries: int | None = None
) -> ProjectListing | Unknown | None:
    """The files of a project on an index; `fresh` bypasses caches."""
    from release.adapters.index import simple_api

    try:
        return simple_api.fetch_listing(index, name, fresh=fresh, retries=retries)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


def collect_built(
    system: System,
    files: tuple[Distribution, ...],
    project: ProjectMetadata | None,
    *,
    ask_twine: Callable[[Path], TwineRefusal | Unknown | None] | None = None,
) -> BuiltFiles:
    """The files of a release, for inspection; `ask_twine` for those that are to be uploaded: see `BuiltFile`."""
    built = tuple(describe_file(one, ask_twine) for one in files)
    return BuiltFiles(project=project, files=built, now=system.now(), installed=installed_versions())


def describe_file(
    file: Distribution, ask_twine: Callable[[Path], TwineRefusal | Unknown | None] | None = None
) -> BuiltFile:
    """One file of a release, for inspection."""
    return BuiltFile(
        filename=file.filename,
        size=file.size,
        sha256=file.sha256,
        open=partial(_open, file.path),
        ask_twine=partial(ask_twine, file.path) if ask_twine else None,
        place=path_from_here(file.path),
    )


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def project_of_files(files: tuple[Distribution, ...]) -> ProjectMetadata:
    """Name and version as the metadata of the files spells them. Raises `ToolError` where it has neither."""
    for raw in read_metadata(files):
        if "name" in raw and "version" in raw:
            return ProjectMetadata(name=raw["name"], version=raw["version"])
    raise ToolError(
        "the metadata of the built files has no name and version", remedy="check the build backend's configuration"
    )


def read_metadata(files: Iterable[Distribution]) -> Iterator[RawMetadata]:
    """The core metadata of each file; empty where it has none that can be read."""
    return map(_read_metadata, files)


@lru_cache(maxsize=2)  # an sdist and a wheel
def _read_metadata(file: Distribution) -> RawMetadata:
    """The core metadata of a file, whose bytes are those of its hash."""
    from packaging.metadata import parse_email

    from release.acceptance.open_distribution import OpenDistribution
    from release.acceptance.twine_form import twine_form

    with file.path.open("rb") as stream:
        form = twine_form(OpenDistribution(file.filename, stream), sha256=file.sha256, blake2_256="")
    return parse_email(form.metadata)[0]


def with_project(source: Source, system: System, directory: Path, project: ProjectMetadata) -> Source:
    """The source with the name and version that are known now, and their release tag."""
    if not isinstance(source.git, GitState):
        form = find_tag_form(source, project)
        return replace(source, project=project, tag=form.tag(project.version), tag_form=form)
    source = _with_remote_tags(source, system, directory)
    assert isinstance(source.git, GitState)
    form = find_tag_form(source, project)
    tag = form.tag(project.version)
    everywhere = (one.name for one in source.git.all_tags)
    tag = form.existing_tag(project.version, source.git.tags) or form.existing_tag(project.version, everywhere) or tag
    state: GitState | Unknown = source.git
    try:
        tagged = _tagged_commit(system, directory, source.git, tag)
        signed = not source.rehearsal and tagged is None
        problem = signing.signing_problem(system, directory) if signed else None
        state = replace(source.git, tagged_commit=tagged, signing=problem)
    except ToolError as error:
        state = Unknown(reason=error.message, remedy=error.remedy)
    return replace(source, project=project, tag=tag, tag_form=form, git=state)


def _tagged_commit(system: System, directory: Path, state: GitState, tag: str) -> str | None:
    """The commit of a tag; None where there is no such tag. Git is only asked about the tag of another commit."""
    if tag in state.tags:
        return state.commit
    exists = any(one.name == tag for one in state.all_tags)
    return git.tag_commit(system, directory, tag) if exists else None


def _with_remote_tags(source: Source, system: System, directory: Path) -> Source:
    """With the tags that only the remote has, if a tag may be pushed."""
    state = source.git
    assert isinstance(state, GitState)
    if source.rehearsal or state.remote is None or not source.config.push_tag:
        return source
    try:
        root = git.find_root(system, directory)
        listed = git.remote_tags(system, root, state.remote) if root else {}
    except ToolError:
        return source
    here = {one.name for one in state.all_tags}
    missing = tuple((name, commit) for name, commit in listed.items() if name not in here)
    return replace(source, git=replace(state, remote_tags=missing))


def find_tag_form(source: Source, project: ProjectMetadata) -> TagForm:
    """How the project's tags spell its versions: as configured, or like the tags that are there."""
    state = source.git
    if not isinstance(state, GitState):
        return choose_tag_form(source.config, project, ())
    tags_there = state.all_tags or tuple(DatedTag(name=name, time=0) for name, _ in state.remote_tags)
    return choose_tag_form(
        source.config, project, tags_there, root_project=state.root_project, alone=not state.other_projects
    )


def choose_tag_form(
    config: Config, project: ProjectMetadata, tags_there: tuple[DatedTag, ...], *, root_project: str | None = None,
    alone: bool = False,
) -> TagForm:  # fmt: skip
    """The form of a project's tags: as configured, else learnt. `alone`: the repository has no other project.

    `root_project`: the project at the root of the repository; None if that is this one, or there is none.
    """
    if config.tag_format is not None:
        return declared_form(config.tag_format, project.name)
    only_named = root_project is not None and normalize_name(root_project) != normalize_name(project.name)
    return learn_form(project.name, project.version, tags_there, only_named=only_named, alone=alone)


def learn_tag_format(system: System, directory: Path) -> str:
    """`tag-format` as the project's tags have it."""
    name, git_state = project_config.load_project_name(directory), collect_git(system, directory)
    if name is None or not isinstance(git_state, GitState):
        return DEFAULT_FORMAT
    project = ProjectMetadata(name=name, version="")
    source = Source(config=Config(), project=project, git=git_state, tag=None, changelog=None)
    return find_tag_form(source, project).template


def _root_project(directory: Path, root: Path) -> str | None:
    """The name of the project at the root of the repository; None if that is this one, or there is none."""
    if directory.resolve() == root.resolve():
        return None
    with suppress(ConfigError):
        return project_config.load_project_name(root)
    return None

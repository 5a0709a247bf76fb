"""Asks the world, through the doors, and hands back facts.

A fact that can't be learnt comes back as `Unknown` with the reason; nothing here judges.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from release.adapters.git import repository as git
from release.adapters.github import releases
from release.adapters.system.system import System
from release.core import config as configuration
from release.core.config import Config
from release.core.errors import ConfigError, ReleaseError, ToolError, UnreachableError
from release.core.facts import BuiltFile, BuiltFiles, GitState, ProjectMetadata, Source
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.project_listing import ProjectListing

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


def load_config(directory: Path, file: Path | None = None, *, needs_project: bool = True) -> Config:
    """The project's configuration. Raises `ConfigError`: no project there, no TOML, a wrong key."""
    if needs_project and not any((directory / name).is_file() for name in _PROJECT_FILES):
        raise ConfigError(
            f"no Python project in {str(directory)!r}: there is no {', '.join(_PROJECT_FILES)}",
            remedy="change to the project's directory, or name it: --directory DIR",
        )
    path = file or directory / "pyproject.toml"
    if file is None and not path.is_file():
        return Config()
    return configuration.parse_config(_tool_release(load_toml(path), path))


def _tool_release(data: dict[str, Any], path: Path) -> dict[str, Any]:
    tool = data.get("tool", {})
    table = tool.get("release", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"tool.release in {str(path)!r} is no table", remedy="write it as [tool.release]")
    return table


def load_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises `ConfigError`: it can't be read, is not UTF-8, is no TOML."""
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"{str(path)!r} can't be read: {error.strerror}", remedy="check the path and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is not UTF-8: byte {error.start} is no part of a character", remedy="save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not valid TOML: {error}", remedy="correct that line") from None


def collect_source(system: System, directory: Path, config: Config, *, ask_backend: bool = True) -> Source:
    """The project as it stands.

    `ask_backend=False` leaves a name or version that only the build backend knows unknown: a
    rehearsal learns it from the files that it builds.
    """
    known = collect_project(system, directory, ask_backend=ask_backend)
    tag = None if isinstance(known, Unknown) else config.tag(known.name, known.version)
    return Source(
        config=config,
        project=known,
        git=collect_git(system, directory, tag),
        tag=tag,
        changelog=_changelog(directory, config.changelog),
    )


def collect_project(system: System, directory: Path, *, ask_backend: bool = True) -> ProjectMetadata | Unknown:
    """Name and version of the project."""
    from release.adapters.builds import builder

    try:
        declared = builder.declared_name_and_version(directory)
        if declared is None and not ask_backend:
            return Unknown(reason="only the build knows the name and version", remedy="build the project")
        name, version = declared or builder.name_and_version(system, directory)
    except ReleaseError as error:
        return Unknown(reason=error.message, remedy=error.remedy)
    return ProjectMetadata(name=name, version=version)


def load_project_name(directory: Path) -> str | None:
    """The project's name where pyproject.toml has it; None where only the backend knows."""
    path = directory / "pyproject.toml"
    table = load_toml(path).get("project") if path.is_file() else None
    found = table.get("name") if isinstance(table, dict) else None
    return found if isinstance(found, str) else None


def collect_git(system: System, directory: Path, tag: str | None) -> GitState | Unknown | None:
    """The repository that holds the project, with the release tag in it if there is one."""
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
            tagged_commit=git.tag_commit(system, root, tag) if tag else None,
            shallow=git.is_shallow(system, root),
            tags=git.tags_at(system, root, commit),
            remote=remote,
            github=releases.github_repository(system.env, git.remote_url(system, root, remote) if remote else None),
        )
    except ToolError as error:
        return Unknown(reason=error.message, remedy=error.remedy)


def _changelog(directory: Path, name: str | None) -> str | None:
    try:
        return (directory / name).read_text(encoding="utf-8") if name else None
    except (OSError, UnicodeDecodeError):
        return None


def collect_listing(index: Index, name: str, *, fresh: bool = False) -> ProjectListing | Unknown | None:
    """What the index has under a name."""
    from release.adapters.index import simple_api

    try:
        return simple_api.fetch_listing(index, name, fresh=fresh)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


def listing_once(index: Index, name: str) -> ProjectListing | Unknown | None:
    """The same by a single request: the caller asks again when it wants to. Goes past caches."""
    from release.adapters.index import simple_api

    try:
        return simple_api.fetch_listing(index, name, fresh=True, retries=0)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


def collect_built(system: System, files: tuple[Distribution, ...], project: ProjectMetadata | None) -> BuiltFiles:
    """The files of a release, to be looked into."""
    return BuiltFiles(
        project=project,
        files=tuple(
            BuiltFile(filename=file.filename, size=file.size, sha256=file.sha256, open=partial(_bytes, file.path))
            for file in files
        ),
        now=system.now(),
    )


def _bytes(path: Path) -> BinaryIO:
    return path.open("rb")


def project_of_files(files: tuple[Distribution, ...]) -> ProjectMetadata:
    """Name and version as the files' own metadata spells them. Raises `ToolError` where it does not."""
    from packaging.metadata import parse_email

    from release.acceptance.open_distribution import OpenDistribution
    from release.acceptance.twine_form import twine_form

    for file in files:
        with file.path.open("rb") as stream:
            form = twine_form(OpenDistribution(file.filename, stream), sha256=file.sha256, blake2_256="")
        raw, _ = parse_email(form.metadata)
        if "name" in raw and "version" in raw:
            return ProjectMetadata(name=raw["name"], version=raw["version"])
    raise ToolError(
        "the built files do not say their name and version", remedy="check the build backend's configuration"
    )


def with_project(source: Source, system: System, directory: Path, project: ProjectMetadata) -> Source:
    """The same source, now that name and version are known."""
    tag = source.config.tag(project.name, project.version)
    return replace(source, project=project, tag=tag, git=collect_git(system, directory, tag))

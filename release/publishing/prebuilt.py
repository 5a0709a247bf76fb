"""Files that were built elsewhere: found in directories, one by name, and the release that they belong to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec.structs import replace
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.system.system import System
from release.core.config import Config
from release.core.decoding import decode_text
from release.core.errors import RefusedError, UsageError, os_error_reason
from release.core.facts import Source
from release.core.models.distribution import Distribution
from release.core.models.file_list import ENDINGS, FileList, parse_file_list
from release.core.models.index import name_from_filename
from release.core.quoting import quote_path
from release.core.time_text import format_count
from release.core.wheel_tags import summarize_files
from release.publishing import journal as journals

#: levels of subdirectories that are searched: download-artifact makes one, an artifact may have others inside
_LEVELS = 3
#: directories that are searched below one that is passed
_DIRECTORIES = 1000
#: what marks a directory of sources, whose subdirectories hold other files than those of the release
_SOURCES = ("pyproject.toml", "setup.py", ".git", "pyvenv.cfg")


def load_given_files(paths: Sequence[Path], list_path: Path | None) -> tuple[tuple[Distribution, ...], FileList | None]:
    """The files of `--files`, as `find_distributions` returns them, and the list of `--require-complete`.

    Raises `UsageError`, also for a list without files.
    """
    files, listed = find_distributions(paths), load_file_list(list_path)
    if listed is not None and not files:
        raise UsageError("--require-complete needs the files", remedy="pass them: --files DIR")
    return files, listed


def find_distributions(paths: Sequence[Path]) -> tuple[Distribution, ...]:
    """The distributions among `paths`, and below those that are directories: of one project.

    A file that is there twice with the same bytes is one; with different bytes it is returned twice, for the checks.
    The files of the main release come first. Raises `UsageError`.
    """
    found = find_files(paths)
    projects = group_by_project(found)
    if len(projects) > 1:
        raise UsageError(
            f"the files belong to {len(projects)} projects: {', '.join(sorted(projects)[:4])}",
            remedy="pass the files of one project; to release several: pypi-preflight set release --files DIR",
        )
    main = _main_version(found)
    return tuple(sorted(found, key=lambda one: main is not None and _version_in_name(one.filename) != main))


def find_release(paths: Sequence[Path]) -> tuple[Distribution, ...]:
    """The distributions as `find_distributions` returns them, of one version. Raises `UsageError`."""
    found = find_distributions(paths)
    versions = {version for one in found if (version := _version_in_name(one.filename)) is not None}
    if len(versions) > 1:
        shown = ", ".join(sorted(repr(file.filename) for file in found)[:4])
        raise UsageError(
            f"the files belong to {len(versions)} releases: {shown}, …", remedy="pass the files of one release"
        )
    return found


def find_files(paths: Sequence[Path]) -> tuple[Distribution, ...]:
    """The distributions of any projects among `paths`, and below those that are directories; each content once.

    Raises `UsageError` for a path that has none, or cannot be read.
    """
    places = tuple(dict.fromkeys(_expand(paths)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing releases the interpreter lock
        try:
            found = tuple(pool.map(builder.load_distribution, places))
        except OSError as error:
            raise _unreadable(error) from None
    first: dict[tuple[str, str], Distribution] = {}
    for one in found:
        first.setdefault((one.filename, one.sha256), one)
    return tuple(first.values())


def group_by_project(found: Sequence[Distribution]) -> Mapping[str, tuple[Distribution, ...]]:
    """Normalized name of a project, from the file names → its files. A name that is not valid has the project ""."""
    groups: dict[str, list[Distribution]] = {}
    for one in found:
        groups.setdefault(name_from_filename(one.filename) or "", []).append(one)
    return {name: tuple(files) for name, files in groups.items()}


def load_file_list(path: Path | None) -> FileList | None:
    """The list of `--require-complete`; None without that option. Raises `UsageError`."""
    if path is None:
        return None
    try:
        return parse_file_list(decode_text(path.read_bytes()), str(path))
    except OSError as error:
        raise _unreadable(error) from None
    except UnicodeDecodeError:
        raise UsageError(f"{quote_path(path)} is not UTF-8", remedy="write one file name a line, in UTF-8") from None


def files_to_text(found: Sequence[Distribution]) -> str:
    """How many files of which kinds, from how many directories."""
    directories = {one.path.parent for one in found}
    where = f", from {format_count(len(directories), 'directory')}".replace("directorys", "directories")
    return summarize_files([one.filename for one in found]) + (where if len(directories) > 1 else "")


def _unreadable(error: OSError) -> UsageError:
    reason = os_error_reason(error)
    return UsageError(
        f"cannot read {quote_path(error.filename)}: {reason}", remedy="check the path and its permissions"
    )


def _expand(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = list(_search(path))
            if not inside:
                below = "" if _has_sources(path) else ", nor have its subdirectories"
                raise UsageError(
                    f"{quote_path(path)} has no wheel or sdist{below}", remedy="pass the directory that has them"
                )
            yield from (one.absolute() for one in inside)
        elif path.is_file() and path.name.endswith(ENDINGS):
            yield path.absolute()
        else:
            what = "is not a wheel or sdist" if path.exists() else "does not exist"
            raise UsageError(f"{quote_path(path)} {what}", remedy="pass wheels, sdists, or a directory that has them")


def _has_sources(directory: Path) -> bool:
    return any((directory / name).exists() for name in _SOURCES)


def _search(top: Path) -> Iterator[Path]:
    """The files in a directory and below it, without hidden directories, links to directories, and sources."""
    waiting, searched = [(top, 0)], 0
    while waiting:
        directory, level = waiting.pop(0)
        searched += 1
        if searched > _DIRECTORIES:
            raise UsageError(
                f"{quote_path(top)} has more than {_DIRECTORIES} subdirectories",
                remedy="pass the directories of the files",
            )
        try:
            entries = sorted(directory.iterdir())
        except OSError as error:
            raise _unreadable(error) from None
        yield from (one for one in entries if one.name.endswith(ENDINGS) and one.is_file())
        if level < _LEVELS and not _has_sources(directory):
            inside = (one for one in entries if one.is_dir() and not one.is_symlink() and not one.name.startswith("."))
            waiting += [(one, level + 1) for one in inside]


def _version_in_name(filename: str) -> Version | None:
    """None where the name is not valid, which the checks report."""
    try:
        parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return parsed[1]


def _main_version(found: Sequence[Distribution]) -> Version | None:
    """The version that most files have; of several, the newest."""
    counts = Counter(version for one in found if (version := _version_in_name(one.filename)) is not None)
    return max(counts, key=lambda version: (counts[version], version), default=None)


def source_of(system: System, found: tuple[Distribution, ...], config: Config) -> Source:
    """The source facts from the metadata of the files. Raises `ToolError` where they have none."""
    project, tag = collect.project_of_files(found), collect.pipeline_tag(system)
    source = Source(config=config, project=project, git=None, tag=None, changelog=None, pipeline_tag=tag)
    return replace(source, tag_form=collect.find_tag_form(source, project))


def reject_changed(found: Sequence[Distribution], directory: Path) -> None:
    """Raise `RefusedError` where, by a journal here, an index has a file of the same name with different content."""
    hashes = {file.filename: file.sha256 for file in found}
    for journal in journals.release_journals(directory):
        for event in journal.events():
            name = event.get("file")
            if event["event"] != "accepted" or event["index"] == "sandbox" or name not in hashes:
                continue
            if event.get("sha256") != hashes[name]:
                raise RefusedError(
                    f"{name!r} is not the file on {event['index']}, whose SHA-256 in the journal is {event['sha256']}",
                    remedy=f"use the file in {quote_path(journal.dist)}, or release a new version",
                )

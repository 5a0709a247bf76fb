"""Where a project states its version, and the edits that state another one.

To add a kind, write a module with `find_places` and add it to `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from packaging.version import Version

from release.adapters.builds.version_source import find_version_tool
from release.adapters.git import repository
from release.adapters.project_version import (
    flit_version,
    maturin_version,
    meson_version,
    pattern_version,
    poetry_version,
    setuptools_version,
    static_version,
)
from release.adapters.project_version.base import (
    ProjectFiles,
    VersionKind,
    decode_source,
    is_same_version,
    load_project_file,
    not_stated,
    offset_of,
)
from release.adapters.project_version.bump_tools import find_listed
from release.adapters.project_version.repeated_version import find_repetitions
from release.adapters.system.system import System, real_system
from release.core.errors import ReleaseError
from release.core.models.preparation import DerivedFromTags, FileEdit, VersionPlace
from release.core.version_spelling import spell_as_semver, spell_like

#: in the order in which they are asked; the first that states a version is the one that the backend reads
KINDS: Mapping[str, VersionKind] = MappingProxyType({
    "project.version": static_version,
    "tool.poetry.version": poetry_version,
    "a pattern": pattern_version,
    "flit": flit_version,
    "maturin": maturin_version,
    "meson": meson_version,
    "setuptools": setuptools_version,
})  # fmt: skip
#: their versions have the form of Semantic Versioning
_SEMVER_FILES = frozenset({"Cargo.toml", "Cargo.lock", "package.json"})


def find_version(
    directory: Path, pyproject: Mapping[str, Any], *, system: System | None = None
) -> tuple[VersionPlace, ...] | DerivedFromTags:
    """The places that state the version of the project in `directory`: what the backend reads first, then repetitions.

    Repetitions are equal versions where the backend would read them too (Cargo.toml, meson.build, setup.py), or in the
    package's own files, unless git ignores these, and those in the files that the configuration of a bump tool lists.

    `pyproject`: the content of its pyproject.toml; empty where there is none. `system`: for git; this machine by
    default. No code of the project is executed. Raises `ReleaseError`, with the file to edit, where the version is
    computed or no place can be determined.
    """
    tool = find_version_tool(directory, pyproject)
    if tool is not None:
        return DerivedFromTags(tool=tool)
    project = ProjectFiles(directory=directory, pyproject=pyproject)
    read = next(filter(None, (kind.find_places(project) for kind in KINDS.values())), None)
    if read is None:
        raise not_stated(
            f"cannot determine where {project.backend!r} reads the version of this project",
            edit=next(project.package_files(), "the file that states it"),
        )
    current = read[0].text
    repeated = (*_repeated_elsewhere(project, current), *find_repetitions(project, current))
    found = [*read, *_not_ignored(system, directory, repeated)]
    found += find_listed(project, current)
    unique: dict[tuple[str, int, int], VersionPlace] = {}
    for place in found:  # by its end: "v1.1.0" and "1.1.0" may be the same one
        unique.setdefault((place.path, place.line, place.column + len(place.text)), place)
    return tuple(unique.values())


def _repeated_elsewhere(project: ProjectFiles, current: str) -> Iterator[VersionPlace]:
    """The places of other kinds that state the same version: Cargo.toml next to a static `project.version`."""
    for kind in KINDS.values():
        with suppress(ReleaseError):  # of a kind that the backend does not use
            yield from (place for place in kind.find_places(project) if is_same_version(place.text, current))


def _not_ignored(system: System | None, directory: Path, places: Iterable[VersionPlace]) -> tuple[VersionPlace, ...]:
    """The places in files that git does not ignore: others are made by a build."""
    places = tuple(places)
    system = system or real_system()
    if not places or repository.find_root(system, directory) is None:
        return places
    paths = {place.path for place in places}
    kept = {one for one in paths if repository.run_git(system, directory, "check-ignore", "--quiet", "--", one).status}
    return tuple(place for place in places if place.path in kept)


def write_version(directory: Path, places: Iterable[VersionPlace], version: str) -> tuple[FileEdit, ...]:
    """The edits that write a version to these places, one per file; nothing is written.

    Each place keeps its spelling: zeros (`2026.06.04`), and the form of pre-releases (`1.0.0-rc.1`). Raises
    `ReleaseError` if a file has changed since its places were found.
    """
    by_path: dict[str, list[VersionPlace]] = {}
    for place in places:
        by_path.setdefault(place.path, []).append(place)
    edits = (_edit(directory, path, of_file, version) for path, of_file in by_path.items())
    return tuple(edit for edit in edits if edit.before != edit.after)


def _edit(directory: Path, path: str, places: list[VersionPlace], version: str) -> FileEdit:
    before = load_project_file(directory / path)
    text, encoding = decode_source(before or b"")
    changes = []
    for place in sorted(places, key=lambda one: (one.line, one.column), reverse=True):
        start = offset_of(text, place)
        if start is None:
            raise ReleaseError(f"{path}:{place.line} has changed since it was read", remedy="run the command again")
        spelled = _spell(place, version)
        text = text[:start] + spelled + text[start + len(place.text) :]
        changes.append(f"{place.setting} {place.text} → {spelled}")
    return FileEdit(path=path, before=before, after=text.encode(encoding), what=", ".join(reversed(changes)))


def _spell(place: VersionPlace, version: str) -> str:
    """A version in the spelling of the place; the zeros of `version` count where the place has no number below ten."""
    parsed = Version(version)
    if PurePosixPath(place.path).name in _SEMVER_FILES:
        spelled = spell_as_semver(parsed, place.text)
        if spelled is None:
            raise ReleaseError(
                f"{place.path} cannot state the version {parsed}: it has the form 1.2.3",
                remedy="choose a version of three parts without an epoch",
            )
        return spelled
    numbers = re.match(r"v?((?:\d+!)?\d+(?:\.\d+)*)", version)
    if "," in place.text:
        separator = ", " if ", " in place.text else ","
        length = place.text.count(",") + 1
        return separator.join(map(str, [*parsed.release, *[0] * length][: max(length, len(parsed.release))]))
    prefix = "v" if place.text.startswith("v") else ""
    spelled = prefix + spell_like(parsed, [place.text.removeprefix("v"), *(numbers.groups() if numbers else ())])
    return spelled if Version(spelled) == parsed else str(parsed)

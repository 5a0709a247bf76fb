"""Where a project states its version, and the edits that state another one.

To add a kind, write a module with `find_places` and add it to `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.version import Version

from release.adapters.builds.version_source import find_version_tool
from release.adapters.project_version import poetry_version, static_version
from release.adapters.project_version.base import (
    ProjectFiles,
    VersionKind,
    decode_source,
    load_project_file,
    offset_of,
    unknown_place,
)
from release.core.errors import ReleaseError
from release.core.models.preparation import DerivedFromTags, FileEdit, VersionPlace
from release.core.version_spelling import spell_like

#: in the order in which they are asked; the first that states a version is the one that the backend reads
KINDS: Mapping[str, VersionKind] = MappingProxyType({
    "project.version": static_version,
    "tool.poetry.version": poetry_version,
})  # fmt: skip


def find_version(directory: Path, pyproject: Mapping[str, Any]) -> tuple[VersionPlace, ...] | DerivedFromTags:
    """The places that state the version of the project in `directory`: what the backend reads first, then repetitions.

    `pyproject`: the content of its pyproject.toml; empty where there is none. Nothing is executed. Raises
    `ReleaseError`, with the file to edit, where the version is computed or no place can be determined.
    """
    tool = find_version_tool(directory, pyproject)
    if tool is not None:
        return DerivedFromTags(tool=tool)
    project = ProjectFiles(directory=directory, pyproject=pyproject)
    for kind in KINDS.values():
        places = kind.find_places(project)
        if places:
            return places
    raise unknown_place(
        f"cannot determine where {project.backend!r} reads the version of this project", edit="the file that has it"
    )


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
    numbers = re.match(r"v?((?:\d+!)?\d+(?:\.\d+)*)", version)
    spelled = spell_like(parsed, [place.text, *(numbers.groups() if numbers else ())])
    return spelled if Version(spelled) == parsed else str(parsed)

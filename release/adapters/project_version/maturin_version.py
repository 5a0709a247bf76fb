"""The version of the crate, which maturin reads from Cargo.toml, and that of its entry in Cargo.lock.

Observed: maturin 1.16.0 with cargo, 2026-11: `1.2.0-rc.1`, `-alpha.2`, `-dev.3` and `-post.1` become 1.2.0rc1, 1.2.0a2,
1.2.0.dev3 and 1.2.0.post1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Any

from release.adapters.project_version.base import ProjectFiles, not_stated, place_at, table_of
from release.adapters.project_version.toml_values import toml_places
from release.core.models.preparation import VersionPlace
from release.core.toml_text import TomlError, parse_toml

#: directories above the crate in which the root of its workspace is searched
_LEVELS = 4


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version of the crate, and its repetition in Cargo.lock."""
    if not project.backend.startswith("maturin"):
        return ()
    path = str(project.table("tool", "maturin").get("manifest-path", "Cargo.toml"))
    manifest = _load(project, path)
    package = table_of(manifest, "package")
    places = toml_places(project, path, "package", "version")
    root = path
    if not places and table_of(package, "version").get("workspace") is True:
        root, places = next(_workspace(project, path, package), (path, ()))
    if not places:
        raise not_stated(f"maturin reads the version from {path!r}, which states none", edit=path)
    names = {str(package.get("name"))}
    return (*places, *_locked(project, PurePosixPath(root).parent, names, places[0].text))


def _workspace(project: ProjectFiles, path: str, package: Any) -> Iterator[tuple[str, tuple[VersionPlace, ...]]]:
    """The manifest of the workspace that a crate inherits its version from."""
    directory = PurePosixPath(path).parent
    given = package.get("workspace") if isinstance(package, dict) else None
    levels = [given] if isinstance(given, str) else ["../" * level for level in range(_LEVELS)]
    for level in levels:
        manifest = normpath((directory / level / "Cargo.toml").as_posix())
        places = toml_places(project, manifest, "workspace", "package", "version")
        if places:
            yield manifest, places


def _locked(project: ProjectFiles, directory: PurePosixPath, names: set[str], version: str) -> Iterator[VersionPlace]:
    """The entries of crates of the workspace in Cargo.lock: they have no source."""
    path = (directory / "Cargo.lock").as_posix()
    text = project.text(path) or ""
    for entry in re.finditer(r'(?m)^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"\n(source = )?', text):
        if entry[1] in names and entry[2] == version and not entry[3]:
            yield place_at(path, text, entry.span(2), f"package {entry[1]}")


def _load(project: ProjectFiles, path: str) -> Any:
    try:
        return parse_toml((project.text(path) or "").removeprefix("\ufeff"))
    except TomlError:
        return {}

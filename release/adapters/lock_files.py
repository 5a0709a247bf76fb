"""Lock files that state the version of the project itself, and the tool that updates them.

Observed, 2026-11: uv 0.13.9 states the version of each member of the workspace in uv.lock, unless it is dynamic;
poetry 2.5.1 and pdm 2.29.4 write the same lock file, with the same hash of pyproject.toml, for another version.
"""

from __future__ import annotations

import os
from pathlib import Path

from packaging.version import InvalidVersion, Version

from release.adapters.changelog.tool_runs import load_table
from release.adapters.install import installer
from release.adapters.system.system import System
from release.core.models.check_result import Finding
from release.core.models.index import normalize_name
from release.core.models.preparation import ToolRun

_UV_LOCK = "uv.lock"
#: the sources of projects that are locked from their directories
_DIRECTORIES = ("editable", "virtual", "directory")


def plan_lock(  # noqa: PLR0913 - a project, and where it is
    system: System, root: Path, directory: Path, project: str, version: Version, *, offline: bool
) -> ToolRun | Finding | None:
    """The run that brings uv.lock to a version of the project; a finding with the remedy where uv is not installed.

    None where there is no uv.lock up to the repository's `root`, or where it does not state the project's version.
    """
    place = find_lock(root, directory)
    if place is None or not _states_another(place, project, version):
        return None
    path = Path(os.path.relpath(place, directory)).as_posix()
    uv = installer.find_uv(system)
    if uv is None:
        return Finding(
            message=f"{path!r} states the version of {project}, and uv, which updates it, is not installed",
            remedy="install uv: python -m pip install uv; then run the same command again",
        )
    where = () if place.parent == directory else ("--project", str(Path(os.path.relpath(place.parent, directory))))
    argv = (str(uv), "lock", *where, *(["--offline"] if offline else []))
    return ToolRun(argv=argv, what=f"update {path}", paths=(path,))


def find_lock(root: Path, directory: Path) -> Path | None:
    """The uv.lock of the project, or of the workspace that it is in."""
    places = [one for one in (directory, *directory.parents) if one == root or root in one.parents]
    return next((place / _UV_LOCK for place in places if (place / _UV_LOCK).is_file()), None)


def _states_another(lock: Path, project: str, version: Version) -> bool:
    """Whether the lock file states a version of the project that is not this one."""
    packages = (load_table(lock) or {}).get("package")
    for one in packages if isinstance(packages, list) else ():
        named = isinstance(one, dict) and normalize_name(str(one.get("name", ""))) == normalize_name(project)
        source = one.get("source") if named else None
        if named and isinstance(source, dict) and any(kind in source for kind in _DIRECTORIES):
            return "version" in one and not _is_version(str(one["version"]), version)
    return False


def _is_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False

"""Searches a directory for secrets: in a repository all but what git ignores, else all but litter."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.git import repository
from release.adapters.system.system import System
from release.leaks import git_grep

if TYPE_CHECKING:
    from release.core.models.leak import ScanResult

#: files, or bytes of them, from which on a second process is worth its start
_MANY, _LARGE = 500, 4 << 20
#: parts into which they are divided
_TASKS = 16
#: never part of a project, and often large; only looked at where git does not know better
_LITTER = {
    ".git", ".hg", ".svn", ".release", ".nox", ".tox", ".venv", "venv", "node_modules", "__pycache__",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Some files of a directory."""

    root: str
    names: tuple[str, ...]


def scan_directory(system: System, directory: Path) -> ScanResult:
    """Search the files of a directory; submodules are searched too. Raises `ToolError` where git fails."""
    if repository.find_root(system, directory) is None:
        names = tuple(_walk(directory))
        return replace(_all(directory, names), count=len(names))
    asked = git_grep.start_grep(system, directory)
    # While git reads the files, what reads the suspects among them is loaded.
    from release.core.models.leak import merge_scans
    from release.leaks import file_scan  # noqa: F401 - `_files` wants it
    from release.leaks.credential_files import may_hold_credentials

    listed = asked.answer()
    suspects = dict.fromkeys([*listed.suspects, *filter(may_hold_credentials, listed.names)])
    inner = tuple(_inner(directory, listed.names))
    parts = [_below(scan_directory(system, directory / name), name) for name in inner]
    found = merge_scans([_all(directory, tuple(suspects)), *parts])
    return replace(found, count=len(listed.names) - len(inner) + sum(part.count for part in parts))


def _all(directory: Path, names: tuple[str, ...]) -> ScanResult:
    if len(names) < _MANY and _size(directory, names) < _LARGE:
        found = _files(_Task(root=str(directory), names=names))
    else:
        from release.adapters.system.process_pool import map_in_processes
        from release.core.models.leak import merge_scans

        tasks = [_Task(root=str(directory), names=names[at::_TASKS]) for at in range(min(_TASKS, len(names)))]
        found = merge_scans(map_in_processes(_files, tasks))
    return replace(found, leaks=tuple(sorted(found.leaks, key=lambda leak: (leak.path, leak.line))))


def _size(directory: Path, names: tuple[str, ...]) -> int:
    """Bytes of the files; one that can't be asked is told where it is read."""
    size = 0
    for name in names:
        with contextlib.suppress(OSError):
            size += (directory / name).lstat().st_size
    return size


def _files(task: _Task) -> ScanResult:
    from release.core.models.leak import merge_scans
    from release.leaks.file_scan import DirectoryScanner

    return merge_scans(map(DirectoryScanner(task.root).search, task.names))


def _walk(directory: Path) -> Iterator[str]:
    for top, inner, files in os.walk(directory):
        inner[:] = [name for name in inner if name not in _LITTER and not Path(top, name, "pyvenv.cfg").exists()]
        place = Path(top).relative_to(directory)
        yield from ((place / name).as_posix() for name in files)


def _inner(directory: Path, listed: tuple[str, ...]) -> Iterator[str]:
    """The repositories in the repository: submodules, and others, which git lists with a slash."""
    known = ".gitmodules" in listed
    yield from (name.rstrip("/") for name in listed if name.endswith("/") or (known and (directory / name).is_dir()))


def _below(found: ScanResult, directory: str) -> ScanResult:
    return replace(
        found,
        leaks=tuple(replace(one, path=f"{directory}/{one.path}") for one in found.leaks),
        unread=tuple(replace(one, path=f"{directory}/{one.path}") for one in found.unread),
    )

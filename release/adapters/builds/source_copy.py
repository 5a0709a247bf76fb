"""A copy of the project as it stands, so that nothing which runs there leaves anything behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.system import System, explain_os_errors

#: never part of a project, and often large; only looked at where git does not know better
_LITTER = (
    ".git", ".hg", ".release", ".nox", ".tox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache",
    ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs",
)  # fmt: skip


def copy_project(system: System, source: Path, into: Path) -> Path:
    """Copy the project in `source` to the new directory `into`; returns the project's place in it.

    In a repository, all of it is copied but what git ignores, and the copy is a repository at the
    same commit with the same tags and uncommitted changes, since backends ask git for the version.
    """
    root = repository.find_root(system, source)
    if root is None:
        with explain_os_errors("the copy of the project"):
            shutil.copytree(source, into, symlinks=True, ignore=shutil.ignore_patterns(*_LITTER))
        return into
    repository.clone_without_files(system, root, into)
    with explain_os_errors("the copy of the project"):
        for path in repository.project_files(system, root):
            _copy(root / path, into / path)
        place = into / source.resolve().relative_to(root.resolve())
        place.mkdir(parents=True, exist_ok=True)
    return place


def _copy(old: Path, new: Path) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    if old.is_symlink() or old.is_file():
        shutil.copy2(old, new, follow_symlinks=False)
    elif old.is_dir():  # a submodule
        shutil.copytree(old, new, symlinks=True, ignore=shutil.ignore_patterns(*_LITTER), dirs_exist_ok=True)

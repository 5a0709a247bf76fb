"""Submodules of a work tree: which there are, and which of them are not checked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from release.adapters.git.repository import git_output, run_git
from release.adapters.system.system import System

_GITLINK = "160000"


def list_submodules(system: System, root: Path) -> tuple[tuple[str, bool], ...]:
    """Path and whether it is checked out, of each submodule that the index lists, and of those inside of them.

    Paths are relative to `root`. A submodule counts as not checked out where its directory is missing or empty. Raises
    `ToolError` where git fails.
    """
    return tuple(_list(system, root, ""))


def _list(system: System, root: Path, prefix: str) -> Iterator[tuple[str, bool]]:
    for path in _recorded(system, root):
        place = root / path
        ready = place.is_dir() and any(place.iterdir())
        yield prefix + path, ready
        if ready and (place / ".gitmodules").is_file():
            yield from _list(system, place, f"{prefix}{path}/")


def _recorded(system: System, root: Path) -> Iterator[str]:
    """The paths of a repository's submodules; where it is a copy without `.git`, those that .gitmodules names."""
    if not (root / ".git").exists():
        yield from named_paths(system, root)
        return
    for entry in git_output(system, root, "ls-files", "-z", "--stage").split("\0"):
        mode, _, path = entry.partition("\t")
        if mode.startswith(_GITLINK):
            yield path


def named_paths(system: System, root: Path) -> tuple[str, ...]:
    """The path of each submodule that .gitmodules names."""
    listed = run_git(system, root, "config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    return tuple(entry.partition("\n")[2] for entry in filter(None, listed.output.split("\0")))

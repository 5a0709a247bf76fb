"""The commit that `prepare` has made last: it is pushed once its release is confirmed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.git import repository, tags
from release.adapters.system import safe_write
from release.adapters.system.state_directory import releases_directory

if TYPE_CHECKING:
    from release.adapters.system.system import System

_NAME = "prepared-commit"


def mark_prepared(project: Path, commit: str) -> None:
    """Record the commit, 40 hex digits. Raises `OSError`."""
    safe_write.write_atomically(releases_directory(project) / _NAME, f"{commit}\n".encode())


def is_prepared(project: Path, commit: str) -> bool:
    """Whether `prepare` has made this commit last."""
    with suppress(OSError, UnicodeDecodeError):
        return (releases_directory(project) / _NAME).read_text(encoding="utf-8").strip() == commit
    return False


def find_push(system: System, root: Path, project: Path, commit: str) -> tuple[str, str] | None:
    """The remote and its branch that the commit is to be pushed to: the upstream of the branch.

    None where `prepare` has not made it, where the branch has no upstream, or where the remote has it already.
    """
    if not is_prepared(project, commit):
        return None
    found = repository.upstream_branch(system, root)
    if found is None or tags.is_on_remote(system, root, commit):
        return None
    return found

"""Temporary directories, which do not stay behind: not at Ctrl-C, not where this process is killed, not after that.

All of a process are in one, `pypi-preflight-*`, in which the process holds a lock until it ends. The guardian removes
it if the process is killed; where the guardian was killed too, or the machine went down, a later process does, after a
day.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from release.adapters.system.guardian import guard_directory
from release.adapters.system.safe_write import remove_tree
from release.adapters.system.system import explain_os_errors

_PREFIX = "pypi-preflight-"
_LOCK = "owner.lock"
#: seconds
_DAY = 24 * 3600

_lock = threading.Lock()
#: the process, and its directory
_own: tuple[int, Path] | None = None


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A new directory, removed at the end of the block. Raises `ReleaseError` where none can be created."""
    with explain_os_errors("the temporary directory"):
        directory = Path(tempfile.mkdtemp(dir=_directory_of_process()))
    try:
        yield directory
    finally:
        remove_tree(directory)


def temporary_variables() -> dict[str, str]:
    """The environment variables with which programs create their temporary files in the directory of this process.

    Raises `ReleaseError` where it cannot be created.
    """
    with explain_os_errors("the temporary directory"):
        directory = str(_directory_of_process())
    return dict.fromkeys(("TEMP", "TMP") if sys.platform == "win32" else ("TMPDIR",), directory)


@contextmanager
def temporary_directory_in(parent: Path, what: str, *, prefix: str) -> Iterator[Path]:
    """The same in a directory of this program's own, from where files can be moved to their place.

    What killed processes have left there is removed after a day. Raises `ReleaseError` about `what`.
    """
    with explain_os_errors(what):
        for left in _older_than_a_day(parent, prefix):
            remove_tree(left)
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    with guard_directory(directory):
        try:
            yield directory
        finally:
            remove_tree(directory)


def _directory_of_process() -> Path:
    """The directory of this process, created at the first call, and removed at its end. Raises `OSError`."""
    global _own  # noqa: PLW0603 - one for the process
    with _lock:
        if _own is None or _own[0] != os.getpid():
            if _own is None:
                sweep_temporary_directories()
            _own = os.getpid(), _create()
        return _own[1]


def _create() -> Path:
    from filelock import FileLock  # takes 15 ms

    with ExitStack() as stack:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        stack.callback(remove_tree, path)
        stack.enter_context(guard_directory(path))
        stack.enter_context(FileLock(path / _LOCK, timeout=0, thread_local=False))
        atexit.register(_end, os.getpid(), stack.pop_all())
    return path


def _end(pid: int, stack: ExitStack) -> None:
    if pid == os.getpid():  # not in a forked process
        stack.close()


def sweep_temporary_directories() -> None:
    """Remove the directories of processes that have ended, where they are older than a day."""
    from filelock import FileLock, Timeout

    for directory in _older_than_a_day(Path(tempfile.gettempdir()), _PREFIX):
        if not (directory / _LOCK).is_file():  # made by another program
            continue
        with suppress(OSError, Timeout):
            with FileLock(directory / _LOCK, timeout=0):
                pass
            remove_tree(directory)


def _older_than_a_day(parent: Path, prefix: str) -> list[Path]:
    """The directories of this user in `parent` with this prefix, which nothing was added to since a day."""
    found, limit = [], time.time() - _DAY
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    if about.st_mtime < limit and (not hasattr(os, "getuid") or about.st_uid == os.getuid()):
                        found.append(Path(entry.path))
    return found

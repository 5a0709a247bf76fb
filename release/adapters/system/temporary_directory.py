"""Temporary directories, which do not stay behind: not at Ctrl-C, not where this process is killed, not after that.

All of a process are in one, `pypi-preflight-*`, in which the process holds a lock. The guardian removes it if the
process is killed; where the guardian was killed too, or the machine went down, a later process does, after a day.
"""

from __future__ import annotations

import os
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


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A new directory, removed at the end of the block. Raises `ReleaseError` where none can be created."""
    with ExitStack() as stack:
        with explain_os_errors("the temporary directory"):
            directory = Path(tempfile.mkdtemp(dir=stack.enter_context(_SHARED.held())))
        stack.callback(remove_tree, directory)
        yield directory


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


class _Shared:
    """The directory of this process, which exists while it is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._pid = 0
        self._swept = False
        self._path = Path()
        self._stack = ExitStack()

    @contextmanager
    def held(self) -> Iterator[Path]:
        """Its path. Raises `OSError`."""
        with self._lock:
            if not self._users or self._pid != os.getpid():
                self._open()
            self._users += 1
            path, pid = self._path, self._pid
        try:
            yield path
        finally:
            with self._lock:
                if pid == os.getpid() == self._pid:
                    self._users -= 1
                    if not self._users:
                        self._stack.close()

    def _open(self) -> None:
        from filelock import FileLock  # takes 15 ms

        self._stack = ExitStack()  # in a forked process, that of its parent stays as it is
        self._users, self._pid = 0, os.getpid()
        if not self._swept:
            self._swept = True
            sweep_temporary_directories()
        self._path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._stack.callback(remove_tree, self._path)
        self._stack.enter_context(guard_directory(self._path))
        self._stack.enter_context(FileLock(self._path / _LOCK, timeout=0, thread_local=False))


_SHARED = _Shared()


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

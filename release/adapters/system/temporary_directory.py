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
from io import BufferedWriter
from pathlib import Path

from release.adapters.system.guardian import guard_directory
from release.adapters.system.safe_write import remove_tree
from release.adapters.system.system import explain_os_errors

if sys.platform != "win32":
    import fcntl

_PREFIX = "pypi-preflight-"
_LOCK = "owner.lock"
#: seconds
_DAY = 24 * 3600

_lock = threading.Lock()
#: the process, and its directory
_own: tuple[int, Path] | None = None


@contextmanager
def temporary_directory(*, wait: bool = True) -> Iterator[Path]:
    """A new directory, removed at the end of the block. Raises `ReleaseError` where none can be created.

    Without `wait`, a thread removes it, which the process waits for when it ends.
    """
    with explain_os_errors("the temporary directory"):
        directory = Path(tempfile.mkdtemp(dir=_directory_of_process()))
    try:
        yield directory
    finally:
        if wait or not _removed_by_thread(directory):
            remove_tree(directory)


def _removed_by_thread(directory: Path) -> bool:
    """Start the removal in a thread. False where no further thread can be started."""
    with suppress(RuntimeError):
        threading.Thread(target=remove_tree, args=(directory,), name="removal").start()
        return True
    return False


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
    directory = parent / f"{prefix}{os.urandom(8).hex()}"
    with guard_directory(directory):  # first: no signal comes between, which would leave it there
        try:
            with explain_os_errors(what):
                directory.mkdir(mode=0o700)
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
    with ExitStack() as stack:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        stack.callback(remove_tree, path)
        stack.enter_context(guard_directory(path))
        stack.enter_context(_new_lock(path / _LOCK))
        atexit.register(_end, os.getpid(), stack.pop_all())
    return path


@contextmanager
def _new_lock(path: Path) -> Iterator[None]:
    """Create the lock file, and hold its lock, as `filelock.FileLock` does, whose import takes 15 ms."""
    with ExitStack() as stack:
        if not _is_locked(stack.enter_context(path.open("xb"))):
            from filelock import FileLock

            stack.enter_context(FileLock(path, timeout=0, thread_local=False))
        yield


def _is_locked(file: BufferedWriter) -> bool:
    """Lock the file until it is closed. False on Windows, and where its filesystem has no such locks."""
    if sys.platform != "win32":
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _end(pid: int, stack: ExitStack) -> None:
    if pid == os.getpid():  # not in a forked process
        stack.close()


def sweep_temporary_directories() -> None:
    """Remove the directories of processes that have ended, where they are older than a day."""
    for directory in _older_than_a_day(Path(tempfile.gettempdir()), _PREFIX):
        if not (directory / _LOCK).is_file():  # made by another program
            continue
        if _has_ended(directory / _LOCK):
            remove_tree(directory)


def _has_ended(lock: Path) -> bool:
    """Whether no process holds the lock of a directory."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock, timeout=0):
            return True
    except (OSError, Timeout):
        return False


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

"""Ends the programs that this process has started, and removes its temporary directories, even where it is killed.

Elsewhere than on Windows, a small process does it (`guardian_child`), which notices the end of this one by the end of
its standard input: a signal at the parent's death (PR_SET_PDEATHSIG) reaches no grandchildren, is sent already at the
end of the *thread* that started the child, and exists on Linux alone (prctl(2)). On Windows, this process and
its programs are in a job object, which ends its processes when its last handle is closed; see `job_object`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

_CHILD = Path(__file__).with_name("guardian_child.py")

#: reentrant: the garbage collector may end a guard while this thread tells about another
_lock = threading.RLock()
#: the pipe to the process that waits for the end of this one; None: not started yet
_pipe: int | None = None


@contextmanager
def guard_program(process: Popen[str] | Popen[bytes]) -> Iterator[None]:
    """Within the block, the program and its process group, which it leads, end with this process."""
    if sys.platform == "win32":  # it is in the job object from its start
        yield
        return
    _tell(f"+g{process.pid}")
    try:
        yield
    finally:
        _tell(f"-g{process.pid}")


def prepare_guard() -> None:
    """To be called before a program is started: one that is in the job object later may have started others before."""
    if sys.platform == "win32":
        from release.adapters.system import job_object

        job_object.join_job()


@contextmanager
def guard_directory(path: Path) -> Iterator[None]:
    """Within the block, the directory is removed if this process is killed (not on Windows)."""
    if sys.platform == "win32":
        yield
        return
    name = os.fsencode(path).hex()
    _tell(f"+d{name}")
    try:
        yield
    finally:
        _tell(f"-d{name}")


def _tell(line: str) -> None:
    """Tell the guardian, which is started if necessary. Without one, as where it was killed, nothing is guarded."""
    global _pipe  # noqa: PLW0603 - one for the process
    with _lock, suppress(OSError):
        if _pipe is None:
            _pipe = _start()
        os.write(_pipe, f"{line}\n".encode("ascii"))


def _start() -> int:
    """Start the guardian, which has no variables of the environment. Returns the pipe to it. Raises `OSError`."""
    if sys.platform == "win32" or not sys.executable:
        raise OSError
    reading, writing = os.pipe()
    try:
        null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-B", str(_CHILD)],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0), *null],
            setpgroup=0,  # Ctrl-C, and what kills a whole process group, must not end it: from its start
        )
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    return writing


def _forget() -> None:
    """In a forked process: the guardian is that of its parent, and must notice the parent's end."""
    global _pipe, _lock  # noqa: PLW0603 - one for the process
    _lock = threading.RLock()  # another thread may have held it
    if _pipe is not None:
        with suppress(OSError):
            os.close(_pipe)
        _pipe = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

"""Open a file that a user named, unless it may never end."""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import BinaryIO


def open_input(path: Path) -> BinaryIO:
    """The open file. Raises `OSError`, also for a device and for a named pipe.

    A device such as `/dev/zero` has no end, and to open a named pipe waits for a writer. What a shell passes for
    `<(command)`, and `/dev/stdin`, is a pipe that is open already.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise OSError(errno.EINVAL, "it is a device, not a file")
    if stat.S_ISFIFO(mode) and path.parts[:2] not in {("/", "dev"), ("/", "proc")}:
        raise OSError(errno.EINVAL, "it is a pipe, not a file")
    return path.open("rb")

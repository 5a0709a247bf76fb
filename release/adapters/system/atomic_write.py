"""Writes a file so that a reader finds the old one or the new one, and never a part."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> bool:
    """Make `data` what the file has; directories above it are made too. Returns whether that changed anything.

    Raises `OSError`; the file is as it was then.
    """
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")  # another run may be writing it too
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    return True


def remove_file(path: Path) -> bool:
    """Remove the file, if it is there. Returns whether it was. Raises `OSError`."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True

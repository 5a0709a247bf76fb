"""Writes a file so that a reader finds the old one or the new one, and never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from release.core.errors import ReleaseError


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


def replace_private_file(path: Path, before: bytes, after: bytes, *, keep_mode: bool = False) -> None:
    """Put `after` in the place of `before`, in one step; the file's mode is 600 from then on, unless it is kept.

    A symbolic link stays one. Raises ReleaseError where the file is not `before` any more, and
    `OSError` where it can't be written; it is as it was then.
    """
    real = path.resolve()
    if real.read_bytes() != before:
        raise ReleaseError(f"{str(path)!r} was changed meanwhile", remedy="run the same command again")
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        _same_owner(real, name)
        if keep_mode:
            Path(name).chmod(stat.S_IMODE(real.stat().st_mode))
        os.replace(name, real)  # noqa: PTH105 - a name, as mkstemp gives it
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def make_private(path: Path) -> None:
    """Let nobody but its owner read or write the file. Raises `OSError`."""
    path.chmod(0o600)


def _same_owner(real: Path, name: str) -> None:
    """With sudo, the new file would be root's."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(name, real.stat().st_uid, real.stat().st_gid)

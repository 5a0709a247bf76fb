"""Replace files atomically: a reader finds the old content or the new one, never a part."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from release.core.errors import ReleaseError
from release.core.quoting import quote_path


def write_atomically(path: Path, data: bytes) -> bool:
    """Write `data` to the file, and create its directories; returns whether that changed the file.

    Raises `OSError`; the file is unchanged then.
    """
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")  # another run may be writing it too
    try:
        with new.open("wb") as file:
            _write(file, data)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    return True


def _write(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def remove_file(path: Path) -> bool:
    """Remove the file if it exists; returns whether it did. Raises `OSError`."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def replace_private_file(path: Path, before: bytes, after: bytes, *, keep_mode: bool = False) -> None:
    """Replace the content `before` of a file with secrets by `after`; its mode becomes 600, or is kept.

    A symbolic link is followed. Raises `ReleaseError` where the content is no longer `before`, and `OSError` where
    the file cannot be written; it is unchanged then.
    """
    real = path.resolve()
    if real.read_bytes() != before:
        raise ReleaseError(f"{quote_path(path)} has changed since it was read", remedy="run the same command again")
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            _write(file, after)
        if hasattr(os, "chown"):  # with sudo, the new file would belong to root
            with suppress(OSError):
                os.chown(name, real.stat().st_uid, real.stat().st_gid)
        if keep_mode:
            Path(name).chmod(stat.S_IMODE(real.stat().st_mode))
        os.replace(name, real)  # noqa: PTH105 - mkstemp returns a string
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise

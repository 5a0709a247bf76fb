"""Replace files atomically: a reader finds the old content or the new one, never a part."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from release.core.errors import ReleaseError
from release.core.quoting import quote_path

#: seconds before the next attempt to replace a file that is open; two seconds in total
_WAITS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.6)


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
        replace_file(new, path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    return True


def _write(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def replace_file(source: Path, target: Path) -> Path:
    """Move a file to the place of another, which may exist; returns `target`. Raises `OSError`.

    Windows refuses that while a reader, or a virus scanner, has the other open: it is tried again for a while.
    """
    for wait in _WAITS if sys.platform == "win32" else ():
        try:
            return source.replace(target)
        except PermissionError:
            time.sleep(wait)
    return source.replace(target)


def remove_tree(path: Path) -> None:
    """Remove a directory as far as possible, also files that may not be written, such as objects of git (Windows)."""
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        for one in (path, *path.rglob("*")):
            if not one.is_symlink():
                with suppress(OSError):
                    one.chmod(stat.S_IRWXU)
        shutil.rmtree(path, ignore_errors=True)


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
        replace_file(Path(name), real)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise

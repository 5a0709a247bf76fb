"""The packages that twine reads in the child process that uploads, each as seldom as possible.

All files are read before any is sent. What was found in a small one is kept until it is sent; a larger one is read
and hashed again in a thread, while the file before it is sent.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from release.adapters.twine.twine_reader_child import twine_reader

if TYPE_CHECKING:
    from twine.package import PackageFile

#: bytes of a file whose package is kept
_SMALL = 64 * 1024
#: characters of the descriptions in the packages that are kept; one more package may exceed it
_KEPT_TEXT = 4_000_000
#: how many packages are kept
_KEPT = 1000


class Stamp(NamedTuple):
    """What changes when a file is written or replaced."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Packages:
    """What twine has read and is likely to send."""

    def __init__(self) -> None:
        self._prepared: _Prepared | None = None
        #: path → stamp and package
        self._kept: dict[str, tuple[Stamp, PackageFile]] = {}
        #: characters of the descriptions in them
        self._text = 0

    def read(self, path: str) -> None:
        """Let twine read a file as for an upload. Raises anything, where it refuses the file."""
        stamp = _stamp(path)
        if stamp.size > _SMALL or self._text > _KEPT_TEXT or len(self._kept) >= _KEPT:
            twine_reader()(path, None)
            return
        self._forget(path)
        package = _package(path)
        self._kept[path] = stamp, package
        self._text += _length(package)

    def prepare(self, path: str) -> None:
        """Read and hash a file in a thread, unless that was done."""
        self._prepared = None if path in self._kept else _Prepared(path)

    def take(self, path: str) -> PackageFile:
        """The package of a file; it is read now if that was not done, or if the file was written or replaced since.

        Raises anything, where twine refuses the file.
        """
        prepared, self._prepared = self._prepared, None
        found = self._forget(path) or (prepared.found(path) if prepared else None)
        with suppress(OSError):
            if found is not None and _stamp(path) == found[0]:
                return found[1]
        return _package(path)

    def _forget(self, path: str) -> tuple[Stamp, PackageFile] | None:
        found = self._kept.pop(path, None)
        if found is not None:
            self._text -= _length(found[1])
        return found


class _Prepared:
    """A file that twine reads and hashes in a thread, while the one before it is sent."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: tuple[Stamp, PackageFile] | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(Exception):  # it is raised again where the file is read again, to be sent
            stamp = _stamp(self._path)
            self._found = stamp, _package(self._path)

    def found(self, path: str) -> tuple[Stamp, PackageFile] | None:
        """What was read, if it is of this file."""
        if path != self._path:
            return None
        self._thread.join()
        return self._found


def _package(path: str) -> PackageFile:
    from twine.package import PackageFile

    return PackageFile.from_filename(path, None)


def _length(package: PackageFile) -> int:
    metadata: Mapping[str, object] = package.metadata
    return len(str(metadata.get("description") or ""))


def _stamp(path: str) -> Stamp:
    """The stamp of a file. Raises `OSError`."""
    found = os.stat(path)  # noqa: PTH116 - a path as twine takes it
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

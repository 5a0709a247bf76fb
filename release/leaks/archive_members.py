"""Read the members of an untrusted archive, within limits and without writing files.

Supports zip and wheel; tar, also compressed by gzip, bzip2 or xz; and single files compressed by one of these.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Literal

ArchiveFormat = Literal["zip", "tar", "gzip", "bzip2", "xz"]

#: what a damaged archive raises
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError, RuntimeError,
    OverflowError, MemoryError,
)  # fmt: skip
_MAGIC: tuple[tuple[bytes, ArchiveFormat], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
)
_MAGICS = tuple(magic for magic, _ in _MAGIC)
#: the offset and the bytes of a tar's magic number
_TAR_AT, _TAR = 257, b"ustar"
#: bytes of the largest read; a header that claims more is false
_AT_ONCE = 64 << 20
#: How much of a file may be unpacked: bytes, or so many times its size, whichever is more. PyPI has the same limits
#: for zips. Source: warehouse, `forklift/legacy.py`, `_is_valid_dist_file`
_FREE, _RATIO = 64 << 20, 50


class UnpackLimitError(Exception):
    """The file would unpack to more than the limit."""


class UnpackLimit:
    """Counts the unpacked bytes of one file, at every depth."""

    def __init__(self, size: int) -> None:
        self._left = max(_FREE, _RATIO * size)

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise UnpackLimitError


class _LimitedStream(io.RawIOBase):
    """Counts the bytes that are read from a stream."""

    def __init__(self, stream: IO[bytes], limit: UnpackLimit) -> None:
        self._stream = stream
        self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _AT_ONCE:
            raise UnpackLimitError
        data = self._stream.read(size if size >= 0 else _AT_ONCE)
        self._limit.spend(len(data))
        return data


def archive_format(head: bytes) -> ArchiveFormat | None:
    """The archive format, by its first bytes; None for other files."""
    if head.startswith(_MAGICS):
        return next(name for magic, name in _MAGIC if head.startswith(magic))
    return "tar" if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR else None


def iter_members(stream: IO[bytes], kind: ArchiveFormat, limit: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each member, to be read before the next is requested. `stream` is seekable.

    The name of a compressed single file is empty. Raises one of `BROKEN`, or `TooMuchError`.
    """
    if kind == "zip":
        yield from _of_zip(stream, limit)
    elif kind == "tar":
        yield from _of_tar(stream, limit)
    else:
        unpacked = _unpacked(stream, kind)
        if archive_format(unpacked.peek(512)) == "tar":
            yield from _of_tar(unpacked, limit)
        else:
            yield "", _LimitedStream(unpacked, limit)  # type: ignore[misc] # it has what readers of IO[bytes] use


def _unpacked(stream: IO[bytes], kind: ArchiveFormat) -> io.BufferedReader:
    if kind == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=stream, mode="rb"), 1 << 16)
    return io.BufferedReader(bz2.BZ2File(stream) if kind == "bzip2" else lzma.LZMAFile(stream), 1 << 16)


def _of_zip(stream: IO[bytes], limit: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if info.is_dir() or info.flag_bits & 1:  # encrypted members are no leak
                continue
            with archive.open(info) as member:
                yield info.filename, _LimitedStream(member, limit)  # type: ignore[misc] # as above


def _of_tar(stream: IO[bytes], limit: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    counted: IO[bytes] = _LimitedStream(stream, limit)  # type: ignore[assignment] # as above
    with tarfile.open(fileobj=counted, mode="r|", bufsize=1 << 16) as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined] # it would keep them all
            content = archive.extractfile(info) if info.isreg() else None
            if content is not None:
                yield info.name, content

"""What is in an archive, whoever made it: member after member, nothing written to a path, nothing without bounds.

Zip and wheel; tar, plain or packed by gzip, bzip2 or xz; a single file packed by one of these.
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

#: what a damaged archive raises, wherever the damage is
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
#: where a tar has its mark
_TAR_AT, _TAR = 257, b"ustar"
#: bytes of what may be asked for at once; a header that claims more is a lie
_AT_ONCE = 64 << 20
#: What may be unpacked of a file: so much, or so many times its size, whichever is more. PyPI takes no zip
#: beyond the same bounds. Source: warehouse, `forklift/legacy.py`, `_is_valid_dist_file`
_FREE, _RATIO = 64 << 20, 50


class UnpackLimitError(Exception):
    """More would have to be unpacked than the file is allowed."""


class UnpackLimit:
    """Counts what is unpacked of one file, at every depth."""

    def __init__(self, size: int) -> None:
        self._left = max(_FREE, _RATIO * size)

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise UnpackLimitError


class _Metered(io.RawIOBase):
    """A stream that is counted while it is read."""

    def __init__(self, stream: IO[bytes], meter: UnpackLimit) -> None:
        self._stream = stream
        self._meter = meter

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _AT_ONCE:
            raise UnpackLimitError
        data = self._stream.read(size if size >= 0 else _AT_ONCE)
        self._meter.spend(len(data))
        return data


def archive_format(head: bytes) -> ArchiveFormat | None:
    """The kind of archive, by its first bytes; None where it is none."""
    if head.startswith(_MAGICS):
        return next(name for magic, name in _MAGIC if head.startswith(magic))
    return "tar" if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR else None


def iter_members(stream: IO[bytes], kind: ArchiveFormat, meter: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each member, to be read before the next is asked for. `stream` can be sought.

    The name is empty where a packed file is no archive. Raises one of `BROKEN`, or `TooMuchError`.
    """
    if kind == "zip":
        yield from _of_zip(stream, meter)
    elif kind == "tar":
        yield from _of_tar(stream, meter)
    else:
        unpacked = _unpacked(stream, kind)
        if archive_format(unpacked.peek(512)) == "tar":
            yield from _of_tar(unpacked, meter)
        else:
            yield "", _Metered(unpacked, meter)  # type: ignore[misc] # it has what readers of IO[bytes] use


def _unpacked(stream: IO[bytes], kind: ArchiveFormat) -> io.BufferedReader:
    if kind == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=stream, mode="rb"), 1 << 16)
    return io.BufferedReader(bz2.BZ2File(stream) if kind == "bzip2" else lzma.LZMAFile(stream), 1 << 16)


def _of_zip(stream: IO[bytes], meter: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if info.is_dir() or info.flag_bits & 1:  # what is encrypted tells nothing to whoever finds it
                continue
            with archive.open(info) as member:
                yield info.filename, _Metered(member, meter)  # type: ignore[misc] # as above


def _of_tar(stream: IO[bytes], meter: UnpackLimit) -> Iterator[tuple[str, IO[bytes]]]:
    counted: IO[bytes] = _Metered(stream, meter)  # type: ignore[assignment] # as above
    with tarfile.open(fileobj=counted, mode="r|", bufsize=1 << 16) as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined] # it would keep them all
            content = archive.extractfile(info) if info.isreg() else None
            if content is not None:
                yield info.name, content

"""What the members of an archive contain and how they are packed, for a comparison of two archives.

One of them may come from an index, which can serve anything: an archive that cannot be read is one more result.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from typing import IO, Any, BinaryIO

from release.core.bounded_tar import BoundedMember

#: bytes of a gzip header that hold the time. Source: RFC 1952, 2.3
_GZIP_TIME = slice(4, 8)
#: How much of a file is unpacked: bytes, or so many times its size, whichever is more. PyPI has the same limits for
#: zips. Source: warehouse, `forklift/legacy.py`, `_is_valid_dist_file`
_FREE, _RATIO = 64 << 20, 50
_PIECE = 1 << 16
#: the members of an archive by path, and its own fields under "": field → value
ArchiveFields = Mapping[str, Mapping[str, Any]]


class UnreadableArchiveError(Exception):
    """The file is no archive that can be compared; the message says why, after its name: "is no readable zip"."""


class _BombError(Exception):
    """The archive unpacks to far more than its size."""


def read_archive(stream: BinaryIO, filename: str) -> ArchiveFields:
    """The members of a wheel or sdist. Raises `UnreadableArchiveError` for anything else under that name."""
    kind, read = ("zip", _read_zip) if filename.endswith((".whl", ".zip")) else ("tar.gz", _read_tar)
    try:
        return read(stream, _Budget(stream.seek(0, io.SEEK_END)))
    except _BombError:
        raise UnreadableArchiveError("unpacks to far more than its size") from None
    except Exception as error:
        head = _head(stream)
        what = "is empty" if not head else "is a web page" if _is_web_page(head) else f"is no readable {kind}"
        raise UnreadableArchiveError(what) from error


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(512)


def _is_web_page(head: bytes) -> bool:
    return head.lstrip().lower().startswith((b"<!doctype html", b"<html"))


class _Budget:
    """Counts the unpacked bytes of one archive."""

    def __init__(self, size: int) -> None:
        self._left = max(_FREE, _RATIO * size)

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise _BombError

    def digest(self, content: IO[bytes]) -> bytes:
        running = hashlib.sha256()
        while piece := content.read(_PIECE):
            self.spend(len(piece))
            running.update(piece)
        return running.digest()


class _Counted(io.RawIOBase):
    """A stream that is unpacked within a budget."""

    def __init__(self, stream: gzip.GzipFile, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size if 0 <= size <= _FREE else _FREE)
        self._budget.spend(len(data))
        return data


def _read_zip(stream: BinaryIO, budget: _Budget) -> ArchiveFields:
    fields: dict[str, Mapping[str, Any]] = {}
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            with archive.open(info) as content:
                fields[info.filename] = {
                    "content": budget.digest(content),
                    "time": info.date_time,
                    "mode": info.external_attr >> 16,
                    "system": info.create_system,
                    "extra field": info.extra,
                }
    return fields


def _read_tar(stream: BinaryIO, budget: _Budget) -> ArchiveFields:
    stream.seek(0)
    fields: dict[str, Mapping[str, Any]] = {"": {"gzip time": stream.read(10)[_GZIP_TIME]}}
    stream.seek(0)
    with gzip.GzipFile(fileobj=stream) as unpacked:
        counted: Any = _Counted(unpacked, budget)  # it has what a streamed tar uses
        with tarfile.open(fileobj=counted, mode="r|", bufsize=_PIECE, tarinfo=BoundedMember) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined] # it would keep them all
                content = archive.extractfile(member) if member.isreg() else None
                fields[member.name] = {
                    "content": _digest(content) if content else member.linkname,
                    "type": member.type,
                    "time": member.mtime,
                    "mode": member.mode,
                    "owner": (member.uid, member.gid, member.uname, member.gname),
                }
    return fields


def _digest(content: IO[bytes]) -> bytes:
    return hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type] # it has what is used

"""Searches files for secrets: what they hold, and what lies in them where they are archives, at any depth."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from release.adapters.git.objects import PIECE
from release.core.models.leak import Leak, ScanResult, UnscannedFile
from release.leaks import archive_members
from release.leaks.scanner import OVERLAP, scan_bytes

#: archives in archives
_DEPTH = 6
#: bytes of a large file, or of a member of an archive, that are searched at a time. The search holds some six
#: times as much, and runs in the process that uploads: a release may take no more memory for one huge file.
_AT_A_TIME = 1 << 20
#: bytes of a nested archive that are kept in memory; more goes to a temporary file without a name
_SPOOL = 4 << 20
#: neither a link nor a pipe is followed (POSIX)
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def scan_file(path: Path, name: str) -> ScanResult:
    """Search one file, to be called `name`. Raises `OSError` where it can't be read."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        return _sum(_look(stream, name, _Way(meter=archive_members.UnpackLimit(size))))


def scan_content(data: bytes, name: str) -> ScanResult:
    """Search the bytes of one file."""
    if archive_members.archive_format(data) is None:
        return ScanResult(leaks=scan_bytes(data, name), count=1)
    return _sum(_look(io.BytesIO(data), name, _Way(meter=archive_members.UnpackLimit(len(data)))))


def scan_stream(data: IO[bytes], name: str, size: int) -> ScanResult:
    """Search a file of `size` bytes that is read once, from where it stands to its end."""
    return _sum(_look(data, name, _Way(meter=archive_members.UnpackLimit(size))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How far inside an archive we are, and what of it may still be unpacked."""

    meter: archive_members.UnpackLimit
    depth: int = 0


class DirectoryScanner:
    """Reads the files of one directory, with as few calls as can be."""

    def __init__(self, root: str) -> None:
        self._root = root

    def search(self, name: str) -> ScanResult:
        path = os.path.join(self._root, name)  # noqa: PTH118 - a Path costs more than the search of a small file
        try:
            handle = os.open(path, _FLAGS)
        except OSError as error:
            return self._not_opened(path, name, error)
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                return ScanResult()
            if state.st_size <= PIECE:
                return scan_content(os.read(handle, state.st_size + 1), name)
        except OSError as error:
            return ScanResult(unread=(UnscannedFile(path=name, reason=_reason(error)),))
        finally:
            os.close(handle)
        return scan_file(Path(path), name)

    def _not_opened(self, path: str, name: str, error: OSError) -> ScanResult:
        """A link, a directory, or a file that is gone since it was listed, is none that could leak."""
        if not os.path.lexists(path) or os.path.islink(path) or os.path.isdir(path):  # noqa: PTH114, PTH112 - as above
            return ScanResult()
        return ScanResult(unread=(UnscannedFile(path=name, reason=_reason(error)),))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _sum(found: Iterator[Leak | UnscannedFile]) -> ScanResult:
    seen = dict.fromkeys(found)
    return ScanResult(
        leaks=tuple(one for one in seen if isinstance(one, Leak)),
        unread=tuple(one for one in seen if isinstance(one, UnscannedFile)),
        count=1,
    )


def _look(data: IO[bytes], name: str, way: _Way) -> Iterator[Leak | UnscannedFile]:
    piece = data.read(_AT_A_TIME)
    kind = archive_members.archive_format(piece)
    if kind is None:
        yield from _pieces(data, piece, name)
    elif way.depth >= _DEPTH:
        yield UnscannedFile(path=name, reason=f"it is an archive inside {_DEPTH} others")
    else:
        with _whole(data, piece) as archive:
            yield from _inside(archive, kind, name, way)


def _inside(
    archive: IO[bytes], kind: archive_members.ArchiveFormat, name: str, way: _Way
) -> Iterator[Leak | UnscannedFile]:
    inner = _Way(meter=way.meter, depth=way.depth + 1)
    try:
        for member, content in archive_members.iter_members(archive, kind, way.meter):
            yield from _look(content, f"{name}!{member}" if member else name, inner)
    except archive_members.UnpackLimitError:
        if way.depth:
            raise
        yield UnscannedFile(path=name, reason="it unpacks to far more than its size")
    except archive_members.DAMAGED:
        # What is no archive after all, or a damaged one, is searched as it lies there.
        archive.seek(0)
        yield from _pieces(archive, archive.read(_AT_A_TIME), name)


def _seekable(data: IO[bytes]) -> bool:
    try:
        return data.seekable()
    except AttributeError:  # a member of a tar that is streamed: tarfile's own stream does not know the question
        return False


@contextlib.contextmanager
def _whole(data: IO[bytes], piece: bytes) -> Iterator[IO[bytes]]:
    """All of a file of which `piece` has been read, so that it can be sought."""
    if len(piece) < _AT_A_TIME:
        yield io.BytesIO(piece)
    elif _seekable(data):
        data.seek(0)
        yield data
    else:
        import tempfile

        with tempfile.SpooledTemporaryFile(_SPOOL) as copy:
            copy.write(piece)
            while more := data.read(_AT_A_TIME):
                copy.write(more)
            copy.seek(0)
            yield copy


def _pieces(data: IO[bytes], piece: bytes, name: str) -> Iterator[Leak]:
    """Search a file of which `piece` has been read, one piece at a time."""
    line, full = 1, len(piece) == _AT_A_TIME
    while True:
        yield from scan_bytes(piece, name, first_line=line)
        if not full:
            return
        more = data.read(_AT_A_TIME)
        full = len(more) == _AT_A_TIME
        line += piece.count(b"\n", 0, -OVERLAP)
        piece = piece[-OVERLAP:] + more

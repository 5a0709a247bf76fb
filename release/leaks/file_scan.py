"""Scan files for secrets, and the members of untrusted archives at any depth, within limits.

Supports zip and wheel; tar, also compressed by gzip, bzip2 or xz; and single files compressed by one of these.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal

from release.adapters.system.input_file import open_input
from release.core.bounded_tar import BoundedMember, LongHeaderError
from release.core.errors import os_error_reason
from release.core.models.leak import Leak, ScanResult, UnscannedFile
from release.leaks.scan_limit import ScanLimit, ScanLimitError, ScanTimeError
from release.leaks.scanner import OVERLAP, scan_bytes

#: the deepest archive that is scanned
_DEPTH = 6
#: bytes of a large file or member that are scanned at a time. A scan needs about six times as much memory, in the
#: process that uploads, and a huge file may not make a release need more.
_AT_A_TIME = 1 << 20
#: bytes of a file of a directory that is read at once
_PIECE = 8 << 20
#: bytes of a nested archive that are kept in memory; a larger one goes to an unnamed temporary file
_SPOOL = 4 << 20
#: follow no symbolic link and open no pipe (POSIX)
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def scan_file(path: Path, name: str) -> ScanResult:
    """Scan one file, which is called `name` in the results. Raises `OSError` where it cannot be read."""
    with open_input(path) as stream:
        return scan_stream(stream, name, os.fstat(stream.fileno()).st_size)


def scan_content(data: bytes, name: str) -> ScanResult:
    """Scan the bytes of one file."""
    if archive_format(data) is None:
        limit = ScanLimit(len(data))
        leaks = scan_bytes(data, name, limit=limit)
        return _result(_checked(leaks, limit), name) if leaks or limit.has_begun else ScanResult(count=1)
    return scan_stream(io.BytesIO(data), name, len(data))


def scan_stream(data: IO[bytes], name: str, size: int) -> ScanResult:
    """Scan a file of `size` bytes, which is read once, from its current position."""
    return _result(_scan(data, name, ScanLimit(size)), name)


def scan_in_directory(root: str, name: str) -> ScanResult:
    """Scan a file of a directory, with as few system calls as possible."""
    path = os.path.join(root, name)  # noqa: PTH118 - a Path takes longer than the scan of a small file
    try:
        handle = os.open(path, _FLAGS)
    except OSError as error:
        # A link, a directory, or a file that was removed since it was listed.
        if not os.path.lexists(path) or os.path.islink(path) or os.path.isdir(path):  # noqa: PTH114, PTH112 - as above
            return ScanResult()
        return _unread(name, error)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            return ScanResult()
        if state.st_size <= _PIECE:
            return scan_content(os.read(handle, state.st_size + 1), name)
    except OSError as error:
        return _unread(name, error)
    finally:
        os.close(handle)
    return scan_file(Path(path), name)


def _unread(name: str, error: OSError) -> ScanResult:
    return ScanResult(unread=(UnscannedFile(path=name, reason=os_error_reason(error)),))


def _result(found: Iterable[Leak | UnscannedFile], name: str) -> ScanResult:
    """The result for the file `name`; where its scan is given up, with what was found until then."""
    unique: dict[Leak | UnscannedFile, None] = {}
    try:
        for one in found:
            unique[one] = None
    except (ScanLimitError, LongHeaderError) as error:
        given_up = isinstance(error, ScanTimeError)
        unique[UnscannedFile(path=name, reason=str(error), given_up=given_up)] = None
    return ScanResult(
        leaks=tuple(one for one in unique if isinstance(one, Leak)),
        unread=tuple(one for one in unique if isinstance(one, UnscannedFile)),
        count=1,
    )


def _scan(data: IO[bytes], name: str, limit: ScanLimit, depth: int = 0) -> Iterator[Leak | UnscannedFile]:
    """Scan a file that is inside `depth` archives, of which no more than `limit` may be unpacked."""
    piece = data.read(_AT_A_TIME)
    kind = archive_format(piece)
    if kind is None:
        yield from _scan_pieces(data, piece, name, limit)
    elif depth >= _DEPTH:
        yield UnscannedFile(path=name, reason=f"it is an archive inside {_DEPTH} others")
    else:
        with _seekable(data, piece) as archive:
            yield from _scan_members(archive, kind, name, limit, depth)


def _scan_members(
    archive: IO[bytes], kind: ArchiveFormat, name: str, limit: ScanLimit, depth: int
) -> Iterator[Leak | UnscannedFile]:
    try:
        for member, content in iter_members(archive, kind, limit):
            yield from _scan(content, f"{name}!{member}" if member else name, limit, depth + 1)
    except DAMAGED:
        # A damaged archive, or a file that only begins like one, is scanned without unpacking it.
        archive.seek(0)
        yield from _scan_pieces(archive, archive.read(_AT_A_TIME), name, limit)


@contextlib.contextmanager
def _seekable(data: IO[bytes], piece: bytes) -> Iterator[IO[bytes]]:
    """The whole file as a seekable stream; `piece` has been read of it."""
    if len(piece) < _AT_A_TIME:
        yield io.BytesIO(piece)
    elif _can_seek(data):
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


def _can_seek(data: IO[bytes]) -> bool:
    try:
        return data.seekable()
    except AttributeError:  # a member of a streamed tar: tarfile's stream has no such method
        return False


def _checked(leaks: Iterable[Leak], limit: ScanLimit) -> Iterator[Leak]:
    """What was found, and a `ScanTimeError` if the scan was given up."""
    yield from leaks
    limit.check_time()


def _scan_pieces(data: IO[bytes], piece: bytes, name: str, limit: ScanLimit) -> Iterator[Leak]:
    """Scan a file piece by piece; `piece` has been read of it."""
    line, more_follow = 1, len(piece) == _AT_A_TIME
    while True:
        yield from _checked(scan_bytes(piece, name, first_line=line, limit=limit), limit)
        if not more_follow:
            return
        more = data.read(_AT_A_TIME)
        more_follow = len(more) == _AT_A_TIME
        line += piece.count(b"\n", 0, -OVERLAP)
        piece = piece[-OVERLAP:] + more


class MemberScan:
    """Scans an archive while another reader unpacks it; called with the pieces of each member in their order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[Leak | UnscannedFile] = []
        #: members that were read to their end
        self._count = 0
        #: of the current member: its line, and the bytes before the next piece
        self._line, self._tail = 1, b""
        #: whether a member is a large nested archive, which this scan cannot unpack
        self._incomplete = False
        self._limit: ScanLimit | None = None

    def __call__(self, member: str, piece: bytes, more: bool) -> None:
        """Scan a piece of a member; `more` pieces follow, or none."""
        name = f"{self._path.name}!{member}"
        self._limit = limit = self._limit or ScanLimit(0)
        if not self._tail and archive_format(piece[:512]) is not None:
            if more:
                self._incomplete = True
            else:
                found = scan_content(piece, name)
                self._found += [*found.leaks, *found.unread]
        elif not self._incomplete:
            text = self._tail + piece
            self._found += scan_bytes(text, name, first_line=self._line, limit=limit)
            self._incomplete = limit.is_reached
            if more:
                self._line += text.count(b"\n", 0, -OVERLAP)
                self._tail = text[-OVERLAP:]
        if not more:
            self._line, self._tail, self._count = 1, b"", self._count + 1

    @property
    def found_nothing(self) -> bool:
        """Whether all members until now were scanned to their end, and have nothing to report."""
        return not (self._found or self._incomplete or self._tail)

    def result(self, count: int) -> ScanResult:
        """The result for an archive of `count` members; if not all were scanned, the file is scanned now.

        Raises `OSError` where it cannot be read.
        """
        if self._incomplete or not count or self._count != count:
            return scan_file(self._path, self._path.name)
        return _result(self._found, self._path.name)


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


class _LimitedStream(io.RawIOBase):
    """Counts the bytes that are read from a stream."""

    def __init__(self, stream: IO[bytes], limit: ScanLimit) -> None:
        self._stream = stream
        self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > _AT_ONCE:
            raise ScanLimitError("it unpacks to far more than its size")
        data = self._stream.read(size if size >= 0 else _AT_ONCE)
        self._limit.spend(len(data))
        return data


def archive_format(head: bytes) -> ArchiveFormat | None:
    """The archive format, by its first bytes; None for other files."""
    if head.startswith(_MAGICS):
        return next(name for magic, name in _MAGIC if head.startswith(magic))
    return "tar" if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR else None


def iter_members(stream: IO[bytes], kind: ArchiveFormat, limit: ScanLimit) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each member, to be read before the next is requested. `stream` is seekable.

    The name of a compressed single file is empty. Raises one of `DAMAGED`, or `ScanLimitError`.
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


def _of_zip(stream: IO[bytes], limit: ScanLimit) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            if info.filename.endswith("/") or info.flag_bits & 1:  # encrypted members are no leak
                continue
            with archive.open(info) as member:
                yield info.filename, _LimitedStream(member, limit)  # type: ignore[misc] # as above


def _of_tar(stream: IO[bytes], limit: ScanLimit) -> Iterator[tuple[str, IO[bytes]]]:
    counted: IO[bytes] = _LimitedStream(stream, limit)  # type: ignore[assignment] # as above
    with tarfile.open(fileobj=counted, mode="r|", bufsize=1 << 16, tarinfo=BoundedMember) as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined] # it would keep them all
            content = archive.extractfile(info) if info.isreg() else None
            if content is not None:
                yield info.name, content

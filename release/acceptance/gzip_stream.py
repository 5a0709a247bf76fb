"""The unpacked bytes of a gzip file, read as the index's server reads them.

Where a damaged stream fails depends on how much is read ahead, and that on the version of Python: 8 KiB up to 3.11,
128 KiB from 3.12 on. This reader reads ahead as Python 3.14 does, on every version. Source: RFC 1952 (format).
Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Protocol

from release.acceptance.archive_limits import LARGEST_OFFSET, ONE_FILE, BombError

#: bytes read at a time, packed as well as unpacked
_AHEAD = 128 * 1024
_SIGNATURE = b"\x1f\x8b"
_DEFLATED = 8
_CHECKSUM, _EXTRA, _NAME, _COMMENT = 1 << 1, 1 << 2, 1 << 3, 1 << 4
_ENDED = "Compressed file ended before the end-of-stream marker was reached"


class NotGzipError(Exception):
    """The file is not in the gzip format, or its checksum or size does not match."""


class TarStream(Protocol):
    """A stream of unpacked bytes."""

    def read(self, size: int) -> bytes: ...

    def tell(self) -> int: ...


class _GzipMembers:
    """Unpacks one gzip member after another, a piece at a time."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.rewind()

    def rewind(self) -> None:
        self._content.seek(0)
        #: packed bytes that are read, but not used yet
        self._pending = b""
        #: None between two members
        self._unpacker: zlib._Decompress | None = None
        self._checksum = self._size = 0

    def read(self, limit: int) -> bytes:
        """Up to `limit` unpacked bytes; empty at the end. Raises NotGzipError, EOFError, zlib.error."""
        while True:
            if self._unpacker is not None and self._unpacker.eof:
                self._end_member()
            if self._unpacker is None and not self._start_member():
                return b""
            assert self._unpacker is not None
            packed = self._unpacker.unconsumed_tail or self._take(_AHEAD)
            data = self._unpacker.decompress(packed, limit)
            if self._unpacker.eof:
                self._pending = self._unpacker.unused_data + self._pending
            if data:
                self._checksum = zlib.crc32(data, self._checksum)
                self._size += len(data)
                return data
            if not packed:
                raise EOFError(_ENDED)

    def _start_member(self) -> bool:
        signature = self._take(len(_SIGNATURE))
        if not signature:
            return False
        if signature != _SIGNATURE:
            raise NotGzipError(f"Not a gzipped file ({signature!r})")
        method, flags = self._exactly(8)[:2]
        if method != _DEFLATED:
            raise NotGzipError("Unknown compression method")
        if flags & _EXTRA:
            self._exactly(int.from_bytes(self._exactly(2), "little"))
        for flag in (_NAME, _COMMENT):
            if flags & flag:
                self._skip_text()
        if flags & _CHECKSUM:
            self._exactly(2)
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        self._checksum = self._size = 0
        return True

    def _end_member(self) -> None:
        checksum, size = struct.unpack("<2L", self._exactly(8))
        if checksum != self._checksum:
            raise NotGzipError(f"CRC check failed {checksum:#x} != {self._checksum:#x}")
        if size != self._size & 0xFFFFFFFF:
            raise NotGzipError("Incorrect length of data produced")
        self._unpacker = None
        rest = self._take(_AHEAD)
        while rest and not rest.strip(b"\0"):  # zeros may follow a member
            rest = self._take(_AHEAD)
        self._pending = rest.lstrip(b"\0") + self._pending

    def _skip_text(self) -> None:
        """Skip a text up to its NUL, or to the end of the file."""
        while piece := self._take(_AHEAD):
            _, nul, rest = piece.partition(b"\0")
            if nul:
                self._pending = rest + self._pending
                return

    def _take(self, size: int) -> bytes:
        data, self._pending = self._pending[:size], self._pending[size:]
        return data + self._content.read(size - len(data)) if len(data) < size else data

    def _exactly(self, size: int) -> bytes:
        data = self._take(size)
        if len(data) < size:
            raise EOFError(_ENDED)
        return data


class GzipStream:
    """The unpacked bytes of a gzip file, with a limit on how many of them are unpacked altogether."""

    def __init__(self, content: BinaryIO, budget: int) -> None:
        self._members = _GzipMembers(content)
        self._left = budget
        self._buffer = b""
        #: position in the buffer; position of the buffer's end in the stream
        self._at = self._end = 0

    def tell(self) -> int:
        return self._end - len(self._buffer) + self._at

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end. Raises BombError, NotGzipError, EOFError, zlib.error."""
        if size > ONE_FILE:
            raise BombError(f"a header of {size} bytes")
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        missing = size - len(data)
        if not missing:
            return data
        pieces = [data]
        self._buffer, self._at = b"", 0
        while missing >= _AHEAD:
            piece = self._unpack(missing - missing % _AHEAD)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            missing -= len(piece)
        while missing and len(self._buffer) < _AHEAD:
            piece = self._unpack(_AHEAD - len(self._buffer))
            if not piece:
                break
            self._buffer += piece
            pieces.append(piece[:missing])
            self._at += len(pieces[-1])
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def seek(self, to: int) -> None:
        """Go to a position, or to the end if that is nearer; going back unpacks again what the buffer does not hold."""
        if to > LARGEST_OFFSET:
            raise ValueError("cannot fit 'int' into an offset-sized integer")
        start = self._end - len(self._buffer)
        if start <= to <= self._end and self._at < len(self._buffer):
            self._at = to - start
            return
        self._buffer, self._at = b"", 0
        if to < self._end:
            self._members.rewind()
            self._end = 0
        while self._end < to and self._unpack(min(_AHEAD, to - self._end)):
            pass

    def _unpack(self, limit: int) -> bytes:
        data = self._members.read(limit)
        self._end += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise BombError("the archive unpacks to far more than its size")
        return data


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class PlainStream:
    """Any other stream, with the same limits; it only goes forward."""

    def __init__(self, stream: _Readable, budget: int) -> None:
        self._stream = stream
        self._left = budget
        self._at = 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        """Up to `size` bytes. Raises BombError, and what the stream raises."""
        if size > ONE_FILE:
            raise BombError(f"a header of {size} bytes")
        data = self._stream.read(size)
        self._at += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise BombError("the archive unpacks to far more than its size")
        return data

"""The framing of a zip: a reader that streams it and one that trusts its directory must see the same files.

The index reads the records one after the other, from the first byte to the last, and compares what
they say with the central directory.
Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5; warehouse, `utils/zipfiles.py`, for what is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
#: extra fields that decide on size and name, and may stand only once
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
#: "see the zip64 field"
_ELSEWHERE = 0xFFFFFFFF
_DATA_DESCRIPTOR = 0x08
_UNPRINTABLE = frozenset(range(0x20)) | {0x7F}
_MALFORMED = "Malformed zip file"


class _FaultError(Exception):
    """Framing that the index does not take; the argument is its reason."""


def framing_fault(content: BinaryIO, sizes: Mapping[str, tuple[int, int]]) -> str | None:
    """The index's reason against the framing of a zip; None where there is none.

    `sizes` is what the central directory says: name → bytes compressed, bytes unpacked.
    """
    content.seek(0)
    walk = _Walk(content, sizes)
    try:
        while walk.record():
            pass
        walk.compare()
    except _FaultError as fault:
        return str(fault)
    return None


class _Walk:
    """One pass over the records."""

    def __init__(self, content: BinaryIO, sizes: Mapping[str, tuple[int, int]]) -> None:
        self._content = content
        self._sizes = sizes
        self._local: set[bytes] = set()
        self._central: set[bytes] = set()
        self._directory_at: int | None = None
        self._directory_size = 0
        self._entries = 0
        #: entries, size and offset of the directory, as the zip64 end record says
        self._end64: tuple[int, int, int] | None = None
        self._located = False

    def record(self) -> bool:
        """Read one record; False after the last."""
        at = self._content.tell()
        signature = self._take(4)
        if signature == _LOCAL:
            self._local_file()
        elif signature == _CENTRAL:
            self._directory_entry(at)
        elif signature == _END64:
            self._end_of_directory64()
        elif signature == _LOCATOR:
            self._take(16)
            self._located = True
        elif signature == _END:
            self._end_of_directory(at)
            return False
        else:
            raise _FaultError("Unknown record signature")
        return True

    def compare(self) -> None:
        """What can be said after the last record."""
        if self._central != self._local:
            raise _FaultError("Mis-matched local headers and central directory")
        if self._content.tell() != self._content.seek(0, 2):
            raise _FaultError("Trailing data")

    def _take(self, size: int) -> bytes:
        data = self._content.read(size)
        if len(data) != size:
            raise _FaultError(_MALFORMED)
        return data

    def _name(self, name_size: int, extra_size: int) -> tuple[bytes, bytes]:
        """A name and the extra fields behind it."""
        name, extra = self._take(name_size), self._take(extra_size)
        if not _UNPRINTABLE.isdisjoint(name):
            raise _FaultError("Invalid character in filename")
        return name, extra

    def _local_file(self) -> None:
        flags, method, packed, unpacked, name_size, extra_size = struct.unpack("<2xHH8xLLHH", self._take(26))
        name, extra = self._name(name_size, extra_size)
        packed, unpacked = _extra(extra, method, packed, unpacked)
        if flags & _DATA_DESCRIPTOR:
            raise _FaultError("ZIP contains a data descriptor")
        self._agree(name, packed, unpacked)
        self._content.seek(packed, 1)
        if name in self._local:
            raise _FaultError("Duplicate filename in local headers")
        self._local.add(name)

    def _agree(self, name: bytes, packed: int, unpacked: int) -> None:
        """A local header says what the directory says of the same file."""
        try:
            there = self._sizes[name.decode()]
        except UnicodeDecodeError:
            raise _FaultError("Filename not unicode") from None
        except KeyError:
            raise _FaultError("Filename not in central directory") from None
        if there[0] != packed:
            raise _FaultError("Mis-matched data size")
        if there[1] != unpacked:
            raise _FaultError("Mis-matched file size")

    def _directory_entry(self, at: int) -> None:
        if self._directory_at is None:
            self._directory_at = at
        self._entries += 1
        name_size, extra_size, comment_size = struct.unpack("<24xHHH12x", self._take(42))
        if comment_size:
            raise _FaultError("Comment in central directory")
        name, _ = self._name(name_size, extra_size)
        self._directory_size += 46 + name_size + extra_size
        if name in self._central:
            raise _FaultError("Duplicate filename in central directory")
        if name not in self._local:
            raise _FaultError("Missing filename in local headers")
        self._central.add(name)

    def _end_of_directory64(self) -> None:
        size, here, entries, directory_size, directory_at = struct.unpack("<Q12xQQQQ", self._take(52))
        if here != entries:
            raise _FaultError(_MALFORMED)
        if size != 44:  # noqa: PLR2004 - the record without extensible data, APPNOTE 4.3.14.1
            raise _FaultError("ZIP64 extensible data not allowed")
        self._end64 = (entries, directory_size, directory_at)

    def _end_of_directory(self, at: int) -> None:
        if self._end64 is not None and not self._located:
            raise _FaultError(_MALFORMED)
        here, entries, directory_size, directory_at, comment_size = struct.unpack("<4xHHLLH", self._take(18))
        if here != entries:
            raise _FaultError(_MALFORMED)
        self._content.seek(comment_size, 1)
        if self._end64 is not None:
            entries, directory_size, directory_at = self._end64
        if entries != self._entries:
            raise _FaultError("Mismatched central directory records")
        if directory_at != (at if self._directory_at is None else self._directory_at):
            raise _FaultError("Mismatched central directory offset")
        if directory_size != self._directory_size:
            raise _FaultError("Mismatched central directory size")


def _extra(extra: bytes, method: int, packed: int, unpacked: int) -> tuple[int, int]:
    """Look through the extra fields of a local header; the sizes that count in the end."""
    seen: set[int] = set()
    while extra:
        if len(extra) < 4:  # noqa: PLR2004 - a field's own header
            raise _FaultError(_MALFORMED)
        kind, size = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if len(data) < size:
            raise _FaultError(_MALFORMED)
        if kind in seen and kind in {_ZIP64, _UNICODE_PATH}:
            raise _FaultError("Invalid duplicate extra in local file")
        seen.add(kind)
        if kind == _ZIP64:
            packed, unpacked = _zip64(data, method, packed, unpacked)
        elif kind == _UNICODE_PATH:
            _unicode_path(data)
    return packed, unpacked


def _zip64(data: bytes, method: int, packed: int, unpacked: int) -> tuple[int, int]:
    """The sizes after a zip64 field. Source: APPNOTE 4.5.3."""
    if len(data) not in {0, 8, 16, 24, 28}:
        raise _FaultError(_MALFORMED)
    if not data:
        if _ELSEWHERE in {packed, unpacked}:
            raise _FaultError(_MALFORMED)
        return packed, unpacked
    (whole,) = struct.unpack_from("<Q", data)
    if len(data) == 8:  # noqa: PLR2004 - one size only, so both must be the same: stored
        if method:
            raise _FaultError(_MALFORMED)
        packed = whole
    else:
        (packed,) = struct.unpack_from("<Q", data, 8)
    return packed, whole if unpacked == _ELSEWHERE else unpacked


def _unicode_path(data: bytes) -> None:
    """The Info-ZIP name: a version, a checksum, then UTF-8."""
    name = data[5:]
    if not _UNPRINTABLE.isdisjoint(name):
        raise _FaultError("Invalid character in filename")
    try:
        name.decode()
    except UnicodeDecodeError:
        raise _FaultError("Filename not valid UTF-8") from None

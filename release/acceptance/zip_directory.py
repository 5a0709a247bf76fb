"""The end record and the central directory of a zip, read as the index's server reads them.

The server relies on the `zipfile` of Python 3.14, whose decisions differ from those of older versions. This reader
takes the same decisions on every version: where the end record is found, which archives are zips at all, and which
entries break the reading. Source: PKWARE APPNOTE 6.3.10, 4.3.12 to 4.3.16 and 4.5. Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from msgspec import Struct

from release.acceptance.archive_limits import DamagedError

_END, _END64, _LOCATOR, _ENTRY = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
_END_LAYOUT = struct.Struct("<4x4H2LH")
_END64_LAYOUT = struct.Struct("<4xQ2H2L4Q")
_LOCATOR_LAYOUT = struct.Struct("<4xLQL")
_ENTRY_LAYOUT = struct.Struct("<4s2x2B2H4x3L3H8xL")
_EXTRA_HEADER = struct.Struct("<2H")
_PATH_HEADER = struct.Struct("<BL")
#: bytes of the longest comment
_COMMENT = 0xFFFF
#: the highest version of the format that the library reads, as ten times the number
_VERSION = 63
#: 4.4.4: the name is in UTF-8
UTF8_NAME = 1 << 11
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
#: 4.4.8, 4.4.9 and 4.4.16: the number is in the zip64 field
_IN_ZIP64 = 2**32 - 1
_IN_ZIP64_SIZES = frozenset({_IN_ZIP64, 2**64 - 1})


class EndRecord(NamedTuple):
    """Where the central directory is, by the end record and the zip64 end record."""

    #: number of the disk of this record, and of the one on which the central directory starts
    disk: int
    directory_disk: int
    entries: int
    #: bytes of the central directory
    size: int
    #: declared position of the central directory
    offset: int
    #: position of the first end record, directly after the central directory
    at: int

    @property
    def directory_at(self) -> int:
        """Actual position of the central directory; other data may precede the zip."""
        return self.at - self.size


class ZipMember(Struct):
    """An entry of the central directory."""

    filename: str
    #: the name in the entry itself, which an extra field may replace
    original_name: str
    flags: int
    #: number of the compression: 0 is stored, 8 is deflated
    method: int
    crc: int
    #: bytes compressed and unpacked
    packed: int
    unpacked: int
    #: position of the local header
    header_at: int
    #: position of what follows the member: the next local header, or the central directory
    end_at: int = 0

    @property
    def is_directory(self) -> bool:
        return self.filename.endswith("/")


def find_end(content: BinaryIO) -> EndRecord | None:
    """The end record of a zip; None where there is none. Raises DamagedError."""
    length = content.seek(0, 2)
    start = max(0, length - _END_LAYOUT.size - _COMMENT)
    content.seek(start)
    tail = content.read(_END_LAYOUT.size + _COMMENT)
    last = tail[-_END_LAYOUT.size :]
    uncommented = len(last) == _END_LAYOUT.size and last.startswith(_END) and last.endswith(b"\0\0")
    found = len(tail) - _END_LAYOUT.size if uncommented else tail.rfind(_END)
    if found < 0 or len(tail) - found < _END_LAYOUT.size:
        return None
    disk, directory_disk, _, entries, size, offset, _ = _END_LAYOUT.unpack_from(tail, found)
    return _zip64_end(content, EndRecord(disk, directory_disk, entries, size, offset, start + found))


def _zip64_end(content: BinaryIO, end: EndRecord) -> EndRecord:
    """The totals of the zip64 end record, where a locator before the end record announces it: 4.3.14 and 4.3.15."""
    locator_at = end.at - _LOCATOR_LAYOUT.size
    if locator_at < 0:
        return end
    content.seek(locator_at)
    locator = content.read(_LOCATOR_LAYOUT.size)
    if not locator.startswith(_LOCATOR):
        return end
    disk, declared_at, disks = _LOCATOR_LAYOUT.unpack(locator)
    if disk != 0 or disks > 1:
        raise DamagedError("zipfiles that span multiple disks are not supported")
    expected_at = locator_at - _END64_LAYOUT.size
    if declared_at > expected_at:
        raise DamagedError("Corrupt zip64 end of central directory locator")
    at, record = declared_at, _record64(content, declared_at)
    if not record.startswith(_END64):  # data before the zip moves all positions
        at, record = expected_at, _record64(content, expected_at)
    if not record.startswith(_END64):
        raise DamagedError("Zip64 end of central directory record not found")
    length, _, _, disk, directory_disk, _, entries, size, offset = _END64_LAYOUT.unpack(record)
    if offset + size != declared_at or length + 12 != _END64_LAYOUT.size + expected_at - at:
        raise DamagedError("Corrupt zip64 end of central directory record")
    return EndRecord(disk, directory_disk, entries, size, offset, at)


def _record64(content: BinaryIO, at: int) -> bytes:
    content.seek(at)
    return content.read(_END64_LAYOUT.size)


def is_zip(content: BinaryIO, end: EndRecord) -> bool:
    """Whether the library takes the stream for a zip, before it reads the central directory."""
    if end.entries == end.size == end.offset == 0:
        return True
    if end.disk != end.directory_disk or end.directory_at < 0 or end.size < _ENTRY_LAYOUT.size:
        return False
    content.seek(end.directory_at)
    return content.read(len(_ENTRY)) == _ENTRY


def read_directory(content: BinaryIO, end: EndRecord) -> list[ZipMember]:
    """The members in the order of the central directory.

    Raises DamagedError where the library raises its own exception, and other exceptions where it raises others.
    """
    if end.directory_at < 0:
        raise DamagedError("Bad offset for central directory")
    content.seek(end.directory_at)
    data = content.read(end.size)
    # data before the zip is not counted in its positions
    before = end.directory_at - end.offset
    members = list(_entries(data, end.size, before))
    following = end.directory_at
    for member in sorted(members, key=lambda member: member.header_at)[::-1]:  # of equal positions, the last first
        member.end_at, following = following, member.header_at
    return members


def _entries(data: bytes, size: int, before: int) -> Iterator[ZipMember]:
    at = 0
    while at < size:
        if len(data) - at < _ENTRY_LAYOUT.size:
            raise DamagedError("Truncated central directory")
        (
            signature, version, _, flags, method, crc, packed, unpacked, name_size, extra_size, comment_size, header_at
        ) = _ENTRY_LAYOUT.unpack_from(data, at)  # fmt: skip
        if signature != _ENTRY:
            raise DamagedError("Bad magic number for central directory")
        at += _ENTRY_LAYOUT.size
        raw = data[at : at + name_size]
        name = raw.decode("utf-8" if flags & UTF8_NAME else "cp437")
        if version > _VERSION:  # the server fails with the library's exception, which zipfile raises for this
            raise NotImplementedError(f"zip file version {version / 10:.1f}")
        member = ZipMember(_until_nul(name), name, flags, method, crc, packed, unpacked, header_at)
        if extra_size:
            _apply_extra(member, data[at + name_size : at + name_size + extra_size], raw)
        member.header_at += before
        at += name_size + extra_size + comment_size
        yield member


def _until_nul(name: str) -> str:
    return name.partition("\0")[0]


def _apply_extra(member: ZipMember, extra: bytes, name: bytes) -> None:
    """Take sizes, position and name from the extra fields: 4.5.3 and 4.6.9. Bytes too few for a header are ignored."""
    at = 0
    while len(extra) - at >= _EXTRA_HEADER.size:
        kind, size = _EXTRA_HEADER.unpack_from(extra, at)
        at += _EXTRA_HEADER.size + size
        if at > len(extra):
            raise DamagedError(f"Corrupt extra field {kind:04x} (size={size})")
        if kind == _ZIP64:
            _apply_zip64(member, extra[at - size : at])
        elif kind == _UNICODE_PATH:
            _apply_path(member, extra[at - size : at], name)


def _apply_zip64(member: ZipMember, data: bytes) -> None:
    numbers = (int.from_bytes(data[start : start + 8], "little") for start in range(0, len(data) - 7, 8))
    if member.unpacked in _IN_ZIP64_SIZES:
        member.unpacked = _following(numbers, "File size")
    if member.packed == _IN_ZIP64:
        member.packed = _following(numbers, "Compress size")
    if member.header_at == _IN_ZIP64:
        member.header_at = _following(numbers, "Header offset")


def _following(numbers: Iterator[int], name: str) -> int:
    for number in numbers:
        return number
    raise DamagedError(f"Corrupt zip64 extra field. {name} not found.")


def _apply_path(member: ZipMember, data: bytes, name: bytes) -> None:
    """4.6.9: a version, the checksum of the name that it replaces, and the path in UTF-8."""
    if len(data) < _PATH_HEADER.size:
        raise DamagedError("Corrupt unicode path extra field (0x7075)")
    version, checksum = _PATH_HEADER.unpack_from(data)
    if version != 1 or checksum != zlib.crc32(name):
        return
    try:
        path = data[_PATH_HEADER.size :].decode()
    except UnicodeDecodeError as error:
        raise DamagedError("Corrupt unicode path extra field (0x7075): invalid utf-8 bytes") from error
    if path:
        member.filename = _until_nul(path)

"""The framing of a zip: readers that stream it and readers of its central directory must see the same files.

The records are read in the order of the stream and compared with the central directory; the end record must match
the totals. Source: PKWARE APPNOTE 6.3.10, 4.3 (records) and 4.5 (extra fields). What is refused, in which order and
with which message, is the index's behavior. Observed: warehouse 6b62157, 2026-11.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from release.acceptance.zip_directory import ZipMember

#: the four bytes before each record → its fields of fixed size, as APPNOTE lists them: 4.3.7, 4.3.12, 4.3.14 to 4.3.16
_LOCAL, _ENTRY, _END64, _LOCATOR, _END = b"PK\3\4", b"PK\1\2", b"PK\6\6", b"PK\6\7", b"PK\5\6"
_LAYOUTS = {
    _LOCAL: struct.Struct("<5H3L2H"),
    _ENTRY: struct.Struct("<6H3L5H2L"),
    _END64: struct.Struct("<Q2H2L4Q"),
    _LOCATOR: struct.Struct("<LQL"),
    _END: struct.Struct("<4H2LH"),
}
_EXTRA_HEADER = struct.Struct("<2H")

#: 4.4.8: the size is in the zip64 field
_IN_ZIP64 = 2**32 - 1
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
#: bytes that are read at a time: more than most headers with name and extra fields
_AHEAD = 512
#: control characters, which no name may contain
_CONTROLS = bytes(range(32)) + b"\x7f"

_MALFORMED = "Malformed zip file"


class _FaultError(Exception):
    """Framing that the index rejects; the argument is its reason."""


class _Totals(NamedTuple):
    """Number of entries, position and size of the central directory."""

    records: int
    offset: int
    size: int


def framing_fault(content: BinaryIO, members: Iterable[ZipMember]) -> str | None:
    """Why the index rejects the framing of a zip with these members; None where it accepts it."""
    try:
        _Framing(content, members).read()
    except _FaultError as fault:
        return str(fault)
    return None


class _Framing:
    """A zip from its first byte to its last, and what its records have declared so far."""

    def __init__(self, content: BinaryIO, members: Iterable[ZipMember]) -> None:
        self._content = content
        #: name as written in the central directory → bytes compressed, bytes unpacked
        self._sizes = {one.original_name: (one.packed, one.unpacked) for one in members}
        self._length = content.seek(0, 2)
        #: position of the next bytes; and the bytes that were read in advance, with their position
        self._at = 0
        self._ahead, self._ahead_at = b"", 0
        #: names of the files with a local header
        self._streamed: set[bytes] = set()
        #: name → position and bytes of the file's entry in the central directory
        self._listed: dict[bytes, tuple[int, int]] = {}
        #: the zip64 end record, and whether its locator has followed
        self._zip64: _Totals | None = None
        self._located = False

    def read(self) -> None:
        """Read and compare every record. Raises _FaultError."""
        signature = b""
        while signature != _END:
            at = self._at
            signature = self._bytes(len(_LOCAL))
            if signature not in _LAYOUTS:
                raise _FaultError("Unknown record signature")
            layout = _LAYOUTS[signature]
            self._record(signature, layout.unpack(self._bytes(layout.size)), at)
        if self._at != self._length:
            raise _FaultError("Trailing data")

    def _record(self, signature: bytes, fields: tuple[int, ...], at: int) -> None:
        if signature == _LOCAL:
            self._local_header(fields)
        elif signature == _ENTRY:
            self._directory_entry(fields, at)
        elif signature == _END64:
            self._zip64 = _totals(*fields[5:])
            if fields[0] != _LAYOUTS[_END64].size - 8:  # 4.3.14.1
                raise _FaultError("ZIP64 extensible data not allowed")
        elif signature == _LOCATOR:
            self._located = True
        else:
            self._end(fields, at)

    def _local_header(self, fields: tuple[int, ...]) -> None:
        _, flags, method, _, _, _, packed, unpacked, name_size, extra_size = fields
        name, extra = self._bytes(name_size), self._bytes(extra_size)
        _printable(name)
        packed, unpacked = _actual_sizes(extra, method, packed, unpacked)
        if flags & 1 << 3:  # 4.4.4: the sizes follow the data
            raise _FaultError("ZIP contains a data descriptor")
        try:
            sizes = self._sizes.get(name.decode())
        except UnicodeDecodeError:
            raise _FaultError("Filename not unicode") from None
        if sizes is None:
            raise _FaultError("Filename not in central directory")
        for what, local, listed in zip(("data", "file"), (packed, unpacked), sizes, strict=True):
            if local != listed:
                raise _FaultError(f"Mis-matched {what} size")
        if name in self._streamed:
            raise _FaultError("Duplicate filename in local headers")
        self._streamed.add(name)
        self._skip(packed)

    def _directory_entry(self, fields: tuple[int, ...], at: int) -> None:
        name_size, extra_size, comment_size = fields[9:12]
        if comment_size:
            raise _FaultError("Comment in central directory")
        name, _ = self._bytes(name_size), self._bytes(extra_size)
        _printable(name)
        if name in self._listed:
            raise _FaultError("Duplicate filename in central directory")
        if name not in self._streamed:
            raise _FaultError("Missing filename in local headers")
        self._listed[name] = at, self._at - at

    def _end(self, fields: tuple[int, ...], at: int) -> None:
        """Compare the totals. The directory of a zip without files starts where its end record does."""
        declared, entries = _totals(*fields[2:6]), self._listed.values()
        self._skip(fields[6])
        if self._zip64 is not None and not self._located:
            raise _FaultError(_MALFORMED)
        offset = min((start for start, _ in entries), default=at)
        found = _Totals(len(entries), offset, sum(length for _, length in entries))
        for name, one, other in zip(_Totals._fields, self._zip64 or declared, found, strict=True):
            if one != other:
                raise _FaultError(f"Mismatched central directory {name}")
        if len(self._streamed) != len(self._listed):
            raise _FaultError("Mis-matched local headers and central directory")

    def _bytes(self, count: int) -> bytes:
        start = self._at - self._ahead_at
        data = self._ahead[start : start + count]
        if len(data) < count:
            self._content.seek(self._at)
            self._ahead, self._ahead_at = self._content.read(max(count, _AHEAD)), self._at
            data = self._ahead[:count]
            if len(data) < count:
                raise _FaultError(_MALFORMED)
        self._at += count
        return data

    def _skip(self, count: int) -> None:
        # one byte past the end is enough, and some positions are too large to seek to
        self._at = min(self._at + count, self._length + 1)


def _totals(on_this_disk: int, records: int, size: int, offset: int) -> _Totals:
    if on_this_disk != records:
        raise _FaultError(_MALFORMED)
    return _Totals(records, offset, size)


def _printable(name: bytes) -> None:
    if len(name.translate(None, _CONTROLS)) < len(name):
        raise _FaultError("Invalid character in filename")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and data of each extra field: 4.5.1."""
    at = 0
    while at < len(extra):
        if len(extra) - at < _EXTRA_HEADER.size:
            raise _FaultError(_MALFORMED)
        kind, size = _EXTRA_HEADER.unpack_from(extra, at)
        at += _EXTRA_HEADER.size + size
        if at > len(extra):
            raise _FaultError(_MALFORMED)
        yield kind, extra[at - size : at]


def _actual_sizes(extra: bytes, method: int, packed: int, unpacked: int) -> tuple[int, int]:
    """Sizes packed and unpacked; the extra fields take precedence."""
    once: set[int] = set()
    for kind, data in _extra_fields(extra):
        if kind not in {_ZIP64, _UNICODE_PATH}:
            continue
        if kind in once:
            raise _FaultError("Invalid duplicate extra in local file")
        once.add(kind)
        if kind == _ZIP64:
            packed, unpacked = _zip64_sizes(data, method, packed, unpacked)
            continue
        path = data[1 + 4 :]  # after version and checksum: 4.6.9
        _printable(path)
        try:
            path.decode()
        except UnicodeDecodeError:
            raise _FaultError("Filename not valid UTF-8") from None
    return packed, unpacked


def _zip64_sizes(data: bytes, method: int, packed: int, unpacked: int) -> tuple[int, int]:
    """4.5.3: the size unpacked, then the size packed, an offset, a disk; the last ones may be absent.

    The size packed always takes precedence, the size unpacked only where the header refers to this field.
    """
    match len(data):
        case 0 if _IN_ZIP64 not in {packed, unpacked}:
            return packed, unpacked
        case 8 if not method:  # stored data has a single size
            whole = packed = int.from_bytes(data, "little")
        case 16 | 24 | 28:
            whole, packed = struct.unpack_from("<2Q", data)
        case _:
            raise _FaultError(_MALFORMED)
    return packed, whole if unpacked == _IN_ZIP64 else unpacked

"""The framing of a zip: readers that stream it and readers of its central directory must see the same files.

The records are read in the order of the stream, compared with the central directory, and summed up when the end
record comes. Source: PKWARE APPNOTE 6.3.10, 4.3 (records) and 4.5 (extra fields). What is refused, in which order and
with which message, is the index's behavior. Observed: warehouse 6b62157, 2026-11.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

#: the four bytes before each record → its fields of fixed size, as APPNOTE lists them: 4.3.7, 4.3.12, 4.3.14 to 4.3.16
_LOCAL, _ENTRY = struct.Struct("<5H3L2H"), struct.Struct("<6H3L5H2L")
_END64, _LOCATOR, _END = struct.Struct("<Q2H2L4Q"), struct.Struct("<LQL"), struct.Struct("<4H2LH")
_LAYOUTS = {b"PK\3\4": _LOCAL, b"PK\1\2": _ENTRY, b"PK\6\6": _END64, b"PK\6\7": _LOCATOR, b"PK\5\6": _END}
#: value of the size field of a zip64 end record without extensible data: 4.3.14.1
_END64_SIZE = _END64.size - 8
_SIGNATURE = 4
_EXTRA_HEADER = struct.Struct("<2H")

#: 4.4.4, bit 3: the sizes follow the data
_SIZES_FOLLOW = 1 << 3
#: 4.4.8: the size is in the zip64 field
_IN_ZIP64 = 2**32 - 1
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
#: bytes of version and checksum before the name in a Unicode path field: 4.6.9
_BEFORE_PATH = 1 + 4
#: control characters, which no name may contain
_CONTROLS = bytes(range(32)) + b"\x7f"

_MALFORMED = "Malformed zip file"


class _FaultError(Exception):
    """Framing that the index rejects; the argument is its reason."""


class _File(NamedTuple):
    """A local header: a file as a streaming reader sees it."""

    name: bytes
    sizes_follow: bool
    #: bytes compressed, and unpacked
    packed: int
    unpacked: int


class _Entry(NamedTuple):
    """A file as the central directory lists it."""

    name: bytes
    #: bytes of this entry, and where it starts
    length: int
    at: int


class _Totals(NamedTuple):
    """Number of entries, size and position of the central directory, according to an end record."""

    entries: int
    length: int
    at: int


class _Locator(NamedTuple):
    """The record that points to the zip64 end record."""


class _Close(NamedTuple):
    """The end record, after which nothing may follow."""

    totals: _Totals
    at: int


def framing_fault(content: BinaryIO, sizes: Mapping[str, tuple[int, int]]) -> str | None:
    """Why the index rejects the framing of a zip; None where it accepts it.

    `sizes` is the central directory: name → bytes compressed, bytes unpacked.
    """
    comparison = _Comparison(sizes=sizes)
    try:
        for record in _Stream(content).records():
            comparison.add(record)
    except _FaultError as fault:
        return str(fault)
    return None


_Record = _File | _Entry | _Totals | _Locator | _Close


class _Stream:
    """A zip from its first byte to its last."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._length = content.seek(0, 2)
        content.seek(0)

    def records(self) -> Iterator[_Record]:
        """Each record in order; the data of files is skipped."""
        record: _Record | None = None
        while not isinstance(record, _Close):
            at = self._content.tell()
            layout = _LAYOUTS.get(self._bytes(_SIGNATURE))
            if layout is None:
                raise _FaultError("Unknown record signature")
            record = self._record(layout, layout.unpack(self._bytes(layout.size)), at)
            yield record
            if isinstance(record, _File):
                self._skip(record.packed)
        if self._content.tell() != self._length:
            raise _FaultError("Trailing data")

    def _record(self, layout: struct.Struct, fields: tuple[int, ...], at: int) -> _Record:
        if layout is _LOCAL:
            return self._file(fields)
        if layout is _ENTRY:
            return self._entry(fields, at)
        if layout is _END64:
            totals = _totals(*fields[5:])
            if fields[0] != _END64_SIZE:
                raise _FaultError("ZIP64 extensible data not allowed")
            return totals
        if layout is _LOCATOR:
            return _Locator()
        totals = _totals(*fields[2:6])
        self._skip(fields[6])
        return _Close(totals, at)

    def _file(self, fields: tuple[int, ...]) -> _File:
        _, flags, method, _, _, _, packed, unpacked, name_size, extra_size = fields
        name, extra = self._bytes(name_size), self._bytes(extra_size)
        _printable(name)
        packed, unpacked = _sizes(extra, method, packed, unpacked)
        return _File(name, bool(flags & _SIZES_FOLLOW), packed, unpacked)

    def _entry(self, fields: tuple[int, ...], at: int) -> _Entry:
        name_size, extra_size, comment_size = fields[9:12]
        if comment_size:
            raise _FaultError("Comment in central directory")
        name, _ = self._bytes(name_size), self._bytes(extra_size)
        _printable(name)
        return _Entry(name, self._content.tell() - at, at)

    def _bytes(self, count: int) -> bytes:
        got = self._content.read(count)
        if len(got) < count:
            raise _FaultError(_MALFORMED)
        return got

    def _skip(self, count: int) -> None:
        # one byte past the end is enough, and some positions are too large to seek to
        self._content.seek(min(self._content.tell() + count, self._length + 1))


@dataclass(slots=True, kw_only=True)
class _Comparison:
    """The local headers compared with the central directory, record by record."""

    sizes: Mapping[str, tuple[int, int]]
    #: names of the files with a local header
    streamed: set[bytes] = field(default_factory=set)
    #: name → entry of the central directory
    listed: dict[bytes, _Entry] = field(default_factory=dict)
    #: the zip64 end record, and whether its locator has followed
    zip64: _Totals | None = None
    located: bool = False

    def add(self, record: _Record) -> None:
        """Compare the next record. Raises _FaultError."""
        match record:
            case _File():
                self._stream(record)
            case _Entry():
                self._list(record)
            case _Totals():
                self.zip64 = record
            case _Locator():
                self.located = True
            case _Close():
                self._close(record)

    def _stream(self, file: _File) -> None:
        if file.sizes_follow:
            raise _FaultError("ZIP contains a data descriptor")
        try:
            sizes = self.sizes.get(file.name.decode())
        except UnicodeDecodeError:
            raise _FaultError("Filename not unicode") from None
        if sizes is None:
            raise _FaultError("Filename not in central directory")
        for what, local, listed in zip(("data", "file"), (file.packed, file.unpacked), sizes, strict=True):
            if local != listed:
                raise _FaultError(f"Mis-matched {what} size")
        if file.name in self.streamed:
            raise _FaultError("Duplicate filename in local headers")
        self.streamed.add(file.name)

    def _list(self, entry: _Entry) -> None:
        if entry.name in self.listed:
            raise _FaultError("Duplicate filename in central directory")
        if entry.name not in self.streamed:
            raise _FaultError("Missing filename in local headers")
        self.listed[entry.name] = entry

    def _close(self, end: _Close) -> None:
        """Compare the totals. The directory of a zip without files starts where its end record does."""
        if self.zip64 is not None and not self.located:
            raise _FaultError(_MALFORMED)
        declared, entries = self.zip64 or end.totals, self.listed.values()
        found = _Totals(
            entries=len(entries),
            length=sum(entry.length for entry in entries),
            at=min((entry.at for entry in entries), default=end.at),
        )
        for what, name in (("entries", "records"), ("at", "offset"), ("length", "size")):
            if getattr(declared, what) != getattr(found, what):
                raise _FaultError(f"Mismatched central directory {name}")
        if len(self.streamed) != len(self.listed):
            raise _FaultError("Mis-matched local headers and central directory")


def _totals(on_this_disk: int, entries: int, length: int, at: int) -> _Totals:
    if on_this_disk != entries:
        raise _FaultError(_MALFORMED)
    return _Totals(entries, length, at)


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


def _sizes(extra: bytes, method: int, packed: int, unpacked: int) -> tuple[int, int]:
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
        else:
            _unicode_path(data[_BEFORE_PATH:])
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


def _unicode_path(path: bytes) -> None:
    _printable(path)
    try:
        path.decode()
    except UnicodeDecodeError:
        raise _FaultError("Filename not valid UTF-8") from None

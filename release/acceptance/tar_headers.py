"""One header of a tar, and the records of a pax header, read as the index's server reads them.

Source: POSIX.1-2017, `pax` (ustar and pax headers); GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern

BLOCK = 512
LONG_NAME, LONG_LINK, SPARSE = b"L", b"K", b"S"
PAX, PAX_GLOBAL = frozenset({b"x", b"X"}), b"g"
DIRECTORY = b"5"
_OLD_REGULAR = b"\0"
_REGULAR = frozenset({b"0", _OLD_REGULAR, b"7", SPARSE})
_GNU = frozenset({LONG_NAME, LONG_LINK, SPARSE})
#: types that have no data; behind a header of an unknown type there are data
_WITHOUT_DATA = frozenset({b"1", b"2", b"3", b"4", DIRECTORY, b"6"}) | _GNU
#: where the numbers of a header are, without size and checksum
_NUMBERS = ((100, 108), (108, 116), (116, 124), (136, 148), (329, 337), (337, 345))
#: position and number of the pairs of numbers in the header of a sparse file, and in a block that continues it
_PAIRS, _MORE_PAIRS = (386, 4), (0, 21)
_RECORD_LENGTH = lazy_pattern(rb"([0-9]{1,20}) ")
#: bytes of the shortest pax record
_SHORTEST_RECORD = 5


class Broken(Enum):
    """How a header cannot be read."""

    EMPTY = auto()
    TRUNCATED = auto()
    #: the block of zeros at the end
    END = auto()
    INVALID = auto()
    #: what a header announces does not follow
    SUBSEQUENT = auto()


class HeaderError(Exception):
    """A header that cannot be read."""

    def __init__(self, kind: Broken, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class TarMember(Struct):
    """A member as its headers describe it."""

    name: str
    #: one byte, as in the header
    type: bytes
    #: bytes, by the last header or record that states it
    size: int
    #: position of the first header that belongs to it
    offset: int = 0
    #: position of its data
    data_at: int = 0
    sparse: bool = False

    @property
    def is_regular(self) -> bool:
        return self.type in _REGULAR

    @property
    def has_data(self) -> bool:
        return self.is_regular or self.type not in _WITHOUT_DATA


def invalid(reason: str = "invalid header") -> HeaderError:
    """An error that ends the archive, unless it is in the first header."""
    return HeaderError(Broken.INVALID, reason)


def count_blocks(size: int) -> int:
    """Bytes of the blocks that hold `size` bytes. Raises HeaderError."""
    if size < 0:
        raise invalid("invalid offset")
    return -(-size // BLOCK) * BLOCK


def parse_text(field: bytes) -> str:
    """A name up to its NUL; bytes that are not UTF-8 become surrogates."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or a number in base 256 behind a byte that says so. Raises HeaderError."""
    if field[0] == 0o200:  # noqa: PLR2004 - the first byte of a positive number
        return int.from_bytes(field[1:], "big")
    if field[0] == 0o377:  # noqa: PLR2004 - the first byte of a negative number
        return int.from_bytes(field[1:], "big") - (1 << 8 * (len(field) - 1))
    try:
        return int(field.partition(b"\0")[0].decode("ascii").strip() or "0", 8)
    except ValueError:
        raise invalid() from None


def parse_header(block: bytes, *, first: bool) -> TarMember:
    """The member of one header; `first` is whether no other header precedes it. Raises HeaderError."""
    if not block:
        raise HeaderError(Broken.EMPTY, "empty header")
    if len(block) != BLOCK:
        raise HeaderError(Broken.TRUNCATED, "truncated header")
    if not block.strip(b"\0"):
        raise HeaderError(Broken.END, "end of file header")
    _compare_checksum(block)
    for start, end in _NUMBERS:
        _number(block[start:end])
    member = TarMember(parse_text(block[:100]), block[156:157], _number(block[124:136]))
    if first and member.type == _OLD_REGULAR and member.name.endswith("/"):  # there was no type for directories once
        member.type = DIRECTORY
    if member.type == DIRECTORY:
        member.name = member.name.rstrip("/")
    prefix = parse_text(block[345:500])
    if prefix and member.type not in _GNU:
        member.name = f"{prefix}/{member.name}"
    return member


def _compare_checksum(block: bytes) -> None:
    """The sum of all bytes but its own eight, which count as blanks; some programs add signed bytes."""
    declared = _number(block[148:156])
    counted = block[:148] + b" " * 8 + block[156:]
    total = sum(counted)
    if declared != total and declared != total - 256 * sum(byte > 0x7F for byte in counted):  # noqa: PLR2004
        raise invalid("bad checksum")


def parse_sparse(block: bytes) -> tuple[bool, int]:
    """Whether more pairs of numbers follow the header of a sparse file, and its real size. Raises HeaderError."""
    _parse_pairs(block, *_PAIRS)
    return bool(block[482]), _number(block[483:495])


def parse_more_pairs(block: bytes) -> bool:
    """Whether yet more pairs follow this block. Raises HeaderError; IndexError where the block is cut off."""
    _parse_pairs(block, *_MORE_PAIRS)
    return bool(block[504])


def _parse_pairs(block: bytes, at: int, count: int) -> None:
    for start in range(at, at + 24 * count, 12):
        _number(block[start : start + 12])


def parse_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keyword and value of each record of a pax header, up to a NUL. Raises HeaderError."""
    at = 0
    while at < len(data) and data[at]:
        found = _RECORD_LENGTH.match(data, at)
        length = int(found[1]) if found else 0
        if found is None or length < _SHORTEST_RECORD or at + length > len(data):
            raise invalid()
        record = data[found.end() : at + length]
        keyword, equals, value = record[:-1].partition(b"=")
        if not keyword or not equals or not record.endswith(b"\n"):
            raise invalid()
        yield keyword, value
        at += length

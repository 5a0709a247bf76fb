"""The members of a tar, read as the index's server reads them: GNU long names, pax records, sparse files.

The server relies on the `tarfile` of Python 3.14. Some headers that older versions read past end the archive there, or
make it no tar at all; this reader takes the same decisions on every version.
Source: POSIX.1-2017, `pax` (ustar and pax headers); GNU tar manual, "Basic Tar Format" and "Storing Sparse Files".
Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import zlib

from release.acceptance.archive_limits import MIB, ONE_FILE, BombError, DamagedError
from release.acceptance.gzip_stream import GzipStream, TarStream
from release.acceptance.tar_headers import (
    BLOCK,
    DIRECTORY,
    LONG_LINK,
    LONG_NAME,
    PAX,
    PAX_GLOBAL,
    SPARSE,
    Broken,
    HeaderError,
    TarMember,
    count_blocks,
    invalid,
    parse_header,
    parse_more_pairs,
    parse_records,
    parse_sparse,
    parse_text,
)

#: headers that may precede a member before the library's recursion fails
_NESTED = 300
#: records in bytes, as they were read
_Records = list[tuple[bytes, bytes]]


class TarWalk:
    """The members of a tar, one after another."""

    def __init__(self, stream: TarStream) -> None:
        self.stream = stream
        #: where the next header is expected
        self.offset = 0
        #: whether the archive ended at a header that cannot be read, which an older `tarfile` may read past
        self.cut = False
        #: records that apply to all following members
        self._global: dict[str, str] = {}

    def next_member(self) -> TarMember | None:
        """The next member; None at the end. The stream is then at the member's data, or behind them.

        Raises DamagedError where the library raises its own exception, and other exceptions where it raises others.
        """
        if self.offset != self.stream.tell() and not self._skip():
            return None
        try:
            return self._read_group(first=True, nested=0)
        except HeaderError as error:
            at_start = not self.offset and error.kind is not Broken.END
            if at_start or error.kind is Broken.SUBSEQUENT:
                raise DamagedError("empty file" if error.kind is Broken.EMPTY else str(error)) from None
            self.cut = error.kind is Broken.INVALID
            return None
        except zlib.error as error:
            raise DamagedError(f"zlib error: {error}") from None

    def _skip(self) -> bool:
        if not self.offset:
            return False
        assert isinstance(self.stream, GzipStream)
        self.stream.seek(self.offset - 1)
        if not self.stream.read(1):
            raise DamagedError("unexpected end of data")
        return True

    def _read_group(self, *, first: bool, nested: int) -> TarMember:
        """A header, and those that it announces."""
        if nested > _NESTED:
            raise RecursionError("maximum recursion depth exceeded")
        block = self.stream.read(BLOCK)
        member = parse_header(block, first=first)
        more, real_size = parse_sparse(block) if member.type == SPARSE else (False, 0)
        member.offset = self.stream.tell() - BLOCK
        if member.type in {LONG_NAME, LONG_LINK}:
            return self._read_long(member, nested)
        if member.type in PAX or member.type == PAX_GLOBAL:
            return self._read_pax(member, nested)
        if member.type == SPARSE:
            while more:
                more = parse_more_pairs(self.stream.read(BLOCK))
        member.data_at = self.stream.tell()
        self.offset = member.data_at + (count_blocks(member.size) if member.has_data else 0)
        if member.type == SPARSE:
            member.size, member.sparse = real_size, True
            return member
        _apply(member, self._global)
        if member.type == DIRECTORY:
            member.name = member.name.rstrip("/")
        return member

    def _read_long(self, header: TarMember, nested: int) -> TarMember:
        text = parse_text(self._read_data(header))
        member = self._read_following(nested)
        member.offset = header.offset
        if header.type == LONG_NAME:
            member.name = text
        if member.type == DIRECTORY:
            member.name = member.name.removesuffix("/")
        return member

    def _read_pax(self, header: TarMember, nested: int) -> TarMember:
        found = list(parse_records(self._read_data(header)))
        records = self._global if header.type == PAX_GLOBAL else dict(self._global)
        records.update((_decode(keyword), _decode(value)) for keyword, value in found)
        member = self._read_following(nested)
        self._read_sparse_map(member, records, found)
        if header.type in PAX:
            _apply(member, records)
            if "size" in records:
                size = count_blocks(_integer(records["size"])) if member.has_data else 0
                self.offset = member.offset + BLOCK + size
            member.offset = header.offset
        return member

    def _read_following(self, nested: int) -> TarMember:
        try:
            return self._read_group(first=False, nested=nested + 1)
        except HeaderError as error:
            raise HeaderError(Broken.SUBSEQUENT, str(error)) from None

    def _read_data(self, header: TarMember) -> bytes:
        """The data of a header that describes the next one, as far as there are any."""
        size, pieces = count_blocks(header.size), list[bytes]()
        while size > 0 and (piece := self.stream.read(min(size, MIB))):
            size -= len(piece)
            pieces.append(piece)
            if len(pieces) * MIB > ONE_FILE:
                raise BombError(f"a header of {header.size} bytes")
        return b"".join(pieces)

    def _read_sparse_map(self, member: TarMember, records: dict[str, str], found: _Records) -> None:
        """Read where the data of a sparse file belong; only the errors matter. GNU tar has three formats of it."""
        if "GNU.sparse.map" in records:
            for number in records["GNU.sparse.map"].split(","):
                int(number)
        elif "GNU.sparse.size" in records:
            for keyword, value in found:
                if keyword in {b"GNU.sparse.offset", b"GNU.sparse.numbytes"}:
                    _parse_number(value)
        elif records.get("GNU.sparse.major") == "1" and records.get("GNU.sparse.minor") == "0":
            self._read_map_in_data()
            member.data_at = self.stream.tell()
        else:
            return
        member.sparse = True

    def _read_map_in_data(self) -> None:
        number, rest = _split_line(self.stream.read(BLOCK))
        for _ in range(2 * number):
            if b"\n" not in rest:
                rest += self.stream.read(BLOCK)
            _, rest = _split_line(rest)


def _split_line(data: bytes) -> tuple[int, bytes]:
    line, end, rest = data.partition(b"\n")
    if not end:
        raise ValueError("not enough values to unpack (expected 2, got 1)")
    return int(line), rest


def _parse_number(value: bytes) -> None:
    try:
        int(value.decode())
    except ValueError:
        raise invalid() from None


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def _apply(member: TarMember, records: dict[str, str]) -> None:
    """Replace name and size by those of the records, in their order."""
    for keyword, value in records.items():
        if keyword == "GNU.sparse.name":
            member.name = value
        elif keyword in {"GNU.sparse.size", "GNU.sparse.realsize"}:
            member.size = int(value)
        elif keyword == "path":
            member.name = value.rstrip("/")
        elif keyword == "size":
            member.size = _integer(value)

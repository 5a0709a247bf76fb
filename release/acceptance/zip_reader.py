"""Reader for untrusted zip files: nothing is extracted; every read, memory and time are bounded.

Which members can be read, and how reading them fails, is what the index's server sees in the `zipfile` of
Python 3.14, on every version. Source: PKWARE APPNOTE 6.3.10, 4.3.7 (local header). Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import BinaryIO

from msgspec.structs import replace

from release.acceptance.archive_limits import (
    CENTRAL_DIRECTORY,
    LARGEST_OFFSET,
    MIB,
    ONE_FILE,
    UNPACKED,
    BombError,
    DamagedError,
    Unreadable,
)
from release.acceptance.protected_code import SEARCHED, find_protector, is_searched
from release.acceptance.zip_directory import UTF8_NAME, ZipMember, find_end, is_zip, read_directory
from release.acceptance.zip_methods import unpack_member
from release.core.models.distribution import MemberVisitor
from release.core.models.second_process import PartReader

#: what the server catches while it reads a zip
_CAUGHT = (DamagedError,)
#: 4.4.4
_ENCRYPTED, _PATCHED, _STRONGLY_ENCRYPTED = 1 << 0, 1 << 5, 1 << 6
#: bytes of a part of the members, and what the header of each counts for
PART, _MEMBER = 4 * MIB, 4096
_LOCAL_SIGNATURE = b"PK\3\4"
_LOCAL = struct.Struct("<4s2xH18x2H")


class ZipContents:
    """An open zip."""

    def __init__(self, content: BinaryIO, members: Sequence[ZipMember]) -> None:
        self._content = content
        #: the members according to the central directory, in order
        self.members = members
        # of several with the same name, the index reads the last
        self._by_name = {member.filename: member for member in members}
        #: bytes that members may unpack to beyond their declared sizes
        self._surplus = UNPACKED

    @property
    def names(self) -> list[str]:
        return [member.filename for member in self.members]

    def read(self, name: str) -> bytes | Unreadable | None:
        """A member's bytes; None where there is no such member."""
        member = self._by_name.get(name)
        return self._read(member) if member is not None else None

    @cached_property
    def _reading_order(self) -> tuple[list[ZipMember], list[ZipMember]]:
        """The code, which is searched for a protector, and all other members."""
        code: list[ZipMember] = []
        others: list[ZipMember] = []
        for member in self.members:
            if not is_searched(member.filename):
                others.append(member)
            elif not member.is_directory:
                code.append(member)
        return code, others

    @cached_property
    def parts(self) -> Sequence[Sequence[ZipMember]]:
        """The members in the order in which they are read, in parts that take about the same time."""
        parts: list[list[ZipMember]] = []
        size = PART
        for member in chain(*self._reading_order):
            if size >= PART:
                parts.append([])
                size = 0
            size += member.unpacked + _MEMBER
            parts[-1].append(member)
        return parts

    def _numbered(self) -> tuple[Iterator[tuple[int, ZipMember]], Iterator[tuple[int, ZipMember]]]:
        """The code and all other members, each with the number of its part."""
        parts = (number for number, part in enumerate(self.parts) for _ in part)
        code, others = self._reading_order
        numbers = list(parts)
        return zip(numbers, code, strict=False), zip(numbers[len(code) :], others, strict=True)

    def are_sound(self, members: Iterable[ZipMember], visit: MemberVisitor) -> bool:
        """Whether `protector` and `damaged` would report nothing of these members; `visit` receives them."""
        before = self._surplus
        for member in members:
            if is_searched(member.filename):
                if self._search(member, visit) is not None:
                    return False
            elif isinstance(self._drain(member, visit), Unreadable):
                return False
        return self._surplus == before

    def protector(
        self, visit: MemberVisitor | None = None, second: PartReader | None = None
    ) -> str | Unreadable | None:
        """The product that encrypted some of the code, or what failed during the search for one.

        Stops there; `visit` receives the code up to that point, except what `second` has read.
        """
        left = UNPACKED
        for part, member in self._numbered()[0]:
            left -= member.unpacked
            if left < 0:
                return Unreadable(kind="bomb", reason=f"the code unpacks to more than {UNPACKED // MIB} MiB")
            if second is not None and second.has_read(part):
                continue
            found = self._search(member, visit)
            if found is not None:
                return found
        return None

    def _search(self, member: ZipMember, visit: MemberVisitor | None) -> str | Unreadable | None:
        """The product that encrypted the code in a member, or why that cannot be read."""
        last = self._by_name[member.filename]
        small = last.unpacked <= SEARCHED
        data = self._read(last) if small else self._drain(last, visit)
        if isinstance(data, Unreadable):
            named = data.reason if repr(last.filename) in data.reason else f"{last.filename!r}: {data.reason}"
            return replace(data, reason=named)
        if small and visit is not None:
            visit(last.filename, data, False)
        return find_protector(data)

    def damaged(
        self, visit: MemberVisitor | None = None, second: PartReader | None = None
    ) -> Iterator[tuple[str, str]]:
        """Path and error of each member, code excepted, whose bytes do not match the central directory.

        `protector` has read the code already. Stops at a limit of bytes; `visit` receives all members, except those
        that `second` has read.
        """
        left = UNPACKED
        for part, member in self._numbered()[1]:
            left -= member.unpacked
            if left < 0:
                return
            if second is not None and not member.is_directory and second.has_read(part):
                continue
            data = self._drain(member, visit)
            if isinstance(data, Unreadable):
                yield member.filename, data.reason

    def _read(self, member: ZipMember) -> bytes | Unreadable:
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in self._pieces(member):
                size += len(piece)
                if size > ONE_FILE:
                    return Unreadable(kind="bomb", reason=f"{member.filename!r} is larger than {ONE_FILE // MIB} MiB")
                pieces.append(piece)
        except Exception as error:  # noqa: BLE001 - a hostile zip raises anything: zlib.error, OSError, …
            return Unreadable.of(error, _CAUGHT)
        return b"".join(pieces)

    def _drain(self, member: ZipMember, visit: MemberVisitor | None = None) -> bytes | Unreadable:
        visit = (lambda *_: None) if visit is None or member.is_directory else visit
        held = b""
        try:
            for piece in self._pieces(member):
                if held:
                    visit(member.filename, held, True)
                held = piece
            visit(member.filename, held, False)
        except Exception as error:  # noqa: BLE001 - as above
            return Unreadable.of(error, _CAUGHT)
        return b""

    def _pieces(self, member: ZipMember) -> Iterator[bytes]:
        """The unpacked bytes, cut off at the declared size; raises what the library would in the end."""
        self._content.seek(self._find_data(member))
        checksum, left = 0, member.unpacked
        for unpacked in unpack_member(self._content, member):
            piece = unpacked[:left]
            self._surplus -= len(unpacked) - len(piece)
            if self._surplus < 0:
                raise BombError(f"{member.filename!r} unpacks to far more than its declared size")
            if piece:
                left -= len(piece)
                checksum = zlib.crc32(piece, checksum)
                yield piece
        if checksum != member.crc:
            raise DamagedError(f"Bad CRC-32 for file {member.filename!r}")

    def _find_data(self, member: ZipMember) -> int:
        """Position of the packed bytes, behind the local header."""
        at = member.header_at
        if at < 0:
            raise OSError("[Errno 22] Invalid argument")
        if at > LARGEST_OFFSET:
            raise ValueError("cannot fit 'int' into an offset-sized integer")
        self._content.seek(at)
        header = self._content.read(_LOCAL.size)
        if len(header) < _LOCAL.size:
            raise DamagedError("Truncated file header")
        signature, flags, name_size, extra_size = _LOCAL.unpack(header)
        if signature != _LOCAL_SIGNATURE:
            raise DamagedError("Bad magic number for file header")
        name = self._content.read(name_size)
        data_at = at + _LOCAL.size + len(name) + int(extra_size)
        _compare(member, name, utf8=bool(flags & UTF8_NAME))
        if (
            data_at + member.packed > member.end_at != at
        ):  # the library takes several entries for one and the same header
            raise DamagedError(f"Overlapped entries: {member.original_name!r} (possible zip bomb)")
        if member.flags & _ENCRYPTED:
            raise RuntimeError(f"File {member.filename!r} is encrypted, password required for extraction")
        return data_at


def _compare(member: ZipMember, name: bytes, *, utf8: bool) -> None:
    """Raise as zipfile does, also NotImplementedError: the server answers 500 with that exception."""
    if member.flags & _PATCHED:
        raise NotImplementedError("compressed patched data (flag bit 5)")
    if member.flags & _STRONGLY_ENCRYPTED:
        raise NotImplementedError("strong encryption (flag bit 6)")
    if name.decode("utf-8" if utf8 else "cp437") != member.original_name:
        raise DamagedError(f"File name in directory {member.original_name!r} and header {name!r} differ.")


def starts_as_zip(content: BinaryIO) -> bool:
    """Whether the library takes a stream for a zip, which it may still fail to open."""
    try:
        end = find_end(content)
    except DamagedError:
        return False
    return end is not None and is_zip(content, end)


def open_zip(content: BinaryIO) -> ZipContents | Unreadable | None:
    """Open the zip in a stream; None where the stream is not a zip."""
    taken = False
    try:
        end = find_end(content)
        if end is None:
            return None
        taken = is_zip(content, end)
        if end.size > CENTRAL_DIRECTORY and taken:
            return Unreadable(
                kind="bomb", reason=f"the central directory is larger than {CENTRAL_DIRECTORY // MIB} MiB"
            )
        members = read_directory(content, end) if end.size <= CENTRAL_DIRECTORY else []
    except DamagedError as error:
        return Unreadable.of(error, _CAUGHT) if taken else None
    except Exception as error:  # noqa: BLE001 - the server fails likewise, also where the end record is no zip's
        return Unreadable.of(error, _CAUGHT)
    return ZipContents(content, members) if taken else None

"""Reader for untrusted tar files: nothing is extracted; every read, memory and time are bounded."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO

from msgspec import Struct, field

from release.acceptance.archive_limits import (
    LARGEST_OFFSET,
    MEMBERS,
    MIB,
    NAMES,
    ONE_FILE,
    PKG_INFO,
    UNPACKED,
    UNPACKED_TIMES,
    BombError,
    DamagedError,
    Unreadable,
)
from release.acceptance.gzip_stream import GzipStream, NotGzipError, PlainStream, TarStream
from release.acceptance.protected_code import SEARCHED, find_protector, is_searched
from release.acceptance.tar_headers import TarMember
from release.acceptance.tar_walk import TarWalk
from release.core.models.distribution import MemberVisitor

#: what the server catches while it reads a tar
_CAUGHT = (DamagedError, EOFError, zlib.error)
#: bytes read at a time
_CHUNK = MIB // 4
#: bytes read in search of the first member
_FIRST_MEMBER = 64 * MIB
#: the start of a stream in the Zstandard format, which Python reads since 3.14: RFC 8878, 3.1.1
_ZSTANDARD = b"\x28\xb5\x2f\xfd"


class TarContents(Struct):
    """What one pass over a `.tar.gz` found."""

    #: path of every member, in order
    names: list[str] = field(default_factory=list)
    #: bytes of every member, in the same order; None for one that is not a regular file
    sizes: list[int | None] = field(default_factory=list)
    #: whether any member is sparse
    sparse: bool = False
    #: whether an older Python may find other members, as the archive ends at a header that cannot be read
    cut: bool = False
    #: the product that encrypted some of the code, or why some code cannot be read
    protector: str | Unreadable | None = None
    #: path → bytes of each regular file PKG-INFO in a directory above the first member; of duplicates, the last
    pkg_info: dict[str, bytes] = field(default_factory=dict)
    #: bytes of all paths
    names_length: int = 0


def _open_gzip(content: BinaryIO) -> TarStream:
    return GzipStream(content, _FIRST_MEMBER)


def _open_bzip2(content: BinaryIO) -> TarStream:
    return PlainStream(bz2.BZ2File(content), _FIRST_MEMBER)


def _open_lzma(content: BinaryIO) -> TarStream:
    return PlainStream(lzma.LZMAFile(content), _FIRST_MEMBER)


def _open_plain(content: BinaryIO) -> TarStream:
    return PlainStream(content, _FIRST_MEMBER)


#: how a stream may be unpacked, in the library's order, and the errors after which it tries the next way
_WAYS: tuple[tuple[Callable[[BinaryIO], TarStream], tuple[type[Exception], ...]], ...] = (
    (_open_gzip, (DamagedError, NotGzipError)),
    (_open_bzip2, (DamagedError, OSError, EOFError)),
    (_open_lzma, (DamagedError, lzma.LZMAError, EOFError)),
    (_open_plain, (DamagedError,)),
)


def is_tar(content: BinaryIO) -> bool | Unreadable:
    """Whether a stream starts like a tar, plain or with one of the compressions that Python 3.14 reads.

    Nothing can unpack Zstandard before 3.14: a file that starts like it counts as a tar, which is no `.tar.gz` either.
    """
    for unpack, missed in _WAYS:
        content.seek(0)
        try:
            TarWalk(unpack(content)).next_member()
        except missed:
            continue
        except Exception as error:  # noqa: BLE001 - a hostile header can raise anything
            return Unreadable.of(error, ())
        return True
    content.seek(0)
    return content.read(len(_ZSTANDARD)) == _ZSTANDARD


def read_tar(content: BinaryIO, visit: MemberVisitor | None = None) -> TarContents | Unreadable:
    """Read a `.tar.gz` to its end; `visit` receives the bytes of every regular file."""
    pass_ = _Pass(GzipStream(content, max(UNPACKED, UNPACKED_TIMES * content.seek(0, 2))), visit)
    try:
        pass_.read()
    except NotGzipError as error:  # the server expects a file that is not gzip, but not a wrong checksum later on
        return Unreadable.of(error, () if pass_.contents.names else (NotGzipError,))
    except Exception as error:  # noqa: BLE001 - a hostile header can raise anything
        return Unreadable.of(error, _CAUGHT)
    pass_.read_odd_members()
    return pass_.contents


class _Pass:
    """One pass over a tar."""

    def __init__(self, stream: GzipStream, visit: MemberVisitor | None) -> None:
        self._stream = stream
        self._walk = TarWalk(stream)
        self._visit = visit or (lambda *_: None)
        self.contents = TarContents()
        #: regular files whose data are not where the headers around them leave room
        self._odd: list[TarMember] = []

    def read(self) -> None:
        """Read all headers, and the data between them."""
        contents = self.contents
        while (member := self._walk.next_member()) is not None:
            contents.names.append(member.name)
            contents.sizes.append(member.size if member.is_regular else None)
            contents.names_length += len(member.name)
            if len(contents.names) > MEMBERS or contents.names_length > NAMES:
                raise BombError(f"more than {MEMBERS} members")
            contents.sparse |= member.sparse
            if member.sparse or not member.is_regular:
                continue
            if member.size < 0 or member.data_at + member.size > self._walk.offset:
                self._odd.append(member)
            elif self._walk.offset <= LARGEST_OFFSET:  # else the walk fails before it comes to the data
                self._read_member(member)
        contents.cut = self._walk.cut

    def read_odd_members(self) -> None:
        """Read the members whose size contradicts the positions of the headers, where the size says they are."""
        for member in self._odd:
            if member.size > SEARCHED or not (self._is_info(member) or is_searched(member.name)):
                continue
            try:
                if member.size > 0:
                    self._stream.seek(member.data_at)
                self._read_member(member)
            except Exception as error:  # noqa: BLE001 - as above
                if is_searched(member.name):
                    self.contents.protector = Unreadable.of(error, _CAUGHT)
                    return

    def _read_member(self, member: TarMember) -> None:
        is_info = self._is_info(member)
        if not is_info and (member.size > SEARCHED or not is_searched(member.name)):
            self._pass_on(member)
            return
        data = self._read_data(min(max(0, member.size), ONE_FILE))
        if member.size > ONE_FILE and self._read_data(1):
            raise BombError(f"{member.name!r} is larger than {ONE_FILE // MIB} MiB")
        if is_info:
            self.contents.pkg_info[member.name] = data
        else:
            self.contents.protector = self.contents.protector or find_protector(data)
        self._visit(member.name, data, False)

    def _pass_on(self, member: TarMember) -> None:
        left, more = member.size, True
        while more:
            data = self._read_data(min(left, _CHUNK))
            left -= len(data)
            more = left > 0
            self._visit(member.name, data, more)

    def _read_data(self, size: int) -> bytes:
        data = self._stream.read(size) if size else b""
        if len(data) < size:
            raise DamagedError("unexpected end of data")
        return data

    def _is_info(self, member: TarMember) -> bool:
        """Whether it may be in the directory that all members share, which is known only at the end."""
        directory, first = member.name.removesuffix("PKG-INFO"), f"{self.contents.names[0]}/"
        found = member.name.endswith("/PKG-INFO") and first.startswith(directory)
        return found and (member.name in self.contents.pkg_info or len(self.contents.pkg_info) < PKG_INFO)

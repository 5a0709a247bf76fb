"""Readers for untrusted zip and tar files: nothing is extracted; every read, memory and time are bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, BinaryIO, cast

from release.acceptance.archive_limits import (
    CENTRAL_DIRECTORY,
    MEMBERS,
    MIB,
    NAMES,
    ONE_FILE,
    UNPACKED,
    UNPACKED_TIMES,
    BombError,
    Unreadable,
)
from release.acceptance.protected_code import SEARCHED, find_protector, is_searched
from release.acceptance.zip_framing import directory_size
from release.core.models.distribution import MemberVisitor

#: what the server catches while it reads a member
_CAUGHT_IN_ZIP = (zipfile.BadZipFile, zlib.error)
_ZIP_CHUNK = 1 * MIB


@dataclass(frozen=True, slots=True)
class ZipContents:
    """An open zip."""

    archive: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        return self.archive.namelist()

    @property
    def members(self) -> Sequence[zipfile.ZipInfo]:
        """The members according to the central directory, in order."""
        return self.archive.infolist()

    def read(self, name: str) -> bytes | Unreadable | None:
        """A member's bytes; None where there is no such member."""
        try:
            info = self.archive.getinfo(name)
        except KeyError:
            return None
        data = self._read(info, limit=ONE_FILE + 1)
        if isinstance(data, bytes) and len(data) > ONE_FILE:
            return Unreadable(kind="bomb", reason=f"{name!r} is larger than {ONE_FILE // MIB} MiB")
        return data

    def protector(self, visit: MemberVisitor | None = None) -> str | Unreadable | None:
        """The product that encrypted some of the code, or what failed during the search for one.

        Stops there; `visit` receives the code up to that point.
        """
        left = UNPACKED
        for info in self.members:
            if info.is_dir() or not is_searched(info.filename):
                continue
            left -= info.file_size
            if left < 0:
                return Unreadable(kind="bomb", reason=f"the code unpacks to more than {UNPACKED // MIB} MiB")
            last = self.archive.getinfo(info.filename)  # of several with the same name, the index reads the last
            small = last.file_size <= SEARCHED
            data = self._read(last, limit=SEARCHED) if small else self._drain(last, visit)
            if isinstance(data, Unreadable):
                return data
            if small and visit is not None:
                visit(last.filename, data, False)
            if found := find_protector(data):
                return found
        return None

    def damaged(self, visit: MemberVisitor | None = None) -> Iterator[tuple[str, str]]:
        """Path and error of each member, code excepted, whose bytes do not match the central directory.

        `protector` has read the code already. Stops at a limit of bytes; `visit` receives all members.
        """
        left = UNPACKED
        for info in self.members:
            if is_searched(info.filename):
                continue
            left -= info.file_size
            if left < 0:
                return
            data = self._drain(info, visit)
            if isinstance(data, Unreadable):
                yield info.filename, data.reason

    def _read(self, info: zipfile.ZipInfo, *, limit: int) -> bytes | Unreadable:
        whole = self._whole(info)
        if whole is not None:
            return whole[:limit]
        try:
            with self.archive.open(info) as stream:
                data = stream.read(limit)
                stream.read(1)  # the checksum is compared at the end
                return data
        except Exception as error:  # noqa: BLE001 - a hostile zip raises anything: struct.error, OverflowError, …
            return Unreadable.of(error, _CAUGHT_IN_ZIP)

    def _drain(self, info: zipfile.ZipInfo, visit: MemberVisitor | None = None) -> bytes | Unreadable:
        visit = (lambda *_: None) if visit is None or info.is_dir() else visit
        whole = self._whole(info)
        if whole is not None:
            visit(info.filename, whole, False)
            return b""
        try:
            with self.archive.open(info) as stream:
                piece = stream.read(_ZIP_CHUNK)
                while piece:
                    following = stream.read(_ZIP_CHUNK)
                    visit(info.filename, piece, bool(following))
                    piece = following
        except Exception as error:  # noqa: BLE001 - as above
            return Unreadable.of(error, _CAUGHT_IN_ZIP)
        return b""

    def _whole(self, info: zipfile.ZipInfo) -> bytes | None:
        """The bytes of a small, ordinary member; None leaves the member, and its errors, to the library.

        The library spends more time on opening a small member than on reading it.
        Source: PKWARE APPNOTE 6.3.10, 4.3.7 (local header).
        """
        stream, at = self.archive.fp, info.header_offset
        if max(info.compress_size, info.file_size) > _ZIP_CHUNK or info.flag_bits & _UNUSUAL_FLAGS:
            return None
        if stream is None or not 0 <= at < _FARTHEST:
            return None
        stream.seek(at)
        header = stream.read(_LOCAL.size)
        if len(header) < _LOCAL.size:
            return None
        signature, name_size, extra_size = _LOCAL.unpack(header)
        if signature != b"PK\x03\x04" or not info.orig_filename.isascii():
            return None
        packed = stream.read(name_size + extra_size + info.compress_size)
        if packed[:name_size] != info.orig_filename.encode():
            return None
        return _unpacked(info, packed[name_size + extra_size :])


#: encrypted, patched, strongly encrypted
_UNUSUAL_FLAGS = 0x1 | 0x20 | 0x40
_LOCAL = struct.Struct("<4s22xHH")
#: bytes; no member starts this far into a file
_FARTHEST = 1 << 62


def _unpacked(info: zipfile.ZipInfo, packed: bytes) -> bytes | None:
    """The bytes, if their number and their checksum match the central directory."""
    data = packed
    if info.compress_type == zipfile.ZIP_DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = unpacker.decompress(packed, info.file_size + 1)
        except zlib.error:
            return None
        if not unpacker.eof:
            return None
    elif info.compress_type != zipfile.ZIP_STORED:
        return None
    return data if len(data) == info.file_size and zlib.crc32(data) == info.CRC else None


def open_zip(content: BinaryIO) -> ZipContents | Unreadable | None:
    """Open the zip in a stream; None where the stream is not a zip."""
    try:
        if not zipfile.is_zipfile(content):
            return None
        if CENTRAL_DIRECTORY < directory_size(content) <= content.seek(0, 2):
            return Unreadable(
                kind="bomb", reason=f"the central directory is larger than {CENTRAL_DIRECTORY // MIB} MiB"
            )
        return ZipContents(zipfile.ZipFile(content))
    except (zipfile.BadZipFile, OSError, ValueError):
        return None  # Python 3.14, which the index runs on, is stricter and does not take this for a zip
    except Exception as error:  # noqa: BLE001 - NotImplementedError, struct.error, …: the server fails likewise
        return Unreadable.of(error, _CAUGHT_IN_ZIP)


#: what the server catches while it reads a tar
_CAUGHT_IN_TAR = (tarfile.ReadError, EOFError, zlib.error)
#: bytes read at a time
_TAR_CHUNK = MIB // 4
#: bytes read in search of the first member
_FIRST_MEMBER = 64 * MIB


@dataclass(slots=True)
class TarContents:
    """What one pass over a `.tar.gz` found."""

    #: path of every member, in order
    names: list[str] = field(default_factory=list)
    #: bytes of every member, in the same order; None for one that is not a regular file
    sizes: list[int | None] = field(default_factory=list)
    #: whether any member is sparse
    sparse: bool = False
    #: the product that encrypted some of the code
    protector: str | None = None
    #: path → bytes of each regular file PKG-INFO one level deep; of duplicates, the last
    pkg_info: dict[str, bytes] = field(default_factory=dict)
    #: bytes of all paths
    names_length: int = 0


class _Metered:
    """A stream that only goes forward, in small steps, and ends at a limit of bytes."""

    def __init__(self, stream: IO[bytes], budget: int) -> None:
        self._stream = stream
        self._left = budget
        self._at = 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= ONE_FILE:
            raise BombError(f"a header of {size} bytes")
        data = self._stream.read(size)
        self._at += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise BombError("the archive unpacks to far more than its size")
        return data

    def seek(self, to: int) -> int:
        if to < self._at:
            raise tarfile.ReadError("a header points backwards")
        while self._at < to and self.read(min(_TAR_CHUNK, to - self._at)):
            pass
        return self._at


def is_tar(content: BinaryIO) -> bool | Unreadable:
    """Whether a stream starts like a tar, plain or with one of the usual compressions."""
    for unpack in (None, _gzip, bz2.BZ2File, lzma.LZMAFile):
        content.seek(0)
        try:
            with _open(unpack(content) if unpack else content, _FIRST_MEMBER):
                return True
        except (tarfile.TarError, OSError, lzma.LZMAError):
            continue
        except EOFError as error:
            if unpack is _gzip:  # the only format for which the library does not catch it, and the server fails
                return Unreadable.of(error, ())
        except Exception as error:  # noqa: BLE001 - a hostile header can raise anything
            return Unreadable.of(error, _CAUGHT_IN_TAR)
    return False


def _gzip(content: BinaryIO) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=content, mode="rb"))


def _open(stream: IO[bytes], budget: int) -> tarfile.TarFile:
    # tarfile uses only what _Metered provides
    return tarfile.open(fileobj=cast("IO[bytes]", _Metered(stream, budget)), mode="r:")


def read_tar(content: BinaryIO, visit: MemberVisitor | None = None) -> TarContents | Unreadable:
    """Read a `.tar.gz` to its end; `visit` receives the bytes of every regular file."""
    budget = max(UNPACKED, UNPACKED_TIMES * content.seek(0, 2))
    content.seek(0)
    contents = TarContents()
    try:
        with _gzip(content) as stream, _open(stream, budget) as tar:
            while (member := tar.next()) is not None:
                _scan_member(tar, member, contents, visit)
                tar.members.clear()  # type: ignore[attr-defined] # else every header stays in memory
    except gzip.BadGzipFile as error:  # the server expects a file that is not gzip, but not a wrong checksum
        return Unreadable.of(error, () if contents.names else (OSError,))
    except Exception as error:  # noqa: BLE001 - a hostile header can raise anything
        return Unreadable.of(error, _CAUGHT_IN_TAR)
    return contents


def _scan_member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, contents: TarContents, visit: MemberVisitor | None
) -> None:
    contents.names.append(member.name)
    contents.sizes.append(member.size if member.isreg() else None)
    contents.names_length += len(member.name)
    if len(contents.names) > MEMBERS or contents.names_length > NAMES:
        raise BombError(f"more than {MEMBERS} members")
    if member.size < 0:
        raise tarfile.ReadError("a member of negative size")
    if member.issparse():
        contents.sparse = True
        return
    is_info = member.isreg() and member.name.count("/") == 1 and member.name.endswith("/PKG-INFO")
    if is_info or (member.isreg() and member.size <= SEARCHED and is_searched(member.name)):
        if member.size > ONE_FILE:
            raise BombError(f"{member.name!r} is larger than {ONE_FILE // MIB} MiB")
        stream = tar.extractfile(member)
        data = stream.read() if stream is not None else b""
        if is_info:
            contents.pkg_info[member.name] = data
        else:
            contents.protector = contents.protector or find_protector(data)
        if visit is not None:
            visit(member.name, data, False)
    elif member.isreg() and visit is not None:
        stream, left, more = tar.extractfile(member), member.size, True
        while more and stream is not None:
            piece = stream.read(_TAR_CHUNK)
            left -= len(piece)
            more = left > 0 and bool(piece)
            visit(member.name, piece, more)

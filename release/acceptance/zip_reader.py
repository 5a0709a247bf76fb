"""A zip of unknown content, read defensively: nothing is extracted, every read is bounded."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from release.acceptance.archive_limits import CENTRAL_DIRECTORY, MIB, ONE_FILE, UNPACKED, Broken
from release.acceptance.protected_code import SEARCHED, is_searched, protector
from release.core.models.distribution import MemberVisitor

#: the longest comment, and the end record itself
_TAIL = 0xFFFF + 22
_CHUNK = 1 * MIB


@dataclass(frozen=True, slots=True)
class ZipContents:
    """An open zip."""

    archive: zipfile.ZipFile

    @property
    def names(self) -> list[str]:
        return self.archive.namelist()

    @property
    def unpacked(self) -> int:
        """Bytes that the members claim to unpack to."""
        return sum(info.file_size for info in self.archive.infolist())

    @property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Name as written in the central directory → bytes compressed, bytes unpacked."""
        return {info.orig_filename: (info.compress_size, info.file_size) for info in self.archive.infolist()}

    def compression_is_usual(self) -> bool:
        usual = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        return all(info.compress_type in usual for info in self.archive.infolist())

    def read(self, name: str) -> bytes | Broken | None:
        """A member's bytes; None where there is no such member."""
        try:
            info = self.archive.getinfo(name)
        except KeyError:
            return None
        got = self._read(info, limit=ONE_FILE + 1)
        if isinstance(got, bytes) and len(got) > ONE_FILE:
            return Broken(how="bomb", why=f"{name!r} is larger than {ONE_FILE // MIB} MiB")
        return got

    def protected(self, visit: MemberVisitor | None = None) -> str | Broken | None:
        """The product that protected some code in here, or what broke while we looked for one.

        Ends there; `visit` is shown the code up to that.
        """
        left = UNPACKED
        for info in self.archive.infolist():
            if info.is_dir() or not is_searched(info.filename):
                continue
            left -= info.file_size
            if left < 0:
                return Broken(how="bomb", why=f"the code unpacks to more than {UNPACKED // MIB} MiB")
            last = self.archive.getinfo(info.filename)  # of several with one name, the index sees the last
            small = last.file_size <= SEARCHED
            got = self._read(last, limit=SEARCHED) if small else self._drain(last, visit)
            if isinstance(got, Broken):
                return got
            if small and visit is not None:
                visit(last.filename, got, False)
            if found := protector(got):
                return found
        return None

    def damaged(self, visit: MemberVisitor | None = None) -> Iterator[tuple[str, str]]:
        """Each member besides code whose bytes don't come out as the directory says, and why.

        Code is read by `protected` already. Ends at a limit of bytes. `visit` is shown them all.
        """
        left = UNPACKED
        for info in self.archive.infolist():
            if is_searched(info.filename):
                continue
            left -= info.file_size
            if left < 0:
                return
            got = self._drain(info, visit)
            if isinstance(got, Broken):
                yield info.filename, got.why

    def _read(self, info: zipfile.ZipInfo, *, limit: int) -> bytes | Broken:
        whole = self._whole(info)
        if whole is not None:
            return whole[:limit]
        try:
            with self.archive.open(info) as stream:
                data = stream.read(limit)
                stream.read(1)  # the checksum is compared at the end
                return data
        except Exception as error:  # noqa: BLE001 - a hostile zip raises anything: struct.error, OverflowError, …
            return _broken(error)

    def _drain(self, info: zipfile.ZipInfo, visit: MemberVisitor | None = None) -> bytes | Broken:
        visit = _unseen if visit is None or info.is_dir() else visit
        whole = self._whole(info)
        if whole is not None:
            visit(info.filename, whole, False)
            return b""
        try:
            with self.archive.open(info) as stream:
                piece = stream.read(_CHUNK)
                while piece:
                    following = stream.read(_CHUNK)
                    visit(info.filename, piece, bool(following))
                    piece = following
        except Exception as error:  # noqa: BLE001 - as above
            return _broken(error)
        return b""

    def _whole(self, info: zipfile.ZipInfo) -> bytes | None:
        """A small member with nothing odd about it; None leaves it to the library, and the verdict too.

        The library spends more time on opening a small member than on its bytes.
        Source: PKWARE APPNOTE 6.3.10, 4.3.7 (local header).
        """
        stream, at = self.archive.fp, info.header_offset
        if max(info.compress_size, info.file_size) > _CHUNK or info.flag_bits & _UNUSUAL_FLAGS:
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


def _unseen(_path: str, _piece: bytes, _more: bool) -> None:
    """Nobody looks."""


#: encrypted, patched, strongly encrypted
_UNUSUAL_FLAGS = 0x1 | 0x20 | 0x40
_LOCAL = struct.Struct("<4s22xHH")
#: bytes; the position of no member
_FARTHEST = 1 << 62


def _unpacked(info: zipfile.ZipInfo, packed: bytes) -> bytes | None:
    """The bytes, where they are as many as promised and have the right checksum."""
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


def _broken(error: Exception) -> Broken:
    caught = isinstance(error, (zipfile.BadZipFile, zlib.error))
    return Broken(how="caught" if caught else "uncaught", why=str(error) or type(error).__name__)


def open_zip(content: BinaryIO) -> ZipContents | Broken | None:
    """The zip in a stream; None where it is none."""
    try:
        if not zipfile.is_zipfile(content):
            return None
        if CENTRAL_DIRECTORY < _directory_size(content) <= content.seek(0, 2):
            return Broken(how="bomb", why=f"the directory is larger than {CENTRAL_DIRECTORY // MIB} MiB")
        return ZipContents(zipfile.ZipFile(content))
    except (zipfile.BadZipFile, OSError, ValueError):
        return None  # Python 3.14, which the index runs on, looks closer and calls this no zip
    except Exception as error:  # noqa: BLE001 - NotImplementedError, struct.error, …: the server breaks likewise
        return _broken(error)


def _directory_size(content: BinaryIO) -> int:
    """Bytes of the central directory, as the end records say.

    Source: PKWARE APPNOTE 6.3.10, 4.3.14 to 4.3.16.
    """
    start = max(0, content.seek(0, 2) - _TAIL)
    content.seek(start)
    tail = content.read(_TAIL)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 16:
        return 0
    (size,) = struct.unpack_from("<L", tail, end + 12)
    locator = tail[max(0, end - 20) : end]
    if len(locator) == 20 and locator.startswith(b"PK\x06\x07"):  # noqa: PLR2004 - its length
        content.seek(struct.unpack_from("<Q", locator, 8)[0])
        record = content.read(48)
        if len(record) == 48 and record.startswith(b"PK\x06\x06"):  # noqa: PLR2004 - its length
            (size,) = struct.unpack_from("<Q", record, 40)
    return int(size)

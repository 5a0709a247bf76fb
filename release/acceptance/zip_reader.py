"""Reader for untrusted zip files: nothing is extracted; every read, memory and time are bounded."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from release.acceptance.archive_limits import CENTRAL_DIRECTORY, MIB, ONE_FILE, UNPACKED, Unreadable
from release.acceptance.protected_code import SEARCHED, find_protector, is_searched
from release.acceptance.zip_framing import directory_size
from release.core.models.distribution import MemberVisitor

#: what the server catches while it reads a member
_CAUGHT = (zipfile.BadZipFile, zlib.error)
_CHUNK = 1 * MIB


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
            return Unreadable.of(error, _CAUGHT)

    def _drain(self, info: zipfile.ZipInfo, visit: MemberVisitor | None = None) -> bytes | Unreadable:
        visit = (lambda *_: None) if visit is None or info.is_dir() else visit
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
            return Unreadable.of(error, _CAUGHT)
        return b""

    def _whole(self, info: zipfile.ZipInfo) -> bytes | None:
        """The bytes of a small, ordinary member; None leaves the member, and its errors, to the library.

        The library spends more time on opening a small member than on reading it.
        Source: PKWARE APPNOTE 6.3.10, 4.3.7 (local header).
        """
        stream, at = self.archive.fp, info.header_offset
        if max(info.compress_size, info.file_size) > _CHUNK or info.flag_bits & _UNUSUAL_FLAGS:
            return None
        if stream is None or not 0 <= at < 1 << 62:  # no member starts this far into a file
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
        return Unreadable.of(error, _CAUGHT)

"""Reader for untrusted tar files: nothing is extracted; every read, memory and time are bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import IO, BinaryIO, cast

from release.acceptance.archive_limits import (
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
from release.core.models.distribution import MemberVisitor

#: what the server catches while it reads a tar
_CAUGHT = (tarfile.ReadError, EOFError, zlib.error)
#: bytes read at a time
_CHUNK = MIB // 4
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
        while self._at < to and self.read(min(_CHUNK, to - self._at)):
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
            return Unreadable.of(error, _CAUGHT)
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
        return Unreadable.of(error, _CAUGHT)
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
            piece = stream.read(_CHUNK)
            left -= len(piece)
            more = left > 0 and bool(piece)
            visit(member.name, piece, more)

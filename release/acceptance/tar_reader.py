"""A tar of unknown content, read once from front to back: nothing is extracted, memory and time are bounded."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, BinaryIO, cast

from release.acceptance.archive_limits import MEMBERS, MIB, NAMES, ONE_FILE, UNPACKED, UNPACKED_TIMES, BombError, Broken
from release.acceptance.protected_code import SEARCHED, is_searched, protector
from release.core.models.distribution import MemberVisitor

#: bytes skipped at a time
_CHUNK = MIB // 4
#: bytes read to find the first member
_FIRST_MEMBER = 64 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class TarContents:
    """What one reading of a `.tar.gz` tells."""

    #: of every member, in order
    names: tuple[str, ...]
    #: bytes of every member, in the same order; None for what is no regular file
    sizes: tuple[int | None, ...]
    #: whether some member is sparse
    sparse: bool
    #: the product that protected some code in here
    protected: str | None
    #: path → bytes of each regular file called PKG-INFO directly below the top; of doubles, the last
    pkg_info: Mapping[str, bytes]


@dataclass(slots=True)
class _Seen:
    names: list[str] = field(default_factory=list)
    sizes: list[int | None] = field(default_factory=list)
    length: int = 0
    sparse: bool = False
    protected: str | None = None
    pkg_info: dict[str, bytes] = field(default_factory=dict)


class _Metered:
    """A stream that only goes forward, in small steps, and not for ever."""

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
            raise BombError("it unpacks to far more than its size")
        return data

    def seek(self, to: int) -> int:
        if to < self._at:
            raise tarfile.ReadError("a header points backwards")
        while self._at < to and self.read(min(_CHUNK, to - self._at)):
            pass
        return self._at


def is_tar(content: BinaryIO) -> bool | Broken:
    """Whether a stream begins as a tar does, plain or compressed in a usual way."""
    for unpack in (_plain, _gzip, bz2.BZ2File, lzma.LZMAFile):
        content.seek(0)
        try:
            with _open(unpack(content), _FIRST_MEMBER):
                return True
        except (tarfile.TarError, OSError, lzma.LZMAError):
            continue
        except EOFError as error:
            if unpack is _gzip:  # the one format for which the library lets it through, and the server breaks
                return _broken(error, caught=())
        except Exception as error:  # noqa: BLE001 - whatever a hostile header makes of the parser
            return _broken(error)
    return False


def _plain(content: BinaryIO) -> IO[bytes]:
    return content


def _gzip(content: BinaryIO) -> IO[bytes]:
    return cast("IO[bytes]", gzip.GzipFile(fileobj=content, mode="rb"))


def _open(stream: IO[bytes], budget: int) -> tarfile.TarFile:
    # tarfile needs no more of a file than _Metered has
    return tarfile.open(fileobj=cast("IO[bytes]", _Metered(stream, budget)), mode="r:")


def read_tar(content: BinaryIO, visit: MemberVisitor | None = None) -> TarContents | Broken:
    """Read a `.tar.gz` to its end; `visit` is shown every regular file in it."""
    budget = max(UNPACKED, UNPACKED_TIMES * content.seek(0, 2))
    content.seek(0)
    seen = _Seen()
    try:
        with _gzip(content) as stream, _open(stream, budget) as tar:
            while (member := tar.next()) is not None:
                _look(tar, member, seen, visit)
                tar.members.clear()  # type: ignore[attr-defined] # else every header stays in memory
    except gzip.BadGzipFile as error:  # no gzip at all is expected, a wrong checksum at the end is not
        return _broken(error, caught=() if seen.names else (OSError,))
    except Exception as error:  # noqa: BLE001 - whatever a hostile header makes of the parser
        return _broken(error)
    return TarContents(
        names=tuple(seen.names),
        sizes=tuple(seen.sizes),
        sparse=seen.sparse,
        protected=seen.protected,
        pkg_info=seen.pkg_info,
    )


def _look(tar: tarfile.TarFile, member: tarfile.TarInfo, seen: _Seen, visit: MemberVisitor | None) -> None:
    seen.names.append(member.name)
    seen.sizes.append(member.size if member.isreg() else None)
    seen.length += len(member.name)
    if len(seen.names) > MEMBERS or seen.length > NAMES:
        raise BombError(f"more than {MEMBERS} members")
    if member.size < 0:
        raise tarfile.ReadError("a member of negative size")
    if member.issparse():
        seen.sparse = True
        return
    is_info = member.isreg() and member.name.count("/") == 1 and member.name.endswith("/PKG-INFO")
    if is_info or (member.isreg() and member.size <= SEARCHED and is_searched(member.name)):
        data = _bytes(tar, member)
        if is_info:
            seen.pkg_info[member.name] = data
        else:
            seen.protected = seen.protected or protector(data)
        if visit is not None:
            visit(member.name, data, False)
    elif member.isreg() and visit is not None:
        _show(tar, member, visit)


def _show(tar: tarfile.TarFile, member: tarfile.TarInfo, visit: MemberVisitor) -> None:
    """Show a file that nothing is asked of, a piece at a time."""
    stream, left = tar.extractfile(member), member.size
    piece = b"" if stream is None else stream.read(_CHUNK)
    while stream is not None:
        left -= len(piece)
        more = left > 0 and bool(piece)
        visit(member.name, piece, more)
        if not more:
            return
        piece = stream.read(_CHUNK)


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > ONE_FILE:
        raise BombError(f"{member.name!r} is larger than {ONE_FILE // MIB} MiB")
    stream = tar.extractfile(member)
    return stream.read() if stream is not None else b""


#: what the server expects of a tar that can't be read
_CAUGHT = (tarfile.ReadError, EOFError, zlib.error)


def _broken(error: Exception, *, caught: tuple[type[Exception], ...] = _CAUGHT) -> Broken:
    why = str(error) or type(error).__name__
    if isinstance(error, BombError):
        return Broken(how="bomb", why=why)
    return Broken(how="caught" if isinstance(error, caught) else "uncaught", why=why)

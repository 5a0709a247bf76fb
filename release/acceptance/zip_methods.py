"""The bytes of a zip's members, by compression: stored, deflated, and for other tools' sake bzip2 and LZMA.

Errors are those of the `zipfile` of Python 3.14: it unpacks a deflated member as a whole, so that an error behind the
declared size counts as well, while it reads a stored member only up to that size.
Source: PKWARE APPNOTE 6.3.10, 4.4.5 and 5.8. Observed: CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from release.acceptance.archive_limits import MIB

if TYPE_CHECKING:
    import bz2
    import lzma

    from release.acceptance.zip_directory import ZipMember

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
#: bytes read and unpacked at a time
_CHUNK = 1 * MIB
#: version and size of the properties, which are three parameters in one byte and the size of the dictionary
_LZMA_HEADER = struct.Struct("<4xBL")


def unpack_member(content: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    """The unpacked bytes of a member, whose packed ones follow in the stream; more than declared if it has more.

    Raises what the library raises: EOFError, zlib.error, NotImplementedError (an unknown method), …
    """
    unpackers = {STORED: _stored, DEFLATED: _deflated, BZIP2: _bzip2, LZMA: _lzma}
    if member.method not in unpackers:
        raise NotImplementedError("That compression method is not supported")
    return unpackers[member.method](content, member)


def _packed(content: BinaryIO, size: int) -> Iterator[bytes]:
    """The packed bytes; fewer than `size` where the stream ends too early."""
    while size > 0 and (data := content.read(min(_CHUNK, size))):
        size -= len(data)
        yield data


def _stored(content: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    left, size = member.packed, member.unpacked
    for data in _packed(content, member.packed):
        yield data[:size]
        left, size = left - len(data), size - len(data)
        if size <= 0:
            return
    if left > 0:
        raise EOFError


def _deflated(content: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    left, size = member.packed, member.unpacked
    for data in _packed(content, member.packed):
        left -= len(data)
        rest = data
        while rest:
            piece = unpacker.decompress(rest, _CHUNK)
            size -= len(piece)
            yield piece
            rest = unpacker.unconsumed_tail
        if unpacker.eof:
            return
    if left <= 0:
        yield unpacker.flush()
    elif size > 0:
        raise EOFError


def _bzip2(content: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    import bz2

    return _unpacked(_packed(content, member.packed), bz2.BZ2Decompressor())


def _lzma(content: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    import lzma

    header = content.read(_LZMA_HEADER.size)
    parameters, dictionary = _LZMA_HEADER.unpack(header)
    rest, context = divmod(parameters, 9)
    filters = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": context, "lp": rest % 5, "pb": rest // 5}
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters])
    return _unpacked(_packed(content, member.packed - len(header)), unpacker)


def _unpacked(packed: Iterator[bytes], unpacker: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> Iterator[bytes]:
    for data in packed:
        yield unpacker.decompress(data, _CHUNK)
        while not (unpacker.eof or unpacker.needs_input):
            yield unpacker.decompress(b"", _CHUNK)
        if unpacker.eof:
            return

"""Read the objects of git's packs directly: each delta says what an object adds to another one, which is read before.

`git cat-file` would write every version of every file into a pipe, which takes longer than to create it from its
delta, and what differs from the version before would have to be found again. What this module cannot read is left to
git: other versions of the format, damaged packs, large objects. Source: gitformat-pack(5)
"""

from __future__ import annotations

import functools
import mmap
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from release.adapters.git.deltas import LARGEST_OBJECT, PackError, apply_delta
from release.adapters.git.pack_index import PackIndex

#: bytes; larger deltas are left to git
_LARGEST_DELTA = 1 << 20
#: Compressed bytes that are unpacked at once, although the stated size may be wrong: they cannot become more than 4 MB,
#: because deflate makes at most 1032 bytes of one. Source: zlib's "Technical Details"
_SMALL = 4096
#: bytes of objects that are kept, because others may be deltas of them
_CACHE_SIZE = 32 << 20
#: The most deltas that are applied for one object, besides those of kept ones. Git creates chains of up to 50.
_DEEPEST = 100
_PACK_HEADS = b"PACK\0\0\0\x02", b"PACK\0\0\0\x03"
_TYPES = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_BY_OFFSET, _BY_NAME = 6, 7
#: the bit that says that more bytes of a number follow
_MORE = 0x80
#: instead of the number of a base: the object is whole; it is left to git
_WHOLE, _UNREADABLE = -1, -2


class PackedObject(Struct, gc=False):
    """An object of a pack."""

    #: the number of the object in its pack, by its offset
    number: int
    #: "blob", "tree", "commit" or "tag"
    type: str
    data: bytes
    #: the number of the object that this one is a delta of; -1 if it is whole
    base: int
    #: what differs from the base, with some bytes around it; without a base, all bytes
    changed: bytes


class Pack:
    """A pack and its index. Raises `PackError` or `OSError` where it must be left to git."""

    def __init__(self, path: Path, width: int) -> None:
        """`path`: that of the index; `width`: the length of an object's name in bytes, 20 or 32."""
        self.index = index = PackIndex(path, width)
        self._width = width
        with path.with_suffix(".pack").open("rb") as stream:
            if stream.seek(0, 2) < 12 + width:
                raise PackError("the pack is truncated")
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        count = int.from_bytes(self._data[8:12], "big")
        if self._data[:8] not in _PACK_HEADS or count != len(index) or self._data[-width:] != index.checksum:
            raise PackError("the pack is not that of the index")
        self._ends = array("Q", [*index.offsets[1:], len(self._data) - width])
        #: by number: the bytes of its head, the size that it unpacks to, and the number of its base
        self._heads, self._sizes, self._bases = array("B"), array("Q"), array("q")
        for number in range(count):
            head, size, base = self._head(number)
            self._heads.append(head)
            self._sizes.append(size)
            self._bases.append(base)
        #: the numbers of all objects, each after its base, and as near to it as possible
        self.order = _family_order(self._bases)

    def read(self, first: int, last: int) -> Iterator[PackedObject | int]:
        """The objects at these places of the order; of those that are left to git, the numbers."""
        #: type and bytes by number; the one that was used last is the last
        kept = _Kept()
        for number in self.order[first:last]:
            base = self._bases[number]
            try:
                if base == _WHOLE:
                    kind, data = self._whole(number)
                    changed = data
                else:
                    kind, before = self._base(base, kept)
                    data, changed = apply_delta(self._unpacked(number, _LARGEST_DELTA), before)
            except (PackError, zlib.error, IndexError):
                yield number
                continue
            kept.add(number, (kind, data))
            yield PackedObject(number, kind, data, base, changed)

    def _base(self, number: int, kept: _Kept) -> tuple[str, bytes]:
        """Type and bytes of an object that another is a delta of; it may be one itself."""
        if number == _UNREADABLE:
            raise PackError("the object is left to git")
        known = kept.find(number)
        deltas: list[int] = []
        while known is None:
            base = self._bases[number]
            if base == _WHOLE:
                known = kept.add(number, self._whole(number))
            elif base == _UNREADABLE or len(deltas) == _DEEPEST:
                raise PackError("the object is left to git")
            else:
                deltas.append(number)
                number, known = base, kept.find(base)
        for one in reversed(deltas):
            data, _ = apply_delta(self._unpacked(one, _LARGEST_DELTA), known[1])
            known = kept.add(one, (known[0], data))
        return known

    def _whole(self, number: int) -> tuple[str, bytes]:
        kind = self._data[self.index.offsets[number]] >> 4 & 7
        return _TYPES[kind], self._unpacked(number, LARGEST_OBJECT)

    def _unpacked(self, number: int, most: int) -> bytes:
        size, start, end = self._sizes[number], self.index.offsets[number] + self._heads[number], self._ends[number]
        if size > most:
            raise PackError("the object is large")
        if end - start <= _SMALL:
            data, is_complete = zlib.decompress(self._data[start:end], bufsize=size + 1), True
        else:
            unpacker = zlib.decompressobj()
            # One byte more than there may be, so that the checksum is read, too.
            data = unpacker.decompress(self._data[start:end], size + 1)
            is_complete = unpacker.eof
        if len(data) != size or not is_complete:
            raise PackError("the object is damaged")
        return data

    def _head(self, number: int) -> tuple[int, int, int]:
        """Of an object: the bytes before its content, the size that this unpacks to, and the number of its base."""
        data, offset = self._data, self.index.offsets[number]
        try:
            byte, at = data[offset], offset + 1
            kind, size, shift = byte >> 4 & 7, byte & 0x0F, 4
            while byte >= _MORE and shift < 60:  # noqa: PLR2004 - 64 bits
                byte = data[at]
                size |= (byte & 0x7F) << shift
                at, shift = at + 1, shift + 7
            if kind == _BY_OFFSET:
                byte = data[at]
                back, at = byte & 0x7F, at + 1
                while byte >= _MORE and at < offset + 24:
                    byte = data[at]
                    back, at = (back + 1 << 7) | (byte & 0x7F), at + 1
                base = self.index.number_at(offset - back)
            elif kind == _BY_NAME:
                at += self._width
                base = self.index.number_of(data[at - self._width : at])
            else:
                base = _WHOLE if kind in _TYPES else _UNREADABLE
        except (PackError, IndexError, OverflowError):
            return 0, 0, _UNREADABLE
        return at - offset, size, base


class _Kept:
    """The objects that were used last: type and bytes by number."""

    def __init__(self) -> None:
        self._objects: dict[int, tuple[str, bytes]] = {}
        self._size = 0

    def find(self, number: int) -> tuple[str, bytes] | None:
        known = self._objects.pop(number, None)
        if known is not None:
            self._objects[number] = known  # the last one to be removed
        return known

    def add(self, number: int, one: tuple[str, bytes]) -> tuple[str, bytes]:
        objects = self._objects
        before = objects.pop(number, None)
        objects[number] = one
        self._size += len(one[1]) - (len(before[1]) if before is not None else 0)
        while self._size > _CACHE_SIZE:
            self._size -= len(objects.pop(next(iter(objects)))[1])
        return one


def _family_order(bases: array[int]) -> array[int]:
    """The numbers of objects, each after the one that it is a delta of, and before its own deltas."""
    count = len(bases)
    first, following = array("q", [-1]) * count, array("q", [-1]) * count
    for number in range(count - 1, -1, -1):
        base = bases[number]
        if base >= 0:
            following[number], first[base] = first[base], number
    order, is_there = array("Q"), bytearray(count)
    waiting = [number for number in range(count - 1, -1, -1) if bases[number] < 0]
    while waiting:
        number = waiting.pop()
        order.append(number)
        is_there[number] = 1
        if following[number] >= 0:
            waiting.append(following[number])
        if first[number] >= 0:
            waiting.append(first[number])
    # In a damaged pack, deltas may be those of each other.
    order.extend(number for number in range(count) if not is_there[number])
    return order


@functools.cache
def open_pack(path: Path, width: int) -> Pack:
    """The pack of an index, opened once: a forked process has those of its parent. Raises as `Pack` does.

    `open_pack.cache_clear()` closes all of them.
    """
    return Pack(path, width)

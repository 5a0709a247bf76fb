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
from bisect import bisect_left
from collections.abc import Iterator, Sequence
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
    #: the bounds of each part of the data that differs from the base; without a base, of all
    changes: Sequence[tuple[int, int]]


class Pack:
    """A pack and its index. Raises `PackError` or `OSError` where it must be left to git."""

    def __init__(self, path: Path, width: int) -> None:
        """`path`: that of the index; `width`: the length of an object's name in bytes, 20 or 32."""
        self.index = index = PackIndex(path, width)
        self.width = width
        with path.with_suffix(".pack").open("rb") as stream:
            if stream.seek(0, 2) < 12 + width:
                raise PackError("the pack is truncated")
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        count = int.from_bytes(self._data[8:12], "big")
        if self._data[:8] not in _PACK_HEADS or count != len(index) or self._data[-width:] != index.checksum:
            raise PackError("the pack is not that of the index")
        self._ends = array("Q", [*index.offsets[1:], len(self._data) - width])
        self._heads, self._sizes, self._bases = self._read_heads()
        #: bytes of what it stores, unpacked
        self.size = sum(self._sizes)
        self._families = families = _Families(self._bases)
        #: the numbers of all objects, each after its base, and as near to it as possible
        self.order = families.order()

    def read(self, first: int, last: int) -> Iterator[PackedObject | int]:
        """The objects at these places of the order; of those that are left to git, the numbers."""
        kept, families = _Kept(), self._families
        for number in self.order[first:last]:
            base = self._bases[number]
            try:
                if base == _WHOLE:
                    kind, data = self._whole(number)
                    changes: Sequence[tuple[int, int]] = ((0, len(data)),)
                else:
                    kind, before = kept.find(base) or self._base(base, kept)
                    data, changes = apply_delta(self._unpacked(number, _LARGEST_DELTA), before)
            except (PackError, zlib.error, IndexError):
                yield number
                continue
            if families.first[number] >= 0:
                kept.add(number, (kind, data))
            if base >= 0 and families.following[number] < 0:
                kept.remove(base)  # no other delta of it follows
            yield PackedObject(number, kind, data, base, changes)

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

    def _read_heads(self) -> tuple[array[int], array[int], array[int]]:
        """By number: the bytes before an object's content, the size that this unpacks to, and the number of its base.

        One loop over all objects, for speed: none can be read before it ends.
        """
        data, offsets, width = self._data, self.index.offsets.tolist(), self.width
        heads, sizes, bases = array("B"), array("Q"), array("q")
        for number, offset in enumerate(offsets):
            at, size, base = offset + 1, 0, _UNREADABLE
            try:
                byte = data[offset]
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
                    found = bisect_left(offsets, offset - back, 0, number)
                    base = found if offsets[found] == offset - back else _UNREADABLE
                elif kind == _BY_NAME:
                    at += width
                    base = self.index.number_of(data[at - width : at])
                elif kind in _TYPES:
                    base = _WHOLE
            except (PackError, IndexError):
                pass  # it is left to git
            heads.append(at - offset)
            sizes.append(size)
            bases.append(base)
        return heads, sizes, bases


class _Kept:
    """Objects of which others may be deltas: type and bytes by number; too many bytes, and the first is removed."""

    def __init__(self) -> None:
        self._objects: dict[int, tuple[str, bytes]] = {}
        self._size = 0
        self.find = self._objects.get

    def add(self, number: int, one: tuple[str, bytes]) -> tuple[str, bytes]:
        self.remove(number)
        self._objects[number] = one
        self._size += len(one[1])
        while self._size > _CACHE_SIZE:
            self.remove(next(iter(self._objects)))
        return one

    def remove(self, number: int) -> None:
        known = self._objects.pop(number, None)
        if known is not None:
            self._size -= len(known[1])


class _Families:
    """The deltas of each object. The deltas of one are a list, of which each has the number of the following one."""

    def __init__(self, bases: array[int]) -> None:
        """`bases`: by number, the number of the object that it is a delta of; -1 and less: it is none."""
        count = len(bases)
        #: by number: the first delta of the object, and the following delta of its base; -1 where there is none
        self.first, self.following = array("q", [-1]) * count, array("q", [-1]) * count
        self._roots = array("q", (number for number, base in enumerate(bases) if base < 0))
        for number in range(count - 1, -1, -1):
            base = bases[number]
            if base >= 0:
                self.following[number], self.first[base] = self.first[base], number

    def order(self) -> array[int]:
        """The numbers of objects, each after the one that it is a delta of, and before its own deltas."""
        first, following, waiting = self.first, self.following, self._roots[::-1]
        order, is_there = array("Q"), bytearray(len(first))
        while waiting:
            number = waiting.pop()
            order.append(number)
            is_there[number] = 1
            if following[number] >= 0:
                waiting.append(following[number])
            if first[number] >= 0:
                waiting.append(first[number])
        # In a damaged pack, deltas may be those of each other.
        order.extend(number for number, there in enumerate(is_there) if not there)
        return order


@functools.cache
def open_pack(path: Path, width: int) -> Pack:
    """The pack of an index, opened once: a forked process has those of its parent. Raises as `Pack` does.

    `open_pack.cache_clear()` closes all of them.
    """
    return Pack(path, width)

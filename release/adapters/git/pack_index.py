"""Read the index of a git pack: the names of its objects, and where each begins.

Source: gitformat-pack(5), "Version 2 pack-*.idx files"
"""

from __future__ import annotations

import functools
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, starmap
from operator import le
from pathlib import Path
from struct import iter_unpack

from release.adapters.git.deltas import PackError

_MAGIC = b"\xfftOc\0\0\0\x02"
_FANOUT = len(_MAGIC) + 4 * 256
#: the bit of a small offset that refers to the table of large ones
_LARGE_OFFSET = 1 << 31


class PackIndex:
    """The names and offsets of the objects of a pack. Raises `PackError` or `OSError`."""

    def __init__(self, path: Path, width: int) -> None:
        """`width`: the length of an object's name in bytes, 20 or 32."""
        data = path.read_bytes()
        count = int.from_bytes(data[_FANOUT - 4 : _FANOUT], "big")
        names_end = _FANOUT + count * width
        small_at, large_at, end = names_end + 4 * count, names_end + 8 * count, len(data) - 2 * width
        if not data.startswith(_MAGIC) or end < large_at or (end - large_at) % 8:
            raise PackError("another version of the index")
        self._width = width
        self._names = data[_FANOUT:names_end]
        #: the last bytes of the pack
        self.checksum = data[end : end + width]
        offsets: Sequence[int] = _integers("I", data[small_at:large_at])
        if max(offsets, default=0) >= _LARGE_OFFSET:
            offsets = _with_large(offsets, _integers("Q", data[large_at:end]))
        places = sorted(range(count), key=offsets.__getitem__)
        #: the place of each object in the table of names, by number
        self._places = array("I", places)
        #: where each object begins, by number
        self.offsets = array("Q", map(offsets.__getitem__, places))
        if not self._finds_all(_integers("I", data[len(_MAGIC) : _FANOUT])):
            raise PackError("the index is damaged")

    def _finds_all(self, fanout: array[int]) -> bool:
        """Whether git can find each object by its name: they are sorted, and counted by their first bytes."""
        is_sorted = all(starmap(le, pairwise(iter_unpack(f"{self._width}s", self._names))))
        firsts = self._names[:: self._width]
        return is_sorted and [*fanout] == [bisect_right(firsts, first) for first in range(256)]

    def __len__(self) -> int:
        return len(self._places)

    def name(self, number: int) -> str:
        """The name of an object, in hex digits."""
        return self._name_at(self._places[number]).hex()

    def names(self) -> Iterator[str]:
        """The names of all objects, in hex digits, sorted."""
        digits, size = self._names.hex(), 2 * self._width
        return (digits[at : at + size] for at in range(0, len(digits), size))

    def number_at(self, offset: int) -> int:
        """The number of the object that begins at an offset. Raises `PackError`."""
        number = bisect_left(self.offsets, offset)
        if number == len(self) or self.offsets[number] != offset:
            raise PackError("no object begins there")
        return number

    def number_of(self, name: bytes) -> int:
        """The number of an object. Raises `PackError`."""
        place = bisect_left(range(len(self)), name, key=self._name_at)
        if place == len(self) or self._name_at(place) != name:
            raise PackError("the object is not in this pack")
        return self._numbers[place]

    @functools.cached_property
    def _numbers(self) -> array[int]:
        """The number of each object, by its place in the table of names."""
        numbers = array("I", bytes(4 * len(self)))
        for number, place in enumerate(self._places):
            numbers[place] = number
        return numbers

    def _name_at(self, place: int) -> bytes:
        return self._names[place * self._width : (place + 1) * self._width]


def _with_large(offsets: Iterable[int], large: Sequence[int]) -> list[int]:
    """Offsets, of which large ones are in a table of their own. Raises `PackError`."""
    try:
        return [one if one < _LARGE_OFFSET else large[one - _LARGE_OFFSET] for one in offsets]
    except IndexError:
        raise PackError("the index is damaged") from None


def _integers(code: str, data: bytes) -> array[int]:
    """Integers of the index, which are big-endian."""
    found = array(code, data)
    if sys.byteorder == "little":
        found.byteswap()
    return found

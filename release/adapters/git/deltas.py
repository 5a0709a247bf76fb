"""Apply the deltas of git's packs, and find what an object adds to the one that it is a delta of.

Source: gitformat-pack(5), "Deltified representation"
"""

from __future__ import annotations

#: bytes of the largest object that a delta may create here
LARGEST_OBJECT = 8 << 20
#: bytes of the shortest copied part that is no change
_UNCHANGED = 512
#: for each combination of the bits that say which bytes of an offset and of a length follow: their places in it
_OFFSET_SHIFTS = tuple(tuple(8 * bit for bit in range(4) if bits >> bit & 1) for bits in range(16))
_LENGTH_SHIFTS = _OFFSET_SHIFTS[:8]


def _operands(bits: int) -> tuple[int, int, int] | None:
    """Of a command that copies: the number of bytes that follow it, and the bits of the offset, and a mask of them.

    None if it omits the lower bytes of a number.
    """
    offset, length = bits & 0x0F, bits >> 4
    if offset & offset + 1 or length & length + 1:
        return None
    width = offset.bit_count()
    return width + length.bit_count(), 8 * width, (1 << 8 * width) - 1


_OPERANDS = tuple(map(_operands, range(128)))


class PackError(Exception):
    """A pack, or an object in it, cannot be read here; git may be able to."""


def apply_delta(delta: bytes, base: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Apply a delta: the bytes of the object, and in these the bounds of each part that differs from the base.

    Where what was apart is joined, and nothing is added, the bounds of that part are equal. Raises `PackError` or
    `IndexError` where it is no delta of the base.
    """
    source, at = _length(delta, 0)
    size, at = _length(delta, at)
    if source != len(base) or size > LARGEST_OBJECT:
        raise PackError("the delta is of another object")
    parts: list[bytes | memoryview] = []
    changes: list[tuple[int, int]] = []
    view, end, total, offset, length = memoryview(base), len(delta), 0, 0, 0
    start = 0  # where the next change begins
    while at < end:
        command = delta[at]
        at += 1
        if command < 0x80:  # noqa: PLR2004 - the bit of a command that copies
            length = command
            parts.append(delta[at : at + length])
            at += length
        else:
            offset, length, at = _copied(delta, command, at)
            if offset + length > source:
                raise PackError("the delta is of another object")
            parts.append(view[offset : offset + length])
            if length >= _UNCHANGED:
                if total or offset:
                    changes.append((start, total))
                start = total + length
        total += length
        if not length or total > size:
            raise PackError("the delta is damaged")
    if total != size or at != end:
        raise PackError("the delta is damaged")
    if start < size or offset + length < source:  # else it ends with the end of the base
        changes.append((start, size))
    return b"".join(parts), changes


def _length(delta: bytes, at: int) -> tuple[int, int]:
    """A length of up to nine bytes, seven bits in each, the lowest first; and where it ends."""
    length = 0
    for shift in range(0, 63, 7):
        byte = delta[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follow
            return length, at
    raise PackError("the delta is damaged")


def _copied(delta: bytes, command: int, at: int) -> tuple[int, int, int]:
    """Offset and length that a command copies, and where the next one is; it omits the bytes that are zero."""
    operands = _OPERANDS[command & 0x7F]
    if operands is not None:
        count, bits, mask = operands
        number = int.from_bytes(delta[at : at + count], "little")
        return number & mask, number >> bits or 0x10000, at + count
    offset = length = 0
    for shift in _OFFSET_SHIFTS[command & 0x0F]:
        offset |= delta[at] << shift
        at += 1
    for shift in _LENGTH_SHIFTS[command >> 4 & 0x07]:
        length |= delta[at] << shift
        at += 1
    return offset, length or 0x10000, at

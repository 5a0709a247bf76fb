"""Apply the deltas of git's packs, and find what an object adds to the one that it is a delta of.

Source: gitformat-pack(5), "Deltified representation"
"""

from __future__ import annotations

#: bytes of the largest object that a delta may create here
LARGEST_OBJECT = 8 << 20
#: Bytes on either side of what a delta adds or joins that belong to a change: more than the longest match of a pattern
_AROUND = 1024
#: bytes of the shortest copied part that is not a change
_UNCHANGED = 4 * _AROUND
#: for each combination of the bits that say which bytes of an offset and of a length follow: their places in it
_OFFSET_SHIFTS = tuple(tuple(8 * bit for bit in range(4) if bits >> bit & 1) for bits in range(16))
_LENGTH_SHIFTS = _OFFSET_SHIFTS[:8]


class PackError(Exception):
    """A pack, or an object in it, cannot be read here; git may be able to."""


def apply_delta(delta: bytes, base: bytes) -> tuple[bytes, bytes]:
    """Apply a delta: the bytes of the object, and of these the parts that differ from the base, joined.

    Raises `PackError` or `IndexError` where it is no delta of the base.
    """
    source, at = _length(delta, 0)
    size, at = _length(delta, at)
    if source != len(base) or size > LARGEST_OBJECT:
        raise PackError("the delta is of another object")
    view, parts, total, end = memoryview(base), list[bytes | memoryview](), 0, len(delta)
    changes, start = list[tuple[int, int]](), 0  # the bounds of each change, and where the next one begins
    while at < end:
        command = delta[at]
        at += 1
        if command & 0x80:
            offset, length, at = _copied(delta, command, at)
            if offset + length > source:
                raise PackError("the delta is of another object")
            parts.append(view[offset : offset + length])
            if length > _UNCHANGED:
                if total or offset:
                    changes.append((start, total + _AROUND))
                start = total + length - _AROUND
                if at == end and offset + length == source:
                    start = size  # nothing follows
        else:
            length = command
            parts.append(delta[at : at + length])
            at += length
        total += length
        if not length or total > size:
            raise PackError("the delta is damaged")
    if total != size or at != end:
        raise PackError("the delta is damaged")
    data = b"".join(parts)
    return data, b"".join([data[first:last] for first, last in (*changes, (start, size))])


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
    offset = length = 0
    for shift in _OFFSET_SHIFTS[command & 0x0F]:
        offset |= delta[at] << shift
        at += 1
    for shift in _LENGTH_SHIFTS[command >> 4 & 0x07]:
        length |= delta[at] << shift
        at += 1
    return offset, length or 0x10000, at

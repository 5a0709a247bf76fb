"""How much of an archive is read before it counts as a bomb.

Far above anything that was ever published, low enough to end within seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB = 1024 * 1024


#: bytes that a tar may unpack to, at least; and as a multiple of its own size
UNPACKED, UNPACKED_TIMES = 1024 * MIB, 20
#: bytes of one metadata file: METADATA, PKG-INFO, RECORD, WHEEL, entry_points.txt
ONE_FILE = 32 * MIB
#: members of a tar
MEMBERS = 250_000
#: bytes of all the names in a tar
NAMES = 32 * MIB
#: bytes of a zip's central directory
CENTRAL_DIRECTORY = 10 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An archive, or a member of it, can't be read to its end."""

    #: "caught": the index refuses it in words; "uncaught": the server itself breaks over it;
    #: "bomb": we stopped reading, and so would the server
    how: Literal["caught", "uncaught", "bomb"]
    #: what happened, in the library's words
    why: str


class BombError(Exception):
    """More than the limits above."""

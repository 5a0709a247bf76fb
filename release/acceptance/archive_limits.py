"""How much of an archive is read before it counts as a decompression bomb.

Far above anything ever published, low enough to stop within seconds.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MIB = 1024 * 1024


#: bytes a tar may unpack to in any case, and as a multiple of its own size
UNPACKED, UNPACKED_TIMES = 1024 * MIB, 20
#: bytes of one metadata file: METADATA, PKG-INFO, RECORD, WHEEL, entry_points.txt
ONE_FILE = 32 * MIB
#: files PKG-INFO of a tar that are read, each one directory below another
PKG_INFO = 8
#: members of a tar
MEMBERS = 250_000
#: bytes of all member names in a tar
NAMES = 32 * MIB
#: the largest position in a stream that the library can seek to
LARGEST_OFFSET = 2**63 - 1
#: bytes of the central directory of a zip
CENTRAL_DIRECTORY = 10 * MIB


class Unreadable(Struct, frozen=True, kw_only=True):
    """An archive, or a member of it, that cannot be read to its end."""

    #: "caught": the index rejects it with a message; "uncaught": the server itself fails on it;
    #: "bomb": reading stopped at a limit, as the server's would
    kind: Literal["caught", "uncaught", "bomb"]
    #: the library's error message
    reason: str

    @classmethod
    def of(cls, error: Exception, caught: tuple[type[Exception], ...]) -> Unreadable:
        """What an exception of the library means; `caught` are those that the server catches."""
        kind: Literal["caught", "uncaught"] = "caught" if isinstance(error, caught) else "uncaught"
        return cls(kind="bomb" if isinstance(error, BombError) else kind, reason=str(error) or type(error).__name__)


class BombError(Exception):
    """The archive exceeds one of the limits above."""


class DamagedError(Exception):
    """The archive is not what the format demands, as the index's library reports it with an exception of its own."""

"""Read a tar of foreign origin with the standard library, even if its headers are wrong."""

from __future__ import annotations

import tarfile

#: bytes of the longest pax header; that of an ordinary member has some hundred
_LONGEST_HEADER = 1 << 16
#: bytes; a header that claims more is damaged
_IMPOSSIBLE = 1 << 30


class LongHeaderError(Exception):
    """A header is so long that older versions of the standard library would take hours to read it."""


class BoundedMember(tarfile.TarInfo):
    """A member whose pax headers have an ordinary length, for `tarfile.open(tarinfo=…)`.

    CPython before 3.11.10 and 3.12.6 takes quadratic time for a long one. Source: CVE-2024-6232.
    """

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.size > _IMPOSSIBLE:
            raise tarfile.ReadError("the size of a header is damaged")
        if self.size > _LONGEST_HEADER:
            raise LongHeaderError(f"it is a tar with a header of {self.size:,} bytes")
        return super()._proc_pax(archive)  # type: ignore[misc,no-any-return] # a method that subclasses may extend

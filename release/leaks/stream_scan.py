"""Searches an archive for secrets while somebody else unpacks it, so that it is unpacked once."""

from __future__ import annotations

from pathlib import Path

from release.core.models.leak import Leak, ScanResult, UnscannedFile
from release.leaks import archive_members
from release.leaks.scanner import OVERLAP, scan_bytes


class MemberScan:
    """A search of one archive, shown each member's bytes piece by piece, in their order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[Leak | UnscannedFile] = []
        #: members whose last piece has been seen
        self._count = 0
        #: the member that is being read: its line, and the bytes that the next piece may go on from
        self._line, self._tail = 1, b""
        #: whether something lies in here that takes more than a look in passing
        self._beyond = False

    def __call__(self, member: str, piece: bytes, more: bool) -> None:
        """Search a piece of a member; `more` of it follow, or none."""
        name = f"{self._path.name}!{member}"
        if not self._tail and archive_members.archive_format(piece[:512]) is not None:
            self._nested(name, piece, more)
        elif not self._beyond:
            text = self._tail + piece
            self._found += scan_bytes(text, name, first_line=self._line)
            if more:
                self._line += text.count(b"\n", 0, -OVERLAP)
                self._tail = text[-OVERLAP:]
        if not more:
            self._line, self._tail, self._count = 1, b"", self._count + 1

    def _nested(self, name: str, piece: bytes, more: bool) -> None:
        from release.leaks import file_scan

        if more:
            self._beyond = True
        else:
            found = file_scan.scan_content(piece, name)
            self._found += [*found.leaks, *found.unread]

    def searched(self, count: int) -> ScanResult:
        """What was found; of an archive of `count` members. Where not all were shown, the file is searched now.

        Raises `OSError` where it can't be read.
        """
        if self._beyond or not count or self._count != count:
            from release.leaks import file_scan

            return file_scan.scan_file(self._path, self._path.name)
        seen = dict.fromkeys(self._found)
        return ScanResult(
            leaks=tuple(one for one in seen if isinstance(one, Leak)),
            unread=tuple(one for one in seen if isinstance(one, UnscannedFile)),
            count=1,
        )

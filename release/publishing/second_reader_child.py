"""The child process that reads parts of a large zip.

It begins with the last part, while its parent reads the first ones:

    → {"path", "state"}                        the file, and its `file_state`
    ← {"is": "begun", "part"}
    ← {"is": "read", "part", "sound"}          whether all members are sound, and nothing in them is to be reported
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from release.acceptance.zip_reader import ZipContents, open_zip
from release.checks.lfs_pointers import PointerSearch
from release.leaks.file_scan import MemberScan

if TYPE_CHECKING:
    from release.publishing.own_process_child import Handler


def part_handler() -> Handler:
    """Return what handles a request."""
    return _read


def file_state(content: BinaryIO) -> list[int]:
    """What differs between two files, or where a file has changed."""
    found = os.fstat(content.fileno())
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns]


def _read(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    path = Path(request["path"])
    with path.open("rb") as content:
        archive = open_zip(content)
        if not isinstance(archive, ZipContents):
            return
        for part, numbers in reversed([*enumerate(archive.parts)]):
            yield {"is": "begun", "part": part}
            scan = MemberScan(path)
            pointers = PointerSearch(scan)
            sound = archive.are_sound(numbers, pointers) and scan.found_nothing and not pointers.found
            yield {"is": "read", "part": part, "sound": sound and file_state(content) == request["state"]}

"""Read the log of a failed run from a file or standard input; of a long log, its beginning and end."""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from release.core.errors import UsageError

#: bytes of the beginning, and of the end; the reason of a failure is in one of them
PART = 2_000_000
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log. It may contain secrets, so it is redacted before it is shown."""

    #: "standard input", or the name of the file
    name: str
    text: str
    #: total bytes
    size: int
    #: bytes in the middle that were left out
    skipped: int


def load_log(name: str) -> Log:
    """The log in a file; `-` is standard input. Raises `UsageError` where it cannot be read."""
    try:
        if name == "-":
            return _read("standard input", sys.stdin.buffer)
        with Path(name).open("rb") as stream:
            return _read(name, stream)
    except OSError as error:
        raise UsageError(
            f"cannot read {name!r}: {(error.strerror or str(error)).lower()}",
            remedy="pass the path of the log, or - and the log on standard input",
        ) from None


def _read(name: str, stream: BinaryIO) -> Log:
    head, tail, size = bytearray(), bytearray(), 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        room = PART - len(head)
        head += chunk[:room]
        tail += chunk[room:]
        if len(tail) > 2 * PART:
            del tail[:-PART]
    del tail[:-PART]
    skipped = size - len(head) - len(tail)
    cut = b"\n\n" if skipped else b""
    return Log(name=name, text=_decoded(bytes(head + cut + tail)), size=size, skipped=skipped)


def _decoded(data: bytes) -> str:
    """Text in UTF-8, or in UTF-16 as redirected by Windows PowerShell."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")

"""The output of a run that failed, from a file or a pipe: its two ends, however long it is."""

from __future__ import annotations

import codecs
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from release.core.errors import UsageError

#: bytes that are kept of the beginning, and as many of the end: what a run says of its failure stands there
PART = 2_000_000
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What was read. May hold secrets: only what passes the redactor is shown."""

    #: how to call it: "standard input", or the file's name
    name: str
    text: str
    #: bytes in all
    size: int
    #: bytes in the middle that were passed over
    skipped: int


def load_log(name: str) -> Log:
    """The log in a file; `-` is standard input. Raises UsageError where it can't be read."""
    try:
        if name == "-":
            return _read("standard input", sys.stdin.buffer)
        with Path(name).open("rb") as stream:
            return _read(name, stream)
    except OSError as error:
        raise UsageError(
            f"{name!r} can't be read: {(error.strerror or str(error)).lower()}",
            remedy="give the path of the log, or - and the log on standard input",
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
    """Text in the encodings that shells write: UTF-8, and UTF-16 where a Windows PowerShell redirected it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")

"""Read the log of a failed run, and find the lines of a long output that say why a program failed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from release.adapters.system.input_file import open_input
from release.core.decoding import decode_text, has_utf16_mark
from release.core.errors import UsageError, os_error_reason
from release.core.quoting import quote_path

#: "ValueError: …", "setuptools.errors.InvalidConfigError: …", "error: …", "ERROR …", "  cause: …"
_CAUSE = re.compile(r"(?:[\w.]*(?:Error|Exception|Exit|Interrupt)\b|error|ERROR|fatal|.*\bcause): ?\S|ERROR ")
#: lines that say that something failed, but not why
_NO_CAUSE = re.compile(
    r"subprocess-exited-with-error|metadata-generation-failed|CalledProcessError|Command '|^TIP |Request failed"
    r"|Backend (?:subprocess|operation)|BackendUnavailable|The build backend returned|Call to .* failed|Failed to build"
    r"|No solution found"
)
#: messages of pip and uv without a network. Observed: pip 23.2, uv 0.13, 2026-11
OFFLINE_PATTERN = (
    r"(?i:name resolution|name or service not known|network is unreachable|failed to (?:fetch|connect)|dns error"
    r"|connection (?:refused|reset)|connecttimeout|newconnectionerror|proxyerror|certificate verify failed)"
)
#: of programs that cannot start a process or thread. Observed: uv 0.13, CPython 3.11 to 3.13, 2026-11
PROCESS_LIMIT_PATTERN = r"can't start new thread|Resource temporarily unavailable"
#: what programs in Rust write behind the message of a panic. Observed: uv 0.13, 2026-11
_PANIC_NOTE = re.compile(r"stack backtrace:|note: .*RUST_BACKTRACE")
_FRAME = "│╰─>\u00d7\u276f \t"  # what pip and uv print around messages
#: bytes of the beginning, and of the end; the reason of a failure is in one of them
PART = 2_000_000


def cause_line(output: str) -> str:
    """The last line that names a cause, else the last line; empty where there is no output."""
    lines = [line.strip(_FRAME) for line in output.splitlines()]
    lines = [line for line in lines if line and not _PANIC_NOTE.match(line)]
    causes = [line for line in lines if _CAUSE.match(line) and not _NO_CAUSE.search(line)]
    exceptions = [line for line in causes if re.match(r"[\w.]*(?:Error|Exception)\b", line)]
    chosen = (exceptions or causes or lines or [""])[-1]
    return re.sub(r"^(?:ERROR|error|cause|fatal):? +(?:cause: )?", "", chosen)


def last_lines(output: str, lines: int = 12) -> str:
    """The last relevant lines, indented; stack frames of libraries are left out."""
    kept = [line for line in _own(output) if line.strip() and not _NO_CAUSE.search(line)][-lines:]
    return "\n".join(f"    {line}" for line in kept)


def _own(output: str) -> Iterator[str]:
    """The lines of an output without stack frames of libraries and the standard library."""
    foreign = False
    for line in output.splitlines():
        if line.startswith("Traceback"):
            continue
        if line.startswith('  File "'):
            foreign = re.search(r"site-packages|[/\\]lib[/\\]python|<frozen", line) is not None
        elif not line.startswith("    "):
            foreign = False
        if not foreign:
            yield line.rstrip()


class Log(Struct, frozen=True, kw_only=True):
    """A log. It may contain secrets, so it is redacted before it is shown."""

    #: "standard input", or the name of the file
    name: str
    text: str
    #: total bytes
    size: int
    #: bytes in the middle that were left out
    skipped: int


def load_log(name: str) -> Log:
    """The log in a file, of a long one its beginning and end; `-` is standard input. Raises `UsageError`."""
    try:
        if name == "-":
            return _read("standard input", sys.stdin.buffer)
        with open_input(Path(name)) as stream:
            return _read(name, stream)
    except OSError as error:
        raise UsageError(
            f"cannot read {quote_path(name)}: {os_error_reason(error)}",
            remedy="pass the path of the log, or - and the log on standard input",
        ) from None


def _read(name: str, stream: BinaryIO) -> Log:
    head, tail, size = bytearray(), bytearray(), 0
    while chunk := stream.read(65_536):
        size += len(chunk)
        room = PART - len(head)
        head += chunk[:room]
        tail += chunk[room:]
        if len(tail) > 2 * PART:
            del tail[:-PART]
    del tail[:-PART]
    skipped = size - len(head) - len(tail)
    if not skipped:
        return Log(name=name, text=decode_text(bytes(head + tail), "replace"), size=size, skipped=0)
    if has_utf16_mark(head):  # the end is in the same encoding
        tail[:0] = head[:2]
    text = "\n\n".join(decode_text(bytes(one), "replace") for one in (head, tail))
    return Log(name=name, text=text, size=size, skipped=skipped)

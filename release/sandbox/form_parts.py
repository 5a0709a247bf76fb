"""The parts of a multipart form, in the dialect of the index's server.

The server reads line by line. It is more lenient than RFC 7578: text around the parts is skipped, a line feed alone
ends a line, and a body that ends before its last boundary is read up to there.
Observed: WebOb 1.8.11 with legacy-cgi 2.6.4, 2026-11, which warehouse parses forms with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from email import message_from_string
from functools import lru_cache

from msgspec import Struct
from werkzeug.exceptions import RequestEntityTooLarge

#: bytes that are requested from the stream at once
_CHUNK = 256 * 1024
#: the server reads longer lines in pieces of this many bytes, also amid a character
_PIECE = 64 * 1024
#: bytes of a line outside of parts, or of one of a part's headers
_MAX_LINE = 1024 * 1024
_BOUNDARY = re.compile(rb"[ -~]{0,200}[!-~]")
_URLENCODED = "application/x-www-form-urlencoded"
#: the charset that the server takes for granted, as it spells it
DEFAULT_CHARSET = "utf8"


class FormPart(Struct, frozen=True, kw_only=True):
    """The head of one part."""

    name: str | None
    #: None where the part has no such parameter: it is text then
    filename: str | None
    #: of its Content-Type, without parameters, as written
    content_type: str
    charset: str = DEFAULT_CHARSET
    #: its Content-Transfer-Encoding, as written
    transfer_encoding: str | None = None

    @property
    def is_form(self) -> bool:
        """Whether the part itself is a form; the server then reads the rest of the body as a part of it."""
        return self.content_type == _URLENCODED or self.content_type.startswith("multipart/")


def form_parts(read: Callable[[int], bytes], boundary: bytes) -> Iterator[FormPart | bytes]:
    """Parse a body as it arrives: each part's head, followed by its data in pieces.

    `read` returns at most so many bytes, and none at the end. Text is to be decoded piece by piece, as the server does.
    Raises ValueError for an invalid boundary.
    """
    yield from _parts(_Lines(read), boundary)


def parse_options(header: str) -> tuple[str, dict[str, str]]:
    """Split the value of a header from its parameters: `form-data; name="a"`. Names are in lower case."""
    value, *parameters = _split_at_semicolons(header)
    options = {}
    for parameter in parameters:
        name, sign, text = parameter.partition("=")
        text = text.strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        if sign:
            options[name.strip().lower()] = text
    return value, options


def _split_at_semicolons(header: str) -> Iterator[str]:
    """Split a header at the semicolons outside of quotes."""
    start = quotes = 0
    for match in re.finditer(";|$", header):
        piece = header[start : match.start()]
        quotes = piece.count('"') - piece.count('\\"')
        if quotes % 2 == 0 or match.start() == len(header):
            yield piece.strip()
            start = match.end()


class _Lines:
    """The lines of a stream, with their ends."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._buffer, self._at = read, b"", 0

    def next(self, size: int = _MAX_LINE) -> bytes:
        """Return a line, or its next `size` bytes; nothing at the end."""
        while (end := self._buffer.find(b"\n", self._at, self._at + size) + 1) == 0:
            if len(self._buffer) - self._at >= size:
                end = self._at + size
                break
            chunk = self._read(_CHUNK)
            if not chunk:
                end = len(self._buffer)
                break
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        line = self._buffer[self._at : end]
        self._at = end
        return line

    def whole_lines(self, marker: bytes) -> bytes:
        """Return all whole lines that have arrived before the line with `marker`, if any has it."""
        found = self._buffer.find(marker, self._at)
        end = self._buffer.rfind(b"\n", self._at, found if found >= 0 else len(self._buffer)) + 1
        if end == 0:
            return b""
        lines, self._at = self._buffer[self._at : end], end
        return lines

    def head(self) -> str:
        """Return the lines up to an empty one, with it; nothing at the end."""
        lines: list[bytes] = []
        while line := self.next():
            lines.append(line)
            if sum(map(len, lines)) > _MAX_LINE:
                raise RequestEntityTooLarge
            if not line.strip():
                break
        return b"".join(lines).decode(errors="replace")

    def skip(self) -> None:
        while self.next():
            pass


def _parts(lines: _Lines, boundary: bytes) -> Iterator[FormPart | bytes]:
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError("invalid boundary")
    while (line := lines.next()) and line.strip() != b"--" + boundary:
        pass
    while head := lines.head():
        part, own_boundary = _parse_head(head)
        yield part
        if part.is_form:
            if part.content_type != _URLENCODED:
                for _ in _parts(lines, own_boundary):  # its boundaries may be invalid
                    pass
            lines.skip()
        elif not (yield from _data(lines, boundary, in_pieces=part.filename is None)):
            continue
        return


@lru_cache(maxsize=64)  # all forms of a client have the same heads, but for the name of the file
def _parse_head(text: str) -> tuple[FormPart, bytes]:
    """Parse the headers of a part, and the boundary of the form that it may be."""
    headers = message_from_string(text)
    _, disposition = parse_options(headers.get("Content-Disposition", ""))
    content_type, options = parse_options(headers.get("Content-Type", "text/plain"))
    part = FormPart(
        name=disposition.get("name"),
        filename=disposition.get("filename"),
        content_type=content_type,
        charset=options.get("charset", DEFAULT_CHARSET),
        transfer_encoding=headers.get("Content-Transfer-Encoding"),
    )
    return part, options.get("boundary", "").encode(errors="replace")


def _data(lines: _Lines, boundary: bytes, *, in_pieces: bool) -> Generator[bytes, None, bool]:
    """Yield the data up to a boundary, without the line end before it. Return whether no part follows.

    With `in_pieces`, yield what the server decodes at once; otherwise as much as possible.
    """
    next_part, last = b"--" + boundary, b"--" + boundary + b"--"
    line_end, starts_line = b"", True
    while line := (not in_pieces and starts_line and lines.whole_lines(next_part)) or lines.next(_PIECE):
        if line_end == b"\r":  # perhaps half of a line end, which a piece ended with
            line, line_end = line_end + line, b""
        if starts_line and line.startswith(next_part):
            marker = line.rstrip()
            if marker in {next_part, last}:
                return marker == last
        held, line_end = line_end, next((one for one in (b"\r\n", b"\n", b"\r") if line.endswith(one)), b"")
        starts_line = line_end.endswith(b"\n")
        yield held + line[: len(line) - len(line_end)]
    return True

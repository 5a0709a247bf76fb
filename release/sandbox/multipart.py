"""Parse the body of a POST as it arrives: fields into memory, the file to the disk.

Like the index, it is both more lenient and stricter than werkzeug's form parser: a body that ends before its last
boundary is parsed up to there, text that is not UTF-8 is refused, and a file in place of a field is detected.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl
from uuid import uuid4

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

_CHUNK = 256 * 1024
#: bytes of all fields together; far above the longest description
_MAX_FIELDS = 64 * 1024 * 1024
#: bytes of a form that `peek_names` reads; descriptions are shorter
_MAX_PEEK = 8 * 1024 * 1024
#: parts that may be files. Source: warehouse, `forklift/decorators.py`
_FILE_FIELDS = {"content", "gpg_signature"}


class InvalidFormError(Exception):
    """The body is not a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """The file that was uploaded with a form."""

    filename: str
    content_type: str
    path: Path
    #: open at any position; seekable
    stream: BinaryIO
    #: of what was received so far, by the names of the form's digest fields
    hashes: Mapping[str, Any] = field(
        default_factory=lambda: {
            "sha256": hashlib.sha256(),
            "blake2_256": hashlib.blake2b(digest_size=32),
            "md5": hashlib.md5(usedforsecurity=False),
        }
    )

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        for one in self.hashes.values():
            one.update(data)

    @property
    def digests(self) -> dict[str, str]:
        """Lower-case hex."""
        return {name: one.hexdigest() for name, one in self.hashes.items()}


@dataclass(slots=True, kw_only=True)
class UploadForm:
    """A posted form."""

    #: values in order; without `content`
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    content: ReceivedFile | None = None
    #: fields that were sent as files and must not be
    misplaced: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        self.fields[name] = (*self.fields.get(name, ()), value)

    def last(self, name: str) -> str | None:
        return self.fields.get(name, (None,))[-1]


@contextmanager
def receive_form(request: Request, incoming: Path, *, full: bool = False) -> Iterator[UploadForm]:
    """Receive the form of a request; its file is in `incoming` until the block ends, unless it was moved away.

    `full` simulates a full disk. Raises InvalidFormError, and OSError if the disk is full.
    """
    form = UploadForm()
    try:
        try:
            _receive(request, form, incoming, full=full)
        except (ValueError, OSError, ClientDisconnected, RequestEntityTooLarge) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk or the connection; a malformed chunk has no errno
            raise InvalidFormError from error
        yield form
    finally:
        if form.content is not None:
            form.content.stream.close()
            form.content.path.unlink(missing_ok=True)


def _receive(request: Request, form: UploadForm, incoming: Path, *, full: bool) -> None:
    stream = get_input_stream(request.environ)
    kind, options = parse_options_header(request.content_type or "")
    if kind == "multipart/form-data" and "boundary" in options:
        _receive_multipart(stream, options["boundary"].encode("latin-1", "replace"), form, incoming, full=full)
    elif kind == "application/x-www-form-urlencoded":
        text = stream.read(_MAX_FIELDS).decode()
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
            form.add(name, value)


def _receive_multipart(stream: IO[bytes], boundary: bytes, form: UploadForm, incoming: Path, *, full: bool) -> None:
    decoder = MultipartDecoder(boundary, _MAX_FIELDS, max_parts=100_000)
    left, value = _MAX_FIELDS, bytearray()
    part: object = None
    file: ReceivedFile | None = None
    for event in _events(stream.read, decoder):
        if isinstance(event, File):
            part, file = event, _new_file(event, form, incoming)
        elif isinstance(event, Field):
            part, value = event, bytearray()
        elif isinstance(event, Data) and isinstance(part, Field):
            value += event.data
            left -= len(event.data)
            if left < 0:
                raise RequestEntityTooLarge
            if not event.more_data:
                form.add(part.name or "", value.decode())
        elif isinstance(event, Data) and file is not None:
            if full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.write(event.data)


def _new_file(event: File, form: UploadForm, incoming: Path) -> ReceivedFile | None:
    """Open the form's file; None for a part whose data is to be ignored."""
    if event.name not in _FILE_FIELDS:
        form.misplaced.append(event.name or "")
        return None
    if event.name != "content" or form.content is not None:
        return None
    path = incoming / uuid4().hex
    stream = path.open("x+b")  # `receive_form` closes it
    # the default of RFC 7578, 4.4, which the index accepts too (uv sends no type)
    content_type = event.headers.get("Content-Type", "text/plain")
    form.content = ReceivedFile(filename=event.filename, content_type=content_type, path=path, stream=stream)
    return form.content


def _events(read: Callable[[int], bytes], decoder: MultipartDecoder) -> Iterator[object]:
    """Parse parts as they arrive; a body that ends before its last boundary is completed with one."""
    ended = False
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue):
            return
        if isinstance(event, (Field, File, Data)):
            yield event
        if not isinstance(event, NeedData):
            continue
        if chunk := read(_CHUNK):
            decoder.receive_data(chunk)
        elif not ended:
            ended = True
            if decoder.state.name not in {"EPILOGUE", "COMPLETE"}:
                decoder.receive_data(b"\r\n--" + decoder.boundary + b"--\r\n")
        else:
            decoder.receive_data(None)


# -- reading ahead ----------------------------------------------------------------------------------


def peek_names(environ: WSGIEnvironment) -> tuple[str | None, str | None]:
    """Return the project name and the file name in a form; None for what its beginning does not contain.

    What was read is put back into the WSGI input.
    """
    kind, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    if kind != "multipart/form-data" or "boundary" not in options:
        return None, None
    boundary = options["boundary"].encode("latin-1", "replace")
    stream, data = environ["wsgi.input"], bytearray()

    def read(size: int) -> bytes:
        chunk: bytes = stream.read1(size)
        data.extend(chunk)
        return chunk

    name, filename, in_name = bytearray(), None, False
    try:
        for event in _events(read, MultipartDecoder(boundary)):
            if isinstance(event, (Field, File)):
                in_name = event.name == "name"
                filename = event.filename if isinstance(event, File) and event.name == "content" else None
            if filename is not None or len(data) > _MAX_PEEK:
                break
            if isinstance(event, Data) and in_name:
                name += event.data
    except ValueError:  # not a form: the index will report it
        pass
    environ["wsgi.input"] = io.BufferedReader(_ReplayedStream(bytes(data), stream))
    return name.decode("utf-8", "replace") or None, filename


class _ReplayedStream(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, beginning: bytes, rest: IO[bytes]) -> None:
        self._beginning, self._rest = io.BytesIO(beginning), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._beginning.readinto(buffer) or self._rest.readinto1(buffer)  # type: ignore[attr-defined] # buffered too

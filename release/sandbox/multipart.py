"""The body of a POST, read as it arrives: fields into memory, the file to the disk.

More forgiving than werkzeug's own form parser, and stricter, as the index is: a body that ends before its last
boundary counts up to there, text that is no UTF-8 is refused, and a file in the place of a field is seen.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl
from uuid import uuid4

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder
from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

if TYPE_CHECKING:
    from _typeshed import SupportsRead

_CHUNK = 256 * 1024
#: bytes of all fields together; far above the largest description
_FIELDS = 64 * 1024 * 1024
_PARTS = 100_000
#: what a part is that does not say. Source: RFC 7578, 4.4; so the index takes it too (uv sends none)
_PLAIN = "text/plain"
#: parts that may come as files. Source: warehouse, `forklift/decorators.py`
_FILE_FIELDS = {"content", "gpg_signature"}


class InvalidFormError(Exception):
    """The body is no form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """The file that came with a form."""

    filename: str
    content_type: str
    path: Path
    #: open at any position; seekable
    stream: BinaryIO
    #: of what has arrived, by the names that the form has for digests
    hashes: Mapping[str, Any] = field(
        default_factory=lambda: {
            "sha256": hashlib.sha256(),
            "blake2_256": hashlib.blake2b(digest_size=32),
            "md5": hashlib.md5(usedforsecurity=False),
        }
    )

    @property
    def digests(self) -> dict[str, str]:
        """Lower-case hex."""
        return {name: one.hexdigest() for name, one in self.hashes.items()}


@dataclass(slots=True, kw_only=True)
class UploadForm:
    """What was posted."""

    #: values in order; `content` is not here
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    content: ReceivedFile | None = None
    #: fields that came as files and must not
    misplaced: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        self.fields[name] = (*self.fields.get(name, ()), value)

    def last(self, name: str) -> str | None:
        return self.fields.get(name, (None,))[-1]


@contextmanager
def receive_form(request: Request, incoming: Path, *, full: bool = False) -> Iterator[UploadForm]:
    """The form of a request; its file lies in `incoming` until the block ends, unless it was moved away.

    Raises UnreadableError, and OSError where the disk is full, or shall be.
    """
    form = UploadForm()
    try:
        try:
            _read(request, form, _Files(incoming, full=full))
        except (ValueError, OSError, ClientDisconnected, RequestEntityTooLarge) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk or the connection; a broken chunk has no number
            raise InvalidFormError from error
        yield form
    finally:
        if form.content is not None:
            form.content.stream.close()
            form.content.path.unlink(missing_ok=True)


def _read(request: Request, form: UploadForm, files: _Files) -> None:
    stream = get_input_stream(request.environ)
    kind, options = parse_options_header(request.content_type or "")
    if kind == "multipart/form-data" and "boundary" in options:
        _read_multipart(stream, options["boundary"].encode("latin-1", "replace"), form, files)
    elif kind == "application/x-www-form-urlencoded":
        text = stream.read(_FIELDS).decode()
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict"):
            form.add(name, value)


def _read_multipart(stream: IO[bytes], boundary: bytes, form: UploadForm, files: _Files) -> None:
    decoder = MultipartDecoder(boundary, _FIELDS, max_parts=_PARTS)
    sink: _Sink | None = None
    room = _FIELDS
    for event in events(stream, boundary, decoder):
        if isinstance(event, (Field, File)):
            sink = _sink(event, form, files)
        elif isinstance(event, Data) and sink is not None:
            room -= sink.take(event.data)
            if room < 0:
                raise RequestEntityTooLarge
            if not event.more_data:
                sink.end()
                sink = None


def events(stream: SupportsRead[bytes], boundary: bytes, decoder: MultipartDecoder) -> Iterator[object]:
    """The parts as they come; where the body is cut short of its last boundary, it is given one."""
    ended = False
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue):
            return
        if isinstance(event, (Field, File, Data)):
            yield event
        # a decoder that has nothing to tell wants more
        if type(event).__name__ != "NeedData":
            continue
        if chunk := stream.read(_CHUNK):
            decoder.receive_data(chunk)
        elif not ended:
            ended = True
            if decoder.state.name not in {"EPILOGUE", "COMPLETE"}:
                decoder.receive_data(b"\r\n--" + boundary + b"--\r\n")
        else:
            decoder.receive_data(None)


class _Sink:
    """Where the data of a part goes; here: nowhere."""

    def take(self, data: bytes) -> int:
        """Take some of it; how many bytes of memory that cost."""
        del data
        return 0

    def end(self) -> None:
        """The part is complete."""


class _FieldSink(_Sink):
    def __init__(self, form: UploadForm, name: str) -> None:
        self._form, self._name, self._data = form, name, bytearray()

    def take(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def end(self) -> None:
        self._form.add(self._name, self._data.decode())


class _FileSink(_Sink):
    def __init__(self, arrived: ReceivedFile, *, full: bool) -> None:
        self._arrived, self._full = arrived, full

    def take(self, data: bytes) -> int:
        if self._full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._arrived.stream.write(data)
        for one in self._arrived.hashes.values():
            one.update(data)
        return 0


@dataclass(frozen=True, slots=True)
class _Files:
    """Where files go that arrive."""

    incoming: Path
    #: the disk has no room
    full: bool


def _sink(event: Field | File, form: UploadForm, files: _Files) -> _Sink:
    name = event.name or ""
    if isinstance(event, Field):
        return _FieldSink(form, name)
    if name not in _FILE_FIELDS:
        form.misplaced.append(name)
        return _Sink()
    if name != "content" or form.content is not None:
        return _Sink()
    path = files.incoming / uuid4().hex
    stream = path.open("x+b")  # `received` closes it
    content_type = event.headers.get("Content-Type", _PLAIN)
    form.content = ReceivedFile(filename=event.filename, content_type=content_type, path=path, stream=stream)
    return _FileSink(form.content, full=files.full)

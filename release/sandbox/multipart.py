"""Parse the form of a request as it arrives: fields into memory, the file to the disk.

What becomes of an odd form is up to the index's server: the last file counts, text that is not UTF-8 is replaced, a
file in place of a field is detected, and on some forms the server itself fails.
Source: warehouse, `sanity.py`, `forklift/decorators.py`. Observed: WebOb 1.8.11 with legacy-cgi 2.6.4, 2026-11.
"""

from __future__ import annotations

import binascii
import errno
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl
from uuid import uuid4

from msgspec import Struct, field
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

from release.sandbox.form_parts import DEFAULT_CHARSET, FormPart, form_parts, parse_options

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

#: bytes of all fields together; far above the longest description
_MAX_FIELDS = 64 * 1024 * 1024
#: bytes of a form that `peek_names` reads; descriptions are shorter
_MAX_PEEK = 8 * 1024 * 1024
#: bytes of a file that are written at once
_BLOCK = 256 * 1024
#: parts that may be files
_FILE_FIELDS = {"content", "gpg_signature"}
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_CHARSET = re.compile(r";\s*charset=([^;]*)", re.IGNORECASE)


def _base64(data: bytes) -> bytes:
    """Decode as Python 3.14 does, which skips padding before the end; older ones stop there. Raises ValueError."""
    data = re.sub(rb"[^A-Za-z0-9+/=]", b"", data)
    body = data.replace(b"=", b"")
    if -len(body) % 4 > len(data) - len(data.rstrip(b"=")):
        raise ValueError("incorrect padding")
    return binascii.a2b_base64(body + b"=" * (-len(body) % 4))


_DECODERS: Mapping[str | None, Callable[[bytes], bytes]] = {
    "base64": _base64,
    "quoted-printable": binascii.a2b_qp,
}


class InvalidFormError(Exception):
    """The body is not a form."""


class FailingFormError(Exception):
    """The index's server fails on the form, and responds with an internal error."""


class ReceivedFile(Struct, frozen=True, kw_only=True):
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


class UploadForm(Struct, kw_only=True):
    """A posted form."""

    #: values in order; without `content`
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: the last part of that name, if it is a file
    content: ReceivedFile | None = None
    #: whether the last part `content` has no file that the server could read: it fails as soon as it tries to
    content_fails: bool = False
    #: whether a field is neither text nor a file: the server fails when it validates the form
    field_fails: bool = False
    #: fields that were sent as files and must not be
    misplaced: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        self.fields[name] = (*self.fields.get(name, ()), value)

    def last(self, name: str) -> str | None:
        return self.fields.get(name, (None,))[-1]

    def take_content_as_text(self) -> None:
        """Take the field `content` for what the server expects to be a file."""
        values = self.fields.pop("content", ())
        # distutils' word for an unknown value is removed from all forms, under any name
        self.content_fails = values != () and values[-1].strip() != "UNKNOWN"

    @property
    def actions(self) -> tuple[str, ...]:
        """The values of `:action`, in order; none if one is a file."""
        return () if ":action" in self.misplaced else self.fields.get(":action", ())


@contextmanager
def receive_form(request: Request, incoming: Path, *, full: bool = False) -> Iterator[UploadForm]:
    """Receive the form of a request; its file is in `incoming` until the block ends, unless it was moved away.

    `full` simulates a full disk. Raises InvalidFormError, FailingFormError, and OSError if the disk is full.
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
        _discard_content(form)


def _receive(request: Request, form: UploadForm, incoming: Path, *, full: bool) -> None:
    header: str | None = request.environ.get("CONTENT_TYPE")
    # a POST without this header is taken for an ordinary form
    kind = _URLENCODED if header is None and request.method == "POST" else (header or "").partition(";")[0]
    if kind not in {_URLENCODED, _MULTIPART} or request.method in {"GET", "HEAD"}:
        return
    charset = _CHARSET.search(header or "")
    if charset and charset[1].strip(' "').lower().replace("-", "") not in {"", DEFAULT_CHARSET}:
        raise FailingFormError
    stream = get_input_stream(request.environ)
    if kind == _URLENCODED:
        text = stream.read(_MAX_FIELDS).decode(errors="replace")
        for name, value in parse_qsl(text, keep_blank_values=True):
            form.add(name, value)
        form.take_content_as_text()
        return
    builder = _FormBuilder(form, incoming, full=full)
    for one in form_parts(stream.read, _boundary(header or "")):
        if isinstance(one, FormPart):
            builder.end()
            builder.begin(one)
        else:
            builder.extend(one)
    builder.end()
    builder.raise_failure()


def _boundary(content_type: str) -> bytes:
    return parse_options(content_type)[1].get("boundary", "").encode(errors="replace")


class _FormBuilder:
    """Puts the parts into a form."""

    def __init__(self, form: UploadForm, incoming: Path, *, full: bool) -> None:
        self._form, self._incoming, self._full = form, incoming, full
        self._left = _MAX_FIELDS
        self._part: FormPart | None = None
        #: what was not written yet, and its size
        self._data: list[bytes] = []
        self._size = 0
        self._file: ReceivedFile | None = None
        self._failure: Exception | None = None

    def raise_failure(self) -> None:
        """Fail as the first part did that cannot be decoded: the server decodes parts once it has read all of them."""
        if self._failure is not None:
            raise self._failure

    def begin(self, part: FormPart) -> None:
        self._part, self._data, self._size, self._file = part, [], 0, None
        if not part.filename:
            return
        try:
            filename = _recoded(part.filename, part.charset)
        except (ValueError, FailingFormError) as error:
            self._failure = self._failure or error
            return
        if part.name not in _FILE_FIELDS:
            self._form.misplaced.append(str(part.name))
        elif part.name == "content":
            _discard_content(self._form)
            self._form.content_fails = part.is_form
            path = self._incoming / uuid4().hex
            stream = path.open("x+b")  # `receive_form` closes it
            self._file = ReceivedFile(filename=filename, content_type=part.content_type, path=path, stream=stream)
            self._form.content = self._file

    def extend(self, data: bytes) -> None:
        """Add data to the part."""
        assert self._part is not None
        if self._part.filename and self._file is None:
            return
        self._data.append(data)
        self._size += len(data)
        if self._file is None:
            self._left -= len(data)
            if self._left < 0:
                raise RequestEntityTooLarge
        elif self._size >= _BLOCK:
            self._flush(self._file)

    def _flush(self, file: ReceivedFile) -> None:
        if self._full and self._size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(b"".join(self._data))
        self._data, self._size = [], 0

    def end(self) -> None:
        part, self._part = self._part, None
        if self._file is not None:
            self._flush(self._file)
        elif part is not None and not part.filename:
            try:
                self._end_field(part)
            except (ValueError, FailingFormError) as error:
                self._failure = self._failure or error

    def _end_field(self, part: FormPart) -> None:
        """An empty file name makes bytes of a field, which the server expects nowhere."""
        is_text = part.filename is None and not part.is_form
        if not is_text and (part.charset != DEFAULT_CHARSET or part.transfer_encoding in _DECODERS):
            raise FailingFormError
        value = "".join(piece.decode(errors="replace") for piece in self._data)
        if is_text:
            value = _transferred(value, part.transfer_encoding)
            value = _recoded(value, part.charset)
        if part.name == "content":
            _discard_content(self._form)
            self._form.add("content", value)
            self._form.take_content_as_text()
            self._form.content_fails |= not is_text
        elif part.name not in {None, "gpg_signature"}:
            self._form.field_fails |= not is_text and (value != "" or part.is_form)
            self._form.add(part.name or "", value)


def _discard_content(form: UploadForm) -> None:
    """Forget the file, and delete it if it was not moved away."""
    if form.content is not None:
        form.content.stream.close()
        form.content.path.unlink(missing_ok=True)
        form.content = None


def _transferred(value: str, encoding: str | None) -> str:
    """Undo a Content-Transfer-Encoding. Raises ValueError."""
    decoder = _DECODERS.get(encoding)
    return value if decoder is None else decoder(value.encode()).decode()


def _recoded(value: str, charset: str) -> str:
    """Read text again, which was taken for UTF-8. Raises ValueError, and FailingFormError for an unknown charset."""
    if charset == DEFAULT_CHARSET:
        return value
    try:
        return value.encode().decode(charset)
    except LookupError as error:
        raise FailingFormError from error


# -- reading ahead ----------------------------------------------------------------------------------


def peek_names(environ: WSGIEnvironment) -> tuple[str | None, str | None]:
    """Return the project name and the file name in a form; None for what its beginning does not contain.

    What was read is put back into the WSGI input.
    """
    header = environ.get("CONTENT_TYPE", "")
    if header.partition(";")[0] != _MULTIPART:
        return None, None
    stream, data = environ["wsgi.input"], bytearray()

    def read(size: int) -> bytes:
        chunk: bytes = stream.read1(size)
        data.extend(chunk)
        return chunk

    name, filename, in_name = bytearray(), None, False
    try:
        for one in form_parts(read, _boundary(header)):
            if isinstance(one, FormPart):
                in_name = one.name == "name"
                filename = one.filename if one.name == "content" else None
            elif in_name:
                name += one
            if filename is not None or len(data) > _MAX_PEEK:
                break
    except (ValueError, RequestEntityTooLarge):  # not a form: the index will report it
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

"""What a request is about, told before the index looks at it; for the faults that ask."""

from __future__ import annotations

import io
import re
from typing import IO, TYPE_CHECKING

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder

from release.sandbox.faults import RequestTarget
from release.sandbox.multipart import events

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

#: bytes of a form that are looked at; a description is shorter
_BEGINNING = 8 * 1024 * 1024
_PROJECT = re.compile(r"/(?:simple|pypi|integrity)/(?P<project>[^/]+)(?:/.*)?")
_FILE = re.compile(r"/(?:packages|integrity)/.*/(?P<filename>[^/]+?)(?:\.metadata|/provenance)?")


def request_target(environ: WSGIEnvironment, *, look_inside: bool) -> RequestTarget:
    """The subject of a request. To look inside a form, its beginning is read, and put back."""
    method = environ["REQUEST_METHOD"]
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    project, file = _PROJECT.fullmatch(path), _FILE.fullmatch(path)
    if method != "POST" or not look_inside:
        return RequestTarget(
            method=method,
            path=path,
            project=project["project"] if project else None,
            filename=file["filename"] if file else None,
        )
    kind, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    name = filename = None
    if kind == "multipart/form-data" and "boundary" in options:
        name, filename = _inside(environ, options["boundary"].encode("latin-1", "replace"))
    return RequestTarget(method=method, path=path, project=name, filename=filename)


def _inside(environ: WSGIEnvironment, boundary: bytes) -> tuple[str | None, str | None]:
    """The project's and the file's name in a form, as far as its beginning tells."""
    recorder = _Recorder(environ["wsgi.input"])
    name, filename, reading = bytearray(), None, False
    try:
        for event in events(recorder, boundary, MultipartDecoder(boundary)):
            if isinstance(event, (Field, File)):
                reading = event.name == "name"
                filename = event.filename if isinstance(event, File) and event.name == "content" else None
            if filename is not None or len(recorder.kept) > _BEGINNING:
                break
            if isinstance(event, Data) and reading:
                name += event.data
    except ValueError:  # no form: the index will say so
        pass
    environ["wsgi.input"] = io.BufferedReader(_PutBack(bytes(recorder.kept), environ["wsgi.input"]))
    return name.decode("utf-8", "replace") or None, filename


class _Recorder(io.RawIOBase):
    """A stream that remembers what was read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.kept = bytearray()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read1(size)  # type: ignore[attr-defined] # the server's is buffered
        self.kept += data
        return data


class _PutBack(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, beginning: bytes, rest: IO[bytes]) -> None:
        self._beginning, self._rest = io.BytesIO(beginning), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._beginning.readinto(buffer) or self._rest.readinto1(buffer)  # type: ignore[attr-defined] # buffered too

"""Responses of http.client that are held to the limits of their kind; urllib3 and requests read all theirs through it.

The bytes are counted at the socket, where each of them passes: those of the head, of chunk sizes and of trailers too,
which neither urllib3 nor http.client count.

Observed: CPython 3.14, urllib3 2.8.0, 2026-11 - http.client reads any number of responses with a status of 1xx, and of
trailers; the time-out of a socket limits silence alone.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from release.adapters.http import errors as http_errors
from release.adapters.http import response_limits
from release.adapters.http.response_limits import ResponseLimits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: the limits of the responses that are read in this thread
LIMITS: ContextVar[ResponseLimits] = ContextVar("response_limits", default=response_limits.ANSWER)
#: the address that they come from; empty: unknown
URL: ContextVar[str] = ContextVar("response_url", default="")
#: whether this thread reads responses by a client of others
_BY_OTHERS: ContextVar[bool] = ContextVar("by_others", default=False)
#: how many times as large a text can be as its compressed form. Source: zlib.net, "zlib Technical Details"
_MOST_COMPRESSED = 1032


@contextmanager
def limited_clients(limits: ResponseLimits) -> Iterator[None]:
    """Hold the responses to the limits that a library reads in this thread with a client of its own.

    What it decompresses cannot be counted: a compressed response may have so few bytes that it fits in any case.
    """
    http.client.HTTPConnection.response_class = _OthersResponse  # without effect in other threads
    before = LIMITS.set(limits), _BY_OTHERS.set(True)
    try:
        yield
    finally:
        LIMITS.reset(before[0])
        _BY_OTHERS.reset(before[1])


class BoundedResponse(http.client.HTTPResponse):
    """Raises `ResponseLimitError` where it exceeds `LIMITS`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._bounded = _BoundedStream(sock, self.fp.detach())
        self.fp = io.BufferedReader(self._bounded)  # 8 KiB: larger reads pass it by

    def begin(self) -> None:
        super().begin()
        self._bounded.head_is_over()


class _OthersResponse(http.client.HTTPResponse):
    """Bounded where `limited_clients` says so, else an ordinary response."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        return super().__new__(_OthersBoundedResponse if _BY_OTHERS.get() else cls)


class _OthersBoundedResponse(_OthersResponse, BoundedResponse):
    def begin(self) -> None:
        super().begin()
        codings, limits = self.headers.get_all("Content-Encoding", ()), LIMITS.get()
        if "," in ",".join(codings):  # each multiplies; and some bytes were read with the head
            raise http_errors.too_large_response(URL.get(), limits.kind, limits.decoded)
        if codings:
            self._bounded.limit_body(limits.decoded // _MOST_COMPRESSED)


class _BoundedStream(io.RawIOBase):
    """The bytes of one response as they come from its socket."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw, self._limits, self._url = sock, raw, LIMITS.get(), URL.get()
        self._kind, self._limit = "the head of a response", response_limits.MAX_HEAD
        #: bytes so far, and of those the ones that do not count any more
        self._count = self._before = 0
        #: when the first byte came; None before
        self._since: float | None = None

    def head_is_over(self) -> None:
        self._kind, self._before = self._limits.kind, self._count
        self.limit_body(self._limits.wire)

    def limit_body(self, size: int) -> None:
        self._limit = size

    def close(self) -> None:
        self._raw.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self._since is None:
            count = self._read(buffer)
            self._since = time.monotonic()
        else:
            count = self._read_in_time(buffer, self._since)
        self._count += count or 0
        if self._count - self._before > self._limit:
            raise http_errors.too_large_response(self._url, self._kind, self._limit)
        return count

    def _read(self, buffer: WriteableBuffer) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        return count

    def _read_in_time(self, buffer: WriteableBuffer, since: float) -> int | None:
        """Wait for data as long as the time-out for silence and the time for the whole response allow."""
        allowed = min(response_limits.SECONDS + self._count / response_limits.RATE, self._limits.total)
        left, silence = since + allowed - time.monotonic(), self._sock.gettimeout()
        if silence is not None and silence <= left:
            return self._read(buffer)
        try:
            if left > 0:
                self._sock.settimeout(left)
                return self._read(buffer)
        except TimeoutError:
            pass
        finally:
            self._sock.settimeout(silence)
        seconds = time.monotonic() - since
        raise http_errors.too_slow_response(self._url, self._kind, self._count - self._before, seconds)

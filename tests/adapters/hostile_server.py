"""What a hostile server answers, each as a function that writes to the handler of a `loopback_server`.

An answer gets the sound body and its type, and spoils them in one way. Those without an end stop when the client
closes the connection, and after `LONGEST` bytes in any case, so that a failing test fills no memory.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import repeat

from msgspec import Struct

from tests.adapters.loopback_server import Handler

#: bytes of an answer without an end
LONGEST = 3_000_000_000
BLOCK = b" " * 65_536


class Sound(Struct, frozen=True):
    """What a sound server would send here."""

    body: bytes
    kind: str
    status: int = 200
    #: seconds between two pieces of a slow answer
    pause: float = 2


Hostile = Callable[[Handler, Sound], None]


def head(h: Handler, sound: Sound, **headers: str | None) -> None:
    h.send_response_only(sound.status)
    for name, value in {"Content-Type": sound.kind, **headers}.items():
        if value is not None:
            h.send_header(name.replace("_", "-"), value)
    h.end_headers()
    h.close_connection = True


def pour(h: Handler, pieces: Iterator[bytes]) -> None:
    """Send until the client has enough."""
    sent = 0
    with suppress(OSError):
        for piece in pieces:
            h.wfile.write(piece)
            sent += len(piece)
            if sent > LONGEST:
                return


def drip(h: Handler, pieces: Iterator[bytes], pause: float) -> None:
    """Send one piece at a time, for five minutes at most."""
    end = time.monotonic() + 300
    with suppress(OSError):
        for piece in pieces:
            h.wfile.write(piece)
            h.wfile.flush()
            if time.monotonic() > end:
                return
            time.sleep(pause)


def whole(h: Handler, sound: Sound, body: bytes, **headers: str | None) -> None:
    """An answer of known length."""
    head(h, sound, **{"Content_Length": str(len(body)), **headers})
    pour(h, (body[at : at + len(BLOCK)] for at in range(0, len(body), len(BLOCK))))


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def bomb(wbits: int) -> Iterator[bytes]:
    """A compressed body that unpacks without end; about 1,000 : 1."""
    packer = zlib.compressobj(wbits=wbits)
    while True:
        yield packer.compress(BLOCK * 16) + packer.flush(zlib.Z_SYNC_FLUSH)


@cache
def layered_bomb() -> bytes:
    """300 MB in a few hundred bytes."""
    body = BLOCK
    body = gzip.compress(body) * 5_000
    return gzip.compress(gzip.compress(body, 1), 1)


def _gzip_bomb(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Encoding="gzip")
    pour(h, bomb(31))


def _deflate_bomb_in_chunks(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Encoding="deflate", Transfer_Encoding="chunked")
    pour(h, map(chunk, bomb(15)))


def _nested_gzip(h: Handler, sound: Sound) -> None:
    whole(h, sound, layered_bomb(), Content_Encoding="gzip, gzip, gzip")


def _endless_chunks(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    pour(h, repeat(chunk(BLOCK)))


def _endless_body(h: Handler, sound: Sound) -> None:
    head(h, sound)
    pour(h, repeat(BLOCK))


def _one_endless_chunk(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    h.wfile.write(b"ffffffffff\r\n")
    pour(h, repeat(BLOCK))


def _endless_chunk_size(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    pour(h, repeat(b"0" * 65_536))


def _endless_trailers(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    h.wfile.write(chunk(sound.body) + b"0\r\n")
    pour(h, repeat(b"X-Trailer: 1\r\n" * 4_000))


def _huge_length(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Length="9" * 15)
    pour(h, repeat(BLOCK))


def _endless_status_line(h: Handler, _: Sound) -> None:
    h.close_connection = True
    h.wfile.write(b"HTTP/1.1 200 ")
    pour(h, repeat(BLOCK))


def _endless_header(h: Handler, sound: Sound) -> None:
    h.close_connection = True
    h.send_response_only(sound.status)
    h.flush_headers()
    h.wfile.write(b"X-Long: ")
    pour(h, repeat(BLOCK))


def _endless_continue(h: Handler, _: Sound) -> None:
    h.close_connection = True
    pour(h, repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000))


def _long_header(h: Handler, sound: Sound) -> None:
    whole(h, sound, sound.body, X_Long="x" * 5_000_000)


def _many_headers(h: Handler, sound: Sound) -> None:
    whole(h, sound, sound.body, **{f"X-{number}": "x" for number in range(20_000)})


def _slow_body(h: Handler, sound: Sound) -> None:
    head(h, sound)
    drip(h, repeat(b" "), sound.pause)


def _slow_chunks(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    drip(h, repeat(chunk(b" ")), sound.pause)


def _slow_headers(h: Handler, sound: Sound) -> None:
    h.close_connection = True
    h.send_response_only(sound.status)
    h.flush_headers()
    drip(h, repeat(b"X-Slow: 1\r\n"), sound.pause * 2.5)


def _slow_continue(h: Handler, sound: Sound) -> None:
    h.close_connection = True
    drip(h, repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), sound.pause)


def _endless_redirects(h: Handler, _: Sound) -> None:
    h.reply(302, Location=f"{h.path.partition('?')[0]}?{time.monotonic_ns()}")


def _redirect_with_endless_body(h: Handler, sound: Sound) -> None:
    head(h, Sound(body=b"", kind=sound.kind, status=302), Location=h.path, Content_Encoding="gzip")
    pour(h, bomb(31))


def _redirect_to_file(h: Handler, _: Sound) -> None:
    h.reply(302, Location="file:///etc/passwd")


def _endless_error(h: Handler, sound: Sound) -> None:
    head(h, Sound(body=b"", kind=sound.kind, status=503))
    pour(h, repeat(BLOCK))


def _too_short(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Length=str(len(sound.body) + 100))
    pour(h, iter([sound.body]))


def _too_long(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Length=str(max(0, len(sound.body) - 1)))
    pour(h, iter([sound.body]))


def _negative_length(h: Handler, sound: Sound) -> None:
    head(h, sound, Content_Length="-1")
    pour(h, iter([sound.body]))


def _one_byte_chunks(h: Handler, sound: Sound) -> None:
    head(h, sound, Transfer_Encoding="chunked")
    pour(h, (chunk(sound.body[at : at + 1]) for at in range(len(sound.body) + 1)))


def _http_1_0(h: Handler, sound: Sound) -> None:
    h.close_connection = True
    h.wfile.write(b"HTTP/1.0 %d x\r\nContent-Type: %s\r\n\r\n" % (sound.status, sound.kind.encode()) + sound.body)


def _http_0_9(h: Handler, sound: Sound) -> None:
    h.close_connection = True
    h.wfile.write(sound.body)


def _unknown_charset(h: Handler, sound: Sound) -> None:
    h.reply(sound.status, sound.body, kind=f"{sound.kind}; charset=klingon")


def _slow_charset(h: Handler, sound: Sound) -> None:
    h.reply(sound.status, b"a" * 100_000 + b"-" + b"z" * 300_000, kind=f"{sound.kind}; charset=punycode")


def _bad_utf_8(h: Handler, sound: Sound) -> None:
    h.reply(sound.status, sound.body + b"\xff\xfe\xfa", kind=sound.kind)


def _utf_16(h: Handler, sound: Sound) -> None:
    h.reply(sound.status, sound.body.decode("utf-8", "replace").encode("utf-16"), kind=sound.kind)


def _other_body(make: Callable[[], bytes]) -> Hostile:
    return lambda h, sound: whole(h, sound, make())


#: how a response can be spoilt, whatever it is
ANSWERS: Mapping[str, Hostile] = {
    "gzip bomb": _gzip_bomb,
    "deflate bomb in chunks": _deflate_bomb_in_chunks,
    "gzip in gzip in gzip": _nested_gzip,
    "endless chunks": _endless_chunks,
    "endless body": _endless_body,
    "one endless chunk": _one_endless_chunk,
    "endless chunk size": _endless_chunk_size,
    "endless trailers": _endless_trailers,
    "huge length": _huge_length,
    "endless status line": _endless_status_line,
    "endless header": _endless_header,
    "endless 100 Continue": _endless_continue,
    "5 MB header": _long_header,
    "20,000 headers": _many_headers,
    "endless redirects": _endless_redirects,
    "redirect with a gzip bomb": _redirect_with_endless_body,
    "redirect to file:": _redirect_to_file,
    "endless 503": _endless_error,
    "cut off": _too_short,
    "longer than its length": _too_long,
    "HTTP/0.9": _http_0_9,
}
#: those that take time
SLOW_ANSWERS: Mapping[str, Hostile] = {
    "a byte now and then": _slow_body,
    "a chunk now and then": _slow_chunks,
    "a header now and then": _slow_headers,
    "100 Continue now and then": _slow_continue,
}
#: unusual, but sound
ODD_ANSWERS: Mapping[str, Hostile] = {
    "chunks of one byte": _one_byte_chunks,
    "HTTP/1.0": _http_1_0,
    "unknown charset": _unknown_charset,
    "negative length": _negative_length,
}
#: spoilt documents
DOCUMENTS: Mapping[str, Hostile] = {
    "[ 200,000 times": _other_body(lambda: b"[" * 200_000),
    "deep, and closed again": _other_body(lambda: b"[" * 900 + b"]" * 900),
    "a name nested deeply": _other_body(lambda: b'{"meta": {"api-version": ' + b"[" * 700 + b"]" * 700 + b"}}"),
    "10 million lists": _other_body(lambda: b"[" + b"[]," * 10_000_000 + b"[]]"),
    "a number of 10,000 digits": _other_body(lambda: b"[" + b"9" * 10_000 + b"]"),
    "NaN": _other_body(lambda: b"NaN"),
    "null": _other_body(lambda: b"null"),
    "api-version 9": _other_body(lambda: json.dumps({"meta": {"api-version": "9.0"}}).encode()),
    "bad UTF-8": _bad_utf_8,
    "UTF-16": _utf_16,
    "a slow charset": _slow_charset,
}

"""Detect API tokens of package indexes, also across line breaks, and in headers of Basic authorisation.

A token decodes to a macaroon with a host name, a UUID and a signature; examples and truncated tokens do not. A token
with a masked signature or an expired caveat is reported too: publishing it makes PyPI revoke the real one, because
PyPI identifies tokens by the UUID. Source: warehouse, `integrations/secrets/utils.py` (the signature is not checked).
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator

from release.core.models.index import is_loopback
from release.core.models.leak import INDEX_TOKEN, SecretMatch
from release.core.secret import Secret
from release.core.tokens import encoding_defects, macaroon
from release.core.tokens.token import Token, decode
from release.leaks.prefilter import BASIC, TOKEN_BREAK, TOKEN_START

_ANCHOR = re.compile(TOKEN_START)
_GAP = re.compile(TOKEN_BREAK)
_WORD = re.compile(rb"[A-Za-z0-9_+/-]+")
#: characters; a token with every caveat that PyPI supports has about 600
_LONGEST = 8192
#: characters that are enough to reject most text that is not a token
_HEAD = 28
#: what follows the location: the header of the identifier, a UUID, and the end of both
_IDENTIFIER = re.compile(rb"\x02\x24[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\0")
_IDENTIFIER_SIZE = 39
#: a token and its username, encoded once more
_BASIC = re.compile(re.escape(BASIC.encode()) + rb"[A-Za-z0-9+/]{0,%d}" % (_LONGEST * 4 // 3))
_RESERVED = (".example", ".invalid", ".test", ".localhost", "example.com", "example.net", "example.org")


class WrappedTokens:
    """The tokens of a file; called with the offsets where they may begin, in ascending order.

    What a token may continue with is joined once for all that begin before it, so that text in which many seem to
    begin takes no longer than other text.
    """

    def __init__(self) -> None:
        self._words = _JoinedWords(b"", 0)

    def __call__(self, data: bytes, at: int) -> SecretMatch | None:
        """The token whose body, which follows "pypi-", begins at `at`; the prefix may be missing."""
        found = _ANCHOR.match(data, at)
        if found is None:
            return None
        place = self._words.place(found.end())
        if place is None:
            self._words, place = _JoinedWords(data, found.end()), 0
        token = _token_at(self._words, place)
        return _pypi_match(token, at) if token is not None else None


class _JoinedWords:
    """Words that only line breaks divide, joined; they are read as they are needed."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        word = _WORD.match(data, at)
        self._joined = bytearray(word[0] if word else b"")
        #: where each word begins in the data, and among the joined
        self._starts, self._places = [at], [0]
        self._end = word.end() if word else at
        self._more = True

    def place(self, at: int) -> int | None:
        """The position among the joined words of an offset in the data; None if it is not in them."""
        if not self._starts[0] <= at <= self._end:
            return None
        number = bisect_right(self._starts, at) - 1
        return self._places[number] + at - self._starts[number]

    def part(self, place: int, length: int) -> bytes:
        """So many joined characters, or fewer at the end, from a position among them."""
        while self._more and len(self._joined) < place + length:
            self._join_next()
        return bytes(self._joined[place : place + length])

    def _join_next(self) -> None:
        gap = _GAP.match(self.data, self._end)
        word = _WORD.match(self.data, gap.end()) if gap is not None else None
        if word is None:
            self._more = False
            return
        self._starts.append(word.start())
        self._places.append(len(self._joined))
        self._joined += word[0]
        self._end = word.end()


def basic_auth_tokens(data: bytes) -> Iterator[SecretMatch]:
    """Every token in a header of Basic authorisation, as recordings of HTTP keep them."""
    for found in _BASIC.finditer(data):
        text = found[0][: len(found[0]) // 4 * 4]
        token = _decoded(base64.b64decode(text).partition(b":pypi-")[2])
        if token is not None:
            yield _pypi_match(token, found.start())


def _pypi_match(token: Token, offset: int) -> SecretMatch:
    return SecretMatch(kind=INDEX_TOKEN, offset=offset, identity=token.identifier, host=token.location)


def _token_at(words: _JoinedWords, place: int) -> Token | None:
    """The token whose first three characters are before a position among joined words.

    There is usually none, because "AgE" is frequent in certificates: so little is read before it is rejected.
    """
    head = _bytes(b"AgE" + words.part(place, _HEAD - 3))
    if len(head) < 4 or head[2] < 4 or not encoding_defects.is_host(head[3 : 3 + head[2]]):  # noqa: PLR2004 - version, type, length, and the shortest host name
        return None
    at = 3 + head[2]
    head = _bytes(b"AgE" + words.part(place, macaroon.characters(at + _IDENTIFIER_SIZE)))
    if not encoding_defects.is_host(head[3:at]) or not _IDENTIFIER.match(head, at):
        return None
    return _decoded(b"AgE" + words.part(place, _LONGEST))


def _decoded(body: bytes) -> Token | None:
    data = _bytes(body)
    try:
        _, extra = macaroon.deserialize(data)
    except ValueError:
        return None
    token = decode(Secret("pypi-" + body[: macaroon.characters(len(data) - extra)].decode("ascii")))
    return token if isinstance(token, Token) and not _is_example(token) else None


def _is_example(token: Token) -> bool:
    """Whether no index can have issued it: a reserved host name, or an identifier with only one digit."""
    host, digits = token.location.lower(), token.identifier.replace("-", "")
    # The 13th and 17th digit of a UUID are its version and variant.
    return is_loopback(host) or host.endswith(_RESERVED) or len(set(digits[:12] + digits[13:16] + digits[17:])) == 1


def _bytes(body: bytes) -> bytes:
    """Decode base64 without padding; empty if it is invalid."""
    whole = body[:-1] if len(body) % 4 == 1 else body
    try:
        return base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return b""

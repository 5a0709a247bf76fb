"""Detect API tokens of package indexes by their structure, even across line breaks.

A token decodes to a macaroon with a host name, a UUID and a signature; examples and truncated tokens do not. A
token with a masked signature or an expired caveat is reported too: publishing it makes PyPI revoke the real one,
because PyPI identifies tokens by the UUID. Source: warehouse, `integrations/secrets/utils.py` (the signature is
not checked).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from release.core.models.index import is_loopback
from release.core.models.leak import INDEX_TOKEN, SecretMatch
from release.core.secret import Secret
from release.core.tokens import base64_defects, macaroon
from release.core.tokens.token import Token, decode
from release.leaks.prefilter import BASIC

#: What can be between two parts of a wrapped token: a line break, with a closing quote, a backslash, a "+" or "="
#: before it (source code, shells, quoted-printable), and indentation or the prefixes of quotes, comments, boxes
#: and patches after it. The line break may be escaped, as in JSON.
_BREAK = (
    rb"""(?:(?:["'`=\\+, \t]|\xe2\x94\x82){0,80}(?:\r?\n|(?:\\r)?\\n)"""
    rb"""(?:[ \t>#*|:+"'`]|//|\xe2\x94\x82){0,80})"""
)
#: The start of every token: version 2 and the type of the location. The next character encodes its length.
#: Source: `release.core.tokens.macaroon`
_ANCHOR = re.compile(rb"A(?:" + _BREAK + rb")?g(?:" + _BREAK + rb")?E")
_GAP = re.compile(_BREAK)
_WORD = re.compile(rb"[A-Za-z0-9_+/-]+")
#: characters; a token with every caveat that PyPI supports has about 600
_LONGEST = 8192
#: characters that are enough to reject most text that is not a token
_HEAD = 25
_BASIC = re.compile(re.escape(BASIC.encode()) + rb"[A-Za-z0-9+/]*")
_RESERVED = (".example", ".invalid", ".test", ".localhost", "example.com", "example.net", "example.org")


def index_token(data: bytes, at: int) -> SecretMatch | None:
    """The token whose body, which follows "pypi-", begins at `at`; the prefix may be missing."""
    found = _ANCHOR.match(data, at)
    token = _decoded(_body(data, found.end())) if found else None
    return _spot(token, at) if token is not None else None


def basic_auth_tokens(data: bytes) -> Iterator[SecretMatch]:
    """Every token in a header of Basic authorisation, as recordings of HTTP keep them."""
    for found in _BASIC.finditer(data):
        text = found[0][: len(found[0]) // 4 * 4]
        token = _decoded(base64.b64decode(text).partition(b":pypi-")[2])
        if token is not None:
            yield _spot(token, found.start())


def _spot(token: Token, offset: int) -> SecretMatch:
    return SecretMatch(kind=INDEX_TOKEN, offset=offset, identity=token.identifier, host=token.location)


def _body(data: bytes, at: int) -> bytes:
    """The base64 of a token whose first three characters end at `at`, joined from its parts.

    Empty if it cannot be a token, which is usual: "AgE" is frequent in certificates.
    """
    parts, length = [b"AgE"], 0
    word = _WORD.match(data, at, at + _HEAD)
    if word is not None and not _begins(b"AgE" + word[0]):
        return b""
    word = _WORD.match(data, at, at + _LONGEST)
    while length < _LONGEST:
        if word is not None:
            parts.append(word[0])
            length += len(word[0])
            at = word.end()
        gap = _GAP.match(data, at)
        word = _WORD.match(data, gap.end(), gap.end() + _LONGEST) if gap is not None else None
        if word is None:
            break
    return b"".join(parts)


def _begins(body: bytes) -> bool:
    """Whether a body can be that of a token, by its location."""
    data = _bytes(body)
    if len(data) < 4:  # noqa: PLR2004 - version, type, length, one character
        return True
    return data[2] >= 4 and base64_defects.is_host(data[3 : 3 + data[2]])  # noqa: PLR2004 - the shortest host name


def _decoded(body: bytes) -> Token | None:
    try:
        _, extra = macaroon.deserialize(_bytes(body))
    except ValueError:
        return None
    exact = base64_defects.characters(len(_bytes(body)) - extra)
    token = decode(Secret("pypi-" + body[:exact].decode("ascii")))
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

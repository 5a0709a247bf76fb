"""The wire format of PyPI's API tokens: macaroons, v2 binary, HMAC-SHA256.

    pypi-  +  URL-safe base64 without padding of
      02
      01 len location   02 len identifier   00
      (02 len caveat   00)*
      00
      06 20 signature (32 bytes)

Lengths are varints. Caveats are chained by HMAC: the holder of a token can add a caveat (`attenuate`), but
none can be removed.

Source: libmacaroons, "v2 binary format"; warehouse, `macaroons/services.py` (pymacaroons writes it).
"""

from __future__ import annotations

import base64

from msgspec import Struct
from msgspec.structs import replace

from release.core.lazy_pattern import lazy_pattern

_LOCATION, _IDENTIFIER, _SIGNATURE, _END = 1, 2, 6, 0
#: bytes of an HMAC-SHA256
_SIGNATURE_SIZE = 32
#: what decoding ignores; both alphabets of base64 count
_SKIPPED = lazy_pattern(rb"[^A-Za-z0-9+/_=-]")


class MalformedError(ValueError):
    """The bytes are not a macaroon: `field` is where parsing stopped, `missing` the number of bytes that lack there."""

    def __init__(self, field: str, offset: int, missing: int = 0) -> None:
        super().__init__(f"{field} at byte {offset}")
        self.field = field
        #: position in the decoded bytes
        self.offset = offset
        #: bytes by which the data is shorter than the declared length; 0 if it is wrong, not short
        self.missing = missing


class Macaroon(Struct, frozen=True, kw_only=True):
    """A decoded token. It contains the signature, which is the secret: never show or store it."""

    location: str
    identifier: bytes
    caveats: tuple[bytes, ...]
    #: 32 bytes
    signature: bytes

    def attenuate(self, *caveats: bytes) -> Macaroon:
        """The same token, limited further by each caveat. Needs no key and no network."""
        signature = self.signature
        for caveat in caveats:
            signature = _hmac(signature, caveat)
        return replace(self, caveats=(*self.caveats, *caveats), signature=signature)

    def signed_by(self, key: bytes) -> bool:
        """Whether the signature was made with `key`, the 32 bytes that the token was created with."""
        import hmac

        expected = create_macaroon(self.location, self.identifier, key, *self.caveats)
        return hmac.compare_digest(expected.signature, self.signature)

    def serialize(self) -> bytes:
        """The v2 binary form."""
        head = b"\x02" + _packet(_LOCATION, self.location.encode()) + _packet(_IDENTIFIER, self.identifier) + b"\0"
        body = b"".join(_packet(_IDENTIFIER, caveat) + b"\0" for caveat in self.caveats)
        return head + body + b"\0" + _packet(_SIGNATURE, self.signature)


def create_macaroon(location: str, identifier: bytes, key: bytes, *caveats: bytes) -> Macaroon:
    """A new macaroon, signed with `key` as pymacaroons does, which hashes the key first."""
    root = _hmac(_hmac(b"macaroons-key-generator", key), identifier)
    return Macaroon(location=location, identifier=identifier, caveats=(), signature=root).attenuate(*caveats)


def deserialize(data: bytes) -> tuple[Macaroon, int]:
    """A macaroon from its binary form, and the number of bytes after it. Raises `MalformedError`."""
    if data[:1] != b"\x02":
        raise MalformedError("version", 0, missing=0 if data else 1)
    location, at = _field(data, 1, _LOCATION, "location")
    identifier, at = _field(data, at, _IDENTIFIER, "identifier")
    at = _expect(data, at, _END, "identifier")
    caveats: list[bytes] = []
    while data[at : at + 1] != b"\0":
        caveat, at = _field(data, at, _IDENTIFIER, f"caveat {len(caveats) + 1}")
        caveats.append(caveat)
        at = _expect(data, at, _END, f"caveat {len(caveats)}")
    signature, at = _field(data, at + 1, _SIGNATURE, "signature")
    if len(signature) != _SIGNATURE_SIZE:
        raise MalformedError("signature", at - len(signature))
    try:
        place = location.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("location", error.start + 3) from error
    return Macaroon(location=place, identifier=identifier, caveats=tuple(caveats), signature=signature), len(data) - at


def deserialize_leniently(text: str) -> Macaroon | None:
    """The token that the index reads in a text without surrounding blanks; None if it reads none.

    The index skips characters outside the alphabet, also padding before the end, and ignores bytes after the signature.
    Source: warehouse, `macaroons/services.py`. Observed: Python 3.14, 2026-11; older ones stop reading at padding.
    """
    prefix, _, rest = text.partition("-")
    if prefix != "pypi" or not rest:
        return None
    data = rest.encode("utf-8", "surrogatepass")
    data = _SKIPPED.sub(b"", data + b"=" * (-len(data) % 4))
    body = data.replace(b"=", b"")
    padding = len(data) - len(data.rstrip(b"="))
    if -len(body) % 4 > padding:
        return None
    try:
        return deserialize(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))[0]
    except ValueError:  # MalformedError and binascii.Error are
        return None


def to_text(macaroon: Macaroon, prefix: str = "pypi-") -> str:
    """The token as text, as the index shows it."""
    return prefix + base64.urlsafe_b64encode(macaroon.serialize()).decode().rstrip("=")


def decode_base64(body: str) -> bytes:
    """The bytes of base64 without padding. A single character after a group of four encodes no byte and is dropped."""
    whole = body[:-1] if len(body) % 4 == 1 else body
    return base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))


def characters(count: int) -> int:
    """The length in base64, without padding, of this number of bytes."""
    return (count * 4 + 2) // 3


def _hmac(key: bytes, message: bytes) -> bytes:
    import hmac  # loads OpenSSL, which takes 5 ms: a token is read without it

    return hmac.digest(key, message, "sha256")


def _packet(kind: int, data: bytes) -> bytes:
    length, varint = len(data), bytearray()
    while length > 0x7F:  # noqa: PLR2004 - seven bits a byte
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    varint.append(length)
    return bytes([kind]) + bytes(varint) + data


def _field(data: bytes, at: int, kind: int, name: str) -> tuple[bytes, int]:
    length, start = _varint(data, _expect(data, at, kind, name), name)
    if start + length > len(data):
        raise MalformedError(name, start, missing=start + length - len(data))
    return data[start : start + length], start + length


def _varint(data: bytes, at: int, name: str) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        if data[at] < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at + 1
        at, shift = at + 1, shift + 7
        if shift > 28:  # noqa: PLR2004 - no length has more than 32 bits
            raise MalformedError(name, at)
    raise MalformedError(name, at, missing=1)


def _expect(data: bytes, at: int, kind: int, name: str) -> int:
    """The position after a byte that must be `kind`."""
    if at >= len(data):
        raise MalformedError(name, at, missing=1)
    if data[at] != kind:
        raise MalformedError(name, at)
    return at + 1

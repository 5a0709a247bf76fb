"""Secrets generated at run time, so that no file of this repository contains one."""

from __future__ import annotations

import base64
import os
import random
import string
import uuid
import zlib

from release.core.models.index import PYPI, host_of
from release.core.tokens import macaroon

HOST = host_of(PYPI.simple_url)
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def identifier() -> str:
    return str(uuid.uuid4())


def token(name: str | None = None, *caveats: bytes, host: str = HOST) -> str:
    """An API token with the identifier `name`."""
    user = b'[3,"%s"]' % identifier().encode()
    return macaroon.to_text(
        macaroon.create_macaroon(host, (name or identifier()).encode(), os.urandom(32), user, *caveats)
    )


def expired_token(name: str) -> str:
    """A token that has long expired, with a blank signature: only its identifier is genuine."""
    made = macaroon.create_macaroon(HOST, name.encode(), os.urandom(32), b"[0,1,0]").serialize()
    return "pypi-" + base64.urlsafe_b64encode(made[:-32] + bytes(32)).decode().rstrip("=")


def random_text(length: int, letters: str = _BASE62) -> str:
    return "".join(random.SystemRandom().choices(letters, k=length))


def checksummed_token(prefix: str) -> str:
    """A token of GitHub or npm: thirty letters and their checksum in base 62."""
    body = random_text(30)
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return prefix + body + digits


def private_key(kind: str = "RSA PRIVATE KEY", size: int = 1190) -> str:
    """An armoured key with the outer form of a real one."""
    data = b"\x30\x82" + (size - 4).to_bytes(2, "big") + b"\2\1\0" + os.urandom(size - 7)
    return armoured(kind, data)


def armoured(kind: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])

"""RSA signatures of identity tokens (RS256), for a simulated identity provider.

The keys are short and there is no protection against timing attacks: suitable for a sandbox only.
Source: RFC 8017, section 8.2 (RSASSA-PKCS1-v1_5); RFC 7518, section 3.3.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

_EXPONENT = 65537
#: bits of a prime; two of them make a modulus that holds the padded digest
_BITS = 512
_ROUNDS = 20
_SMALL = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))
#: the ASN.1 prefix of a SHA-256 digest. Source: RFC 8017, section 9.2, note 1
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key pair."""

    modulus: int
    private: int = field(repr=False)

    @classmethod
    def new(cls) -> Key:
        """Generate a key pair; takes some hundredths of a second."""
        while True:
            p, q = _prime(), _prime()
            phi = (p - 1) * (q - 1)
            if p != q and phi % _EXPONENT:
                return cls(modulus=p * q, private=pow(_EXPONENT, -1, phi))

    @property
    def size(self) -> int:
        """Bytes of a signature."""
        return (self.modulus.bit_length() + 7) // 8

    def sign(self, message: bytes) -> bytes:
        number = int.from_bytes(self._padded(message), "big")
        return pow(number, self.private, self.modulus).to_bytes(self.size, "big")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature of a message is valid."""
        number = int.from_bytes(signature, "big")
        if len(signature) != self.size or number >= self.modulus:
            return False
        found = pow(number, _EXPONENT, self.modulus).to_bytes(self.size, "big")
        return hmac.compare_digest(found, self._padded(message))

    def _padded(self, message: bytes) -> bytes:
        tail = _DIGEST_INFO + hashlib.sha256(message).digest()
        return b"\0\1" + b"\xff" * (self.size - len(tail) - 3) + b"\0" + tail


def _prime() -> int:
    while True:
        candidate = secrets.randbits(_BITS) | (3 << (_BITS - 2)) | 1
        if all(candidate % small for small in _SMALL) and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    """Miller-Rabin test: wrong once in 4 to the power of the number of rounds."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, secrets.randbelow(number - 3) + 2, odd, twos) for _ in range(_ROUNDS))


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    value = pow(base, odd, number)
    if value in {1, number - 1}:
        return True
    for _ in range(twos - 1):
        value = value * value % number
        if value == number - 1:
            return True
    return False

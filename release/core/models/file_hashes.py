"""Which hashes of a file that an index lists are believed, and whether the file's bytes have them.

Installers compare the hash that the simple API lists. One of MD5, SHA-1 or SHA-224 proves nothing: other bytes with
the same hash can be made. Source: PEP 503, "a secure hash function"; PEP 691, `hashes`: names of `hashlib`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern

_PIECE = 1 << 20
#: strong hashes, and those that prove nothing
STRONG = frozenset(
    ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s", "blake2b_256")
)
_WEAK = frozenset(("md5", "sha1", "sha224", "sha3_224"))
_SHA256 = lazy_pattern(r"[0-9a-f]{64}")


class ListedHashes(Struct, frozen=True, kw_only=True):
    """The hashes that an index lists for a file."""

    #: 64 lower-case hex digits; None without a valid SHA-256, or with two different ones
    sha256: str | None = None
    #: name in `hashlib` and digits, in lower case, of the others; also of a SHA-256 that cannot be believed
    others: tuple[tuple[str, str], ...] = ()


def parse_hashes(pairs: Iterable[tuple[Any, Any]]) -> ListedHashes:
    """The hashes from pairs of name and hex digits, from every place where the index has some.

    Digits may be in upper case, as pip accepts them. Unknown names are left out: they may be no hashes.
    """
    known = tuple(
        dict.fromkeys(
            (name.lower(), digits.strip().lower())
            for name, digits in pairs
            if isinstance(name, str) and isinstance(digits, str) and name.lower() in STRONG | _WEAK
        )
    )
    given = [digits for name, digits in known if name == "sha256"]
    if len(given) != 1 or not _SHA256.fullmatch(given[0]):
        return ListedHashes(others=known)
    return ListedHashes(sha256=given[0], others=tuple(pair for pair in known if pair[0] != "sha256"))


def has_strong_hash(hashes: ListedHashes) -> bool:
    """Whether one of the hashes proves which bytes the file has."""
    return hashes.sha256 is not None or any(name in STRONG for name, _ in hashes.others)


def wrong_hashes(hashes: ListedHashes, content: BinaryIO) -> Iterator[str]:
    """What is listed and what the bytes have instead: "SHA-256 abc is listed, def was downloaded"."""
    listed = [("sha256", hashes.sha256)] if hashes.sha256 is not None else []
    listed += hashes.others
    actual = _digests(content, {name for name, _ in listed})
    for name, digits in listed:
        if digits != actual[name]:
            yield f"{hash_name(name)} {digits} is listed, {actual[name]} was downloaded"


def hash_name(name: str) -> str:
    """A hash as people write it: "SHA-256", "MD5", "BLAKE2b"."""
    if name.startswith("blake2"):
        return name.replace("blake2", "BLAKE2").replace("_", "-")
    return re.sub(r"^SHA(?=[\d])", "SHA-", name.upper()).replace("SHA-3_", "SHA3-")


def _digests(content: BinaryIO, names: Iterable[str]) -> dict[str, str]:
    import hashlib

    # `hashlib` does not know one by the name that it has here. Source: warehouse, the JSON API's `digests`
    running = {name: hashlib.blake2b(digest_size=32) if name == "blake2b_256" else hashlib.new(name) for name in names}
    content.seek(0)
    while piece := content.read(_PIECE):
        for one in running.values():
            one.update(piece)
    return {name: one.hexdigest() for name, one in running.items()}

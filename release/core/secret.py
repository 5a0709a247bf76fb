"""A secret value: only `reveal` returns it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Never, final


@final
class Secret:
    """Text that cannot leak by accident.

    `repr` is masked; `str`, `format`, JSON, pickling and copying raise `TypeError`, because a masked value in a
    header would only fail later, as a 403. Comparison takes constant time.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Only the modules listed in `tests/test_architecture.py` may call this."""
        return self._text

    @property
    def fingerprint(self) -> str:
        """The first 8 hex digits of the SHA-256, which distinguish secrets without revealing them."""
        return _sha256(self._text.encode("utf-8", "surrogatepass"))[:8]

    def __len__(self) -> int:
        return len(self._text)

    def __repr__(self) -> str:
        return f"Secret(<{len(self._text)} characters>)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest

        ours, theirs = (s.reveal().encode("utf-8", "surrogatepass") for s in (self, other))
        return compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:  # noqa: PLE0307 - it never returns
        self._refuse("turned into text")

    def __format__(self, spec: str, /) -> str:
        self._refuse("formatted")

    def __reduce_ex__(self, protocol: object, /) -> Never:
        self._refuse("pickled or copied")

    @staticmethod
    def _refuse(what: str) -> Never:
        raise TypeError(f"a Secret can't be {what}; call reveal() if the text is really needed")


def _sha256(data: bytes) -> str:
    """In hex digits, by Python's own module, as `random` uses one: `hashlib` loads OpenSSL, which takes 5 ms."""
    try:
        module = import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:  # a build of Python that has OpenSSL's only
        module = import_module("hashlib")
    digest: str = module.sha256(data).hexdigest()
    return digest

"""Encrypted code, which the index rejects: its markers, and which members are searched for them.

Source: warehouse, `utils/scanner.py` and its rules.
"""

from __future__ import annotations

from release.acceptance.archive_limits import MIB

#: bytes; longer members are not searched
SEARCHED = 5 * MIB

# Spelled in two parts: as a whole, the index would take this very file for encrypted code.
_PYARMOR = tuple(
    b"__pyarmor" + rest for rest in (b"__(__name__, __file__,", b"_enter__", b"_exit__", b"_assert__", b"_bcc__")
)
_SOURCEDEFENDER = tuple(b"---" + rest for rest in (b"BEGIN PYE FILE---", b"END PYE FILE---"))


def is_searched(name: str) -> bool:
    """Whether the index searches a member of that name."""
    # leading dots start no suffix, as in Python 3.14; a path object would cost more than a small member
    return name.rpartition("/")[2].lstrip(".").lower().endswith((".py", ".pye"))


def find_protector(data: bytes) -> str | None:
    """The product that encrypted the code; None where none did."""
    if b"__pyarmor_" in data and any(mark in data for mark in _PYARMOR):
        return "PyArmor"
    if all(mark in data for mark in _SOURCEDEFENDER):
        return "SourceDefender"
    return None

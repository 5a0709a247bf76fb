"""Fields of a Struct that its `repr` does not show, or that do not count when two are compared.

msgspec has no such option for a field, in contrast to the standard library's dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Struct


def repr_without(value: Struct, *hidden: str) -> str:
    """Return the `repr` without these fields: they are secret, or far too long."""
    shown = (f"{name}={getattr(value, name)!r}" for name in value.__struct_fields__ if name not in hidden)
    return f"{type(value).__name__}({', '.join(shown)})"


def equal_without(value: Struct, other: object, *ignored: str) -> bool:
    """Whether both are of one type, and equal in all fields but these."""
    if type(value) is not type(other):
        return False
    return all(getattr(value, name) == getattr(other, name) for name in value.__struct_fields__ if name not in ignored)


def hash_without(value: Struct, *ignored: str) -> int:
    """Return the hash that goes with `equal_without`. Raises TypeError where a field cannot be hashed."""
    return hash((type(value), *(getattr(value, name) for name in value.__struct_fields__ if name not in ignored)))

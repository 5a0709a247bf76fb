"""Parse TOML that others write: `pyproject.toml`, lock files, the settings of tools.

`[` a thousand times exhausts the interpreter's stack, and an integer may have more digits than Python reads. The depth
is limited, and every fault is a `TomlError`, a `ValueError`.
"""

from __future__ import annotations

from typing import Any

from release.core.foreign_json import MAX_DEPTH, is_too_deep


class TomlError(ValueError):
    """The text is no TOML, or is nested too deeply."""


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises `TomlError`."""
    if not text:  # of a file that is missing; the parser takes 2 ms to load
        return {}
    import tomllib

    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise TomlError(_TOO_DEEP) from None
    except ValueError as error:  # also an integer of more than 4,300 digits
        raise TomlError(str(error)) from None
    if is_too_deep(found):
        raise TomlError(_TOO_DEEP)
    return found


_TOO_DEEP = f"TOML that is nested more than {MAX_DEPTH} levels deep"

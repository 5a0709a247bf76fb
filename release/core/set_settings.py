"""Read `[tool.release.set]`: which projects below a directory are released together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from release.core import tables
from release.core.models.release_set import SetSettings
from release.core.tables import KeyPath, Reader


def read_set_settings(value: Any, at: KeyPath) -> SetSettings:
    """The settings of a set. Raises `ConfigError`, which names the key.

    Without `members`, those of the workspace that the same pyproject.toml declares are used.
    """
    return SetSettings(**tables.read_table(value, at, _SET))


def _patterns(value: Any, at: KeyPath) -> tuple[str, ...]:
    patterns = tables.read_list(value, at, _pattern, "a list of patterns of directories")
    if not patterns:
        raise at.wrong('a list of patterns such as "packages/*"', value)
    return patterns


def _pattern(value: Any, at: KeyPath) -> str:
    """A pattern with slashes, without a "./" at its start or a slash at its end."""
    text = tables.string(value, at).strip()
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or text[1:2] == ":":
        raise at.wrong('a pattern of directories below this one, with slashes, such as "packages/*"', value)
    return str(path)


_SET: Mapping[str, Reader] = {
    "members": _patterns,
    "exclude": lambda value, at: tables.read_list(value, at, _pattern, "a list of patterns of directories"),
    "only-changed": tables.boolean,
    "lockstep": tables.boolean,
}

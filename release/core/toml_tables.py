"""Reading tables of a configuration: every error names its key, and a misspelt one gets "did you mean"."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from release.core.errors import ConfigError

#: where a table stands unless it is said otherwise
_FILE = "pyproject.toml"


def subtable(table: Mapping[str, Any], key: str, where: str, *, file: str = _FILE) -> Mapping[str, Any]:
    """The table under a key; empty where there is none. All of these raise `ConfigError`."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise wrong(path(where, key), "a table", value, file=file)
    return value


def text(table: Mapping[str, Any], key: str, where: str, *, file: str = _FILE) -> str | None:
    """The text under a key; None where there is none."""
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value):
        raise wrong(path(where, key), "a text that is not empty", value, file=file)
    return value


def switch(table: Mapping[str, Any], key: str, where: str, *, default: bool) -> bool:
    """The truth under a key."""
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise wrong(path(where, key), "true or false", value)
    return value


def known(table: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    """Nothing but these keys is there."""
    for key in table:
        if key not in keys:
            raise ConfigError(
                f"unknown key {path(where, key)}{did_you_mean(key, keys)}",
                remedy=f"known keys{f' of [{where}]' if where else ''}: {', '.join(keys)}",
            )


def did_you_mean(word: str, among: Any) -> str:
    """The nearest of the words that there are, as the end of a sentence; empty where none is near."""
    near = difflib.get_close_matches(word, list(among), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def wrong(where: str, wanted: str, got: object, *, file: str = _FILE) -> ConfigError:
    """The error for a value of the wrong kind."""
    return ConfigError(f"{where} must be {wanted}, not {got!r}", remedy=f"correct {where} in {file}")


def path(where: str, key: str) -> str:
    """The whole name of a key in a table; `where` is empty at the top of a file."""
    return f"{where}.{key}" if where else key

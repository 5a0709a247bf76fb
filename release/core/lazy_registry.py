"""Registries of interchangeable modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeVar, cast

T = TypeVar("T")


class LazyRegistry(Mapping[str, T]):
    """Name → module, or one of its names, imported when it is used: options list the names without any import."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Map each name to "package.module" or "package.module:name"."""
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        module, _, attribute = self._entries[name].partition(":")
        found = import_module(module)
        return cast("T", getattr(found, attribute) if attribute else found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

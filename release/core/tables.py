"""Read tables of TOML and objects of JSON: each error names the key, and a misspelt one gets "did you mean".

A reader is a function from a value and its `KeyPath` to what the value means; it raises `ConfigError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from release.core.errors import ConfigError
from release.core.foreign_json import OWN_VALUES, ForeignJsonError, parse_foreign_json
from release.core.similar_words import did_you_mean

T = TypeVar("T")
#: characters of a value that a message shows
_LONGEST = 60
#: what JSON calls a set of keys and values
_OBJECT = "an object"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class KeyPath(Struct, frozen=True, kw_only=True):
    """Where a value stands, for messages."""

    #: the file, as a remedy calls it: "pyproject.toml"
    file: str
    #: "tool.release.upload.attempts"; empty at the top of a file
    path: str = ""
    #: what the file's format calls a set of keys and values: "a table" in TOML, "an object" in JSON
    noun: str = "a table"

    def __truediv__(self, key: str) -> KeyPath:
        return replace(self, path=f"{self.path}.{key}" if self.path else key)

    def __getitem__(self, number: int) -> KeyPath:
        return replace(self, path=f"{self.path}[{number}]")

    def __str__(self) -> str:
        return self.path or self.file

    def wrong(self, expected: str, value: object) -> ConfigError:
        """The error for a value of the wrong kind."""
        plain = self.noun == _OBJECT and (value is None or isinstance(value, bool))
        shown = ("null" if value is None else str(value).lower()) if plain else repr(value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
        place = f"{self.path} in {self.file}" if self.path else self.file
        return ConfigError(f"{self} must be {expected}, not {shown}", remedy=f"correct {place}")

    def missing(self, key: str) -> ConfigError:
        """The error for a required key that is not there."""
        return ConfigError(f"{self / key} is missing", remedy=f"add {self / key} to {self.file}")


Reader = Callable[[Any, KeyPath], Any]


def read_table(
    value: Any, at: KeyPath, readers: Mapping[str, Reader], required: Iterable[str] = (), *, strict: bool = True
) -> dict[str, Any]:
    """The values of the keys in a table, each by its name with "_" for "-"; unknown keys are errors if `strict`."""
    for key in table(value, at):
        if strict and key not in readers:
            raise ConfigError(
                f"unknown key {at / key}{did_you_mean(key, readers)}",
                remedy=f"known keys of {at}: {', '.join(readers)}",
            )
    for key in required:
        if key not in value:
            raise at.missing(key)
    return {key.replace("-", "_"): readers[key](one, at / key) for key, one in value.items() if key in readers}


def parse_json(text: str | bytes, file: str) -> Any:
    """The value of a JSON text; `file` is what messages call it. Raises `ConfigError`."""
    try:
        return parse_foreign_json(text, max_values=OWN_VALUES)
    except ForeignJsonError as error:
        raise ConfigError(f"{file} is not valid JSON: {error}", remedy="correct it at that place") from None


def read_named_tables(
    value: Any, at: KeyPath, readers: Mapping[str, Reader], required: Iterable[str] = ("name",)
) -> tuple[dict[str, Any], ...]:
    """A list of tables, each with a `name` that no other has."""
    tables = read_list(value, at, lambda one, where: read_table(one, where, readers, required))
    names: set[str] = set()
    for position, one in enumerate(tables):
        if one["name"] in names:
            raise ConfigError(f"{at[position]}: duplicate name {one['name']!r}", remedy="give each a unique name")
        names.add(one["name"])
    return tables


def read_mapping(value: Any, at: KeyPath, reader: Callable[[Any, KeyPath], T]) -> dict[str, T]:
    """A table with any keys."""
    return {key: reader(one, at / key) for key, one in table(value, at).items()}


def read_list(value: Any, at: KeyPath, reader: Callable[[Any, KeyPath], T], expected: str = "a list") -> tuple[T, ...]:
    """A list, each element read by the same reader; `expected` describes it."""
    if not isinstance(value, list):
        raise at.wrong(expected, value)
    return tuple(reader(one, at[number]) for number, one in enumerate(value))


def table(value: Any, at: KeyPath) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise at.wrong(at.noun, value)


def string(value: Any, at: KeyPath) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise at.wrong("a non-empty string", value)


def strings(value: Any, at: KeyPath) -> tuple[str, ...]:
    return read_list(value, at, string, "a list of strings")


def boolean(value: Any, at: KeyPath) -> bool:
    if isinstance(value, bool):
        return value
    raise at.wrong("true or false", value)


def number(least: float, most: float, *, whole: bool = False, unit: str = "a number") -> Reader:
    """A reader of numbers from `least` to `most`; `unit` stands before that range in the message."""

    def read(value: Any, at: KeyPath) -> float:
        kinds = (int,) if whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise at.wrong(f"{unit} from {least} to {most}", value)

    return read


def one_of(*options: str) -> Reader:
    """A reader of strings that must be one of these."""
    return lambda value, at: known(string(value, at), at, options)


def or_null(reader: Reader) -> Reader:
    """A reader for a key of JSON whose absence means "none": null means the same."""
    return lambda value, at: None if value is None else reader(value, at)


def known(word: str, at: KeyPath, options: Iterable[str]) -> str:
    """The word, if it is one of the options; they may be names that the file declares."""
    options = tuple(options)
    if word in options:
        return word
    remedy = f"use one of {', '.join(options)} in {at.file}" if options else f"declare {word!r} in {at.file} first"
    raise ConfigError(f"{at}: unknown {word!r}{did_you_mean(word, options)}", remedy=remedy)


def duration(value: Any, at: KeyPath, *, or_else: str = "") -> timedelta:
    """Read a time such as "180d"; `or_else` completes the message with what else is accepted."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", value) if isinstance(value, str) else None
    if match is None:
        raise at.wrong(f'a time such as "180d", a number and one of s, m, h, d, w{or_else}', value)
    try:
        return timedelta(seconds=float(match[1]) * _UNITS[match[2]])
    except OverflowError:
        raise at.wrong("a shorter time", value) from None

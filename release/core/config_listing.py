"""Every setting with its effective value and where that comes from; every mistake of a table, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from release.core.config import CheckNames, parse_config
from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN

#: tables that mean something by being there
_OPTIONAL = {"set", "fleet"}


class Setting(Struct, frozen=True, kw_only=True):
    """One key of `[tool.release]`."""

    #: the table below `tool.release`: "upload"; empty for the table itself
    table: str
    key: str
    #: as in TOML; None if there is neither a value nor a default
    value: Any
    #: whether the file has it
    is_set: bool


def list_settings(data: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings of the table `data`, and the defaults of all others, in the order of the schema."""
    indexes = {name: {**_addresses(name), **data.get("indexes", {}).get(name, {})} for name in WELL_KNOWN}
    return tuple(_settings({**data, "indexes": {**data.get("indexes", {}), **indexes}}, data, schema, ""))


def _settings(
    data: Mapping[str, Any], given: Mapping[str, Any], schema: Mapping[str, Any], table: str
) -> Iterator[Setting]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    plain = {key: one for key, one in properties.items() if one.get("type") != "object"}
    for key, one in plain.items():
        yield Setting(table=table, key=key, value=data.get(key, one.get("default")), is_set=key in given)
    for key in data.keys() - properties.keys():
        yield Setting(table=table, key=key, value=data[key], is_set=key in given)
    for key, one in properties.items():
        if key in plain or (key in _OPTIONAL and key not in given):
            continue
        inner, own = data.get(key, {}), given.get(key, {})
        path = f"{table}.{key}" if table else key
        entries = one.get("additionalProperties")
        if isinstance(entries, Mapping) and entries.get("type") == "object":
            for name in inner:
                yield from _settings(inner[name], own.get(name, {}), {}, f"{path}.{name}")
        else:
            yield from _settings(inner, own, one, path)


def _addresses(name: str) -> dict[str, str]:
    index = WELL_KNOWN[name]
    return {"upload-url": index.upload_url, "simple-url": index.simple_url, "kind": index.kind}


def find_mistakes(data: Mapping[str, Any], check_names: CheckNames) -> tuple[ConfigError, ...]:
    """One error for each wrong key of the table, in tables below it one for each of theirs."""
    found: list[ConfigError] = []
    for key, value in data.items():
        tables = isinstance(value, Mapping) and key in {"smoke", "upload", "set", "indexes", "waive", "checks"}
        for one in [{key: {name: inner}} for name, inner in value.items()] if tables else [{key: value}]:
            try:
                parse_config(one, check_names)
            except ConfigError as error:
                found.append(error)
    return tuple(found)

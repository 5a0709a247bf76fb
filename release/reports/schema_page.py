"""A JSON Schema as Markdown: a table of keys for each object, for the reference in the documentation.

Only what describes is shown (title, description, type, enum, const, default, required, minimum, and the schemas of
properties, items and additional properties); conditions between keys belong into their descriptions.
Source: JSON Schema 2020-12, "Core" and "Validation".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

Schema = Mapping[str, Any]

_PLURALS = {"string": "strings", "integer": "integers", "number": "numbers", "boolean": "booleans", "array": "lists"}


def schema_to_markdown(schema: Schema, *, level: int = 2, prefix: str = "") -> str:
    """The keys as tables, one for each object, the first under a heading of `level`.

    With a `prefix`, such as "tool.release", objects are tables of TOML below it; without one, they are JSON.
    """
    page = _Page(schema=schema, prefix=prefix)
    page.name_of("", schema)
    parts: list[str] = []
    for number, (path, node) in enumerate(page.objects()):
        title = f"`{page.label(path)}`" if path or prefix else str(schema.get("title", "Keys"))
        parts += [f"{'#' * (level + (number > 0))} {title}", ""]
        # the description of a nested object stands in the row that refers to it
        parts += [_escape(node["description"]), ""] if number == 0 and node.get("description") else []
        columns = ("key", "type", "default", "") if page.has_defaults else ("key", "type", "")
        parts += [_row(columns), "|" + "---|" * len(columns), *page.rows(path, node), ""]
    return "\n".join(parts)


class _Page(Struct, kw_only=True, dict=True):
    schema: Schema
    prefix: str
    #: path of an object → its schema, in the order in which they are met
    _found: dict[str, Schema] = field(default_factory=dict)

    @cached_property
    def has_defaults(self) -> bool:
        return '"default":' in json.dumps(self.schema)

    def objects(self) -> Iterator[tuple[str, Schema]]:
        """Each object with keys of its own; describing its rows finds further ones."""
        shown: set[str] = set()
        while left := [one for one in self._found.items() if one[0] not in shown]:
            shown.add(left[0][0])
            yield left[0]

    def rows(self, path: str, node: Schema) -> Iterator[str]:
        required = node.get("required", ())
        for part in self._parts(node):
            for key, value in part.get("properties", {}).items():
                target = self._resolve(value)
                default = f"`{json.dumps(target['default'], ensure_ascii=False)}`" if "default" in target else ""
                text = _escape(str(value.get("description") or target.get("description") or ""))
                name = f"`{key}`" + (" (required)" if self.prefix and key in required else "")
                here = f"{path}.{key}" if path else key
                yield _row([name, self.type_of(value, here), *([default] if self.has_defaults else []), text])

    def type_of(self, node: Schema, path: str, *, plural: bool = False) -> str:
        """What a value may be, in words; objects with keys of their own are named by their path."""
        node = self._resolve(node)
        if "const" in node:
            return f"`{json.dumps(node['const'])}`"
        if "enum" in node:
            return ", ".join(f"`{json.dumps(one, ensure_ascii=False)}`" for one in node["enum"])
        for choice in ("anyOf", "oneOf"):
            if any(self._describes(one) for one in node.get(choice, ())) and not node.get("properties"):
                return " or ".join(dict.fromkeys(self.type_of(one, path, plural=plural) for one in node[choice]))
        kinds = node.get("type", "object" if self._is_object(node) else "any")
        names = [kinds] if isinstance(kinds, str) else kinds
        return " or ".join(self._kind(name, node, path, plural=plural) for name in names)

    def _kind(self, name: str, node: Schema, path: str, *, plural: bool) -> str:
        if name == "null":
            return "`null`"
        if name == "array":
            items = self.type_of(node.get("items", {}), f"{path}[]", plural=True)
            return f"list{'s' * plural} of {items}"
        if name == "object":
            return self._object(node, path, plural=plural)
        least = f", at least {node['minimum']}" if node.get("minimum") else ""
        return (_PLURALS.get(name, name) if plural else name) + least

    def _object(self, node: Schema, path: str, *, plural: bool) -> str:
        word = ("table" if self.prefix else "object") + "s" * plural
        if self._is_object(node):
            return f"{word} `{self.label(self.name_of(path, node))}`"
        patterns = [*node.get("patternProperties", {}).values()]
        more = node.get("additionalProperties")
        values = patterns or ([more] if isinstance(more, Mapping) and more else [])
        if not values:
            return word
        return f"{word} of {' or '.join(self.type_of(one, f'{path}.NAME', plural=True) for one in values)}"

    def name_of(self, path: str, node: Schema) -> str:
        """The path under which an object is shown: that of its first use."""
        known = next((name for name, one in self._found.items() if one is node), None)
        if known is None:
            # two alternatives of one key are objects of one path
            known = path if path not in self._found else f"{path} "
            self._found[known] = node
        return known

    def label(self, path: str) -> str:
        if not self.prefix:
            return path.strip() or "the document"
        whole = f"{self.prefix}.{path.strip()}" if path else self.prefix
        plain = whole.replace("[]", "")
        return f"[[{plain}]]" if whole.endswith("[]") else f"[{plain}]"

    def _resolve(self, node: Schema) -> Schema:
        if isinstance(reference := node.get("$ref"), str) and reference.startswith("#/"):
            target: Any = self.schema
            for step in reference.removeprefix("#/").split("/"):
                target = target[step]
            return self._resolve(target)
        return node

    def _parts(self, node: Schema) -> Iterator[Schema]:
        """The schema itself, and those of its alternatives that declare keys."""
        yield node
        for choice in ("allOf", "anyOf", "oneOf"):
            yield from (one for one in map(self._resolve, node.get(choice, ())) if one.get("properties"))

    def _is_object(self, node: Schema) -> bool:
        return any(part.get("properties") for part in self._parts(node))

    def _describes(self, node: Schema) -> bool:
        return any(key in node for key in ("$ref", "type", "enum", "const", "properties", "anyOf", "oneOf"))


def _row(cells: Iterable[str]) -> str:
    return "|" + "|".join(f" {_cell(cell)} " if cell else " " for cell in cells) + "|"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _escape(text: str) -> str:
    """Text in one line, with what has a meaning in Markdown escaped, but for code in backticks."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:  # a backtick that begins no code
        return re.sub(r"([\\`*_<>\[\]])", r"\\\1", "`".join(parts))
    escaped = (part if number % 2 else re.sub(r"([\\*_<>\[\]])", r"\\\1", part) for number, part in enumerate(parts))
    return "`".join(escaped)

"""JSON Schemas as Markdown: every key, with its type, default and description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from release.reports.schema_page import schema_to_markdown

ROOT = Path(__file__).parents[2]
CONFIG: Mapping[str, Any] = {
    "title": "The configuration",
    "description": "The table `[tool.release]`.",
    "type": "object",
    "properties": {
        "branch": {"title": "Branch", "description": "Release from this branch only.", "type": "string"},
        "attest": {"description": "Sign what goes to PyPI.", "enum": [True, False, "auto"], "default": "auto"},
        "maintenance-branches": {"type": "array", "items": {"type": "string"}, "default": []},
        "either": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "pipe": {"description": "a | b\nc", "type": ["string", "null"], "default": "a|b"},
        "empty": {},
        "upload": {
            "description": "How files are sent.",
            "type": "object",
            "properties": {"concurrency": {"type": "integer", "minimum": 1, "default": 4}},
        },
        "indexes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/index"}},
        "waive": {"type": "object", "additionalProperties": {"type": "string"}},
        "checks": {"type": "object", "patternProperties": {"^.*$": {"const": "block"}}},
        "tokens": {"type": "array", "items": {"$ref": "#/$defs/token"}},
        "other-tokens": {"type": "array", "items": {"$ref": "#/$defs/token"}},
    },
    "$defs": {
        "index": {
            "type": "object",
            "required": ["upload-url"],
            "properties": {"upload-url": {"type": "string"}, "mirror": {"$ref": "#/$defs/index"}},
        },
        "token": {"type": "object", "properties": {"env": {"description": "A variable.", "type": "string"}}},
    },
}


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| `")]


def test_every_key_has_a_row_with_type_default_and_description() -> None:
    text = schema_to_markdown(CONFIG, prefix="tool.release", level=2)
    assert text.startswith("## `[tool.release]`\n\nThe table `[tool.release]`.\n")
    for row in (
        "| `branch` | string | | Release from this branch only. |",
        '| `attest` | `true`, `false`, `"auto"` | `"auto"` | Sign what goes to PyPI. |',
        "| `maintenance-branches` | list of strings | `[]` | |",
        "| `either` | string or list of strings | | |",
        r'| `pipe` | string or `null` | `"a\|b"` | a \| b c |',
        "| `empty` | any | | |",
        "| `upload` | table `[tool.release.upload]` | | How files are sent. |",
        "| `indexes` | table of tables `[tool.release.indexes.NAME]` | | |",
        "| `waive` | table of strings | | |",
        '| `checks` | table of `"block"` | | |',
        "| `tokens` | list of tables `[[tool.release.tokens]]` | | |",
    ):
        assert row in rows(text), row


def test_nested_tables_have_sections_of_their_own_and_a_shared_one_is_shown_once() -> None:
    text = schema_to_markdown(CONFIG, prefix="tool.release", level=2)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "## `[tool.release]`", "### `[tool.release.upload]`", "### `[tool.release.indexes.NAME]`",
        "### `[[tool.release.tokens]]`",
    ]  # fmt: skip
    assert "| `concurrency` | integer, at least 1 | `4` | |" in rows(text)
    assert "| `upload-url` (required) | string | | |" in rows(text)
    assert "| `mirror` | table `[tool.release.indexes.NAME]` | | |" in rows(text)  # refers to itself
    assert "| `other-tokens` | list of tables `[[tool.release.tokens]]` | | |" in rows(text)
    assert text.count("| `env` |") == 1


def test_json_paths_without_a_prefix() -> None:
    schema = {
        "title": "A record",
        "type": "object",
        "properties": {"runs": {"type": "array", "items": {"type": "object", "properties": {"exit": {"const": 1}}}}},
    }
    text = schema_to_markdown(schema, level=3)
    assert text.startswith("### A record\n")
    assert "| key | type | |\n|---|---|---|\n" in text  # no column of defaults where there are none
    assert "| `runs` | list of objects `runs[]` | |" in rows(text)
    assert "#### `runs[]`\n" in text


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        (".release/<version>/record.json", r".release/\<version\>/record.json"),
        ("`.release/<version>/a_b`, or *_all_", r"`.release/<version>/a_b`, or \*\_all\_"),
        ("a ` alone <b>", r"a \` alone \<b\>"),
        ("plain words, 1-2 of them", "plain words, 1-2 of them"),
    ],
)
def test_descriptions_are_text_and_not_markup(description: str, shown: str) -> None:
    text = schema_to_markdown({"title": "T", "description": description, "properties": {"a": {"type": "string"}}})
    assert f"\n\n{shown}\n\n" in text


def all_keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for one in node.values():
            yield from all_keys(one)
    elif isinstance(node, list):
        for one in node:
            yield from all_keys(one)


@pytest.mark.parametrize("path", sorted((ROOT / "release").rglob("*.schema.json")), ids=lambda one: str(one.name))
def test_every_key_of_the_schemas_of_this_package_is_shown(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    shown = schema_to_markdown(schema, level=2)
    missing = {key for key in all_keys(schema) if f"| `{key}`" not in shown}
    assert not missing

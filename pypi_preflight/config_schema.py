"""The JSON Schema of `[tool.release]`, as a plug-in of validate-pyproject."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parents[1] / "release" / "core" / "config.schema.json"


def config_schema(_tool: str = "release") -> dict[str, Any]:
    """The schema (draft 7). Source: validate-pyproject 0.27, "Plugins": it is called with the name of the tool."""
    schema: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return schema

"""Where values stand in TOML files."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from release.adapters.project_version.base import ProjectFiles, place_at
from release.core.models.preparation import VersionPlace

#: stands for a value while its position is searched: no file has it
_MARK = "\ue000\ue001version\ue001\ue000"


def toml_places(project: ProjectFiles, path: str, *keys: str) -> tuple[VersionPlace, ...]:
    """The place of a string in a TOML file; empty where the file has none under these keys."""
    text = project.text(path)
    if text is None:
        return ()
    span = _span(text, keys)
    return () if span is None else (place_at(path, text, span, ".".join(keys)),)


def _span(text: str, keys: Sequence[str]) -> tuple[int, int] | None:
    """The span of a string's content: what differs when tomlkit writes another value there."""
    import tomlkit
    from tomlkit.exceptions import ParseError
    from tomlkit.items import String

    start = len(text) - len(text.removeprefix("\ufeff"))
    try:
        document = tomlkit.parse(text[start:])
    except ParseError:
        return None
    table: Any = document
    for key in keys[:-1]:
        table = table.get(key) if isinstance(table, MutableMapping) else None
    value = table.get(keys[-1]) if isinstance(table, MutableMapping) else None
    if not isinstance(value, String):
        return None
    quotes = value.as_string()
    table[keys[-1]] = tomlkit.string(_MARK, literal=quotes.startswith("'"), multiline=quotes[:3] in {"'''", '"""'})
    before, mark, after = tomlkit.dumps(document).partition(_MARK)
    span = (start + len(before), len(text) - len(after))
    same = mark and text[start:].startswith(before) and text.endswith(after)
    return span if same and text[slice(*span)] == str(value) else None

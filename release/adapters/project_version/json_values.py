"""Where values stand in JSON files."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_VALUE = re.compile(r'\s*:\s*"([^"\\]*)"')


def json_span(text: str, key: str) -> tuple[int, int] | None:
    """The span of the content of a string at the top of a JSON object; None if it has none under this key."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] == f'"{key}"' and depth == 1 and (value := _VALUE.match(text, token.end())):
            return value.span(1)
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
    return None

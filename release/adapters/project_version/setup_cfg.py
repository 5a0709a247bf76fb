"""Where values stand in setup.cfg and other INI files."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SECTION = re.compile(r"\[(?P<name>[^\]\n]+)\]")
_OPTION = re.compile(r"(?P<key>[^\s:=#;\[][^:=\n]*?)[ \t]*[:=][ \t]*(?P<value>.*?)[ \t]*$")


def ini_options(text: str) -> Iterator[tuple[str, str, str, tuple[int, int]]]:
    """Each option: section, key with "_" for "-" in lower case, value of its first line, and the span of that."""
    section, start = "", 0
    for line in text.splitlines(keepends=True):
        content = line.rstrip("\r\n")
        if found := _SECTION.match(content):
            section = found["name"]
        elif found := _OPTION.match(content):
            key = found["key"].lower().replace("-", "_")
            yield section, key, found["value"], (start + found.start("value"), start + found.end("value"))
        start += len(line)

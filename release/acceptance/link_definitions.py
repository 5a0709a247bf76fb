"""Link reference definitions of Markdown, `[label]: target "title"`, as the index reads them."""

from __future__ import annotations

import re

from markdown_it.common.utils import unescapeAll
from msgspec import Struct

#: parentheses in each other that a target may have, and characters that a label may have
_DEPTH, _LABEL_LENGTH = 32, 1000
_PUNCTUATION = r"[!-/:-@\[-`{-~]"
_LABEL = re.compile(r"\[((?:[^\\\[\]]|\\.)*)\]:[ \t]*(?:\n[ \t]*)?", re.DOTALL)
_ANGLED = re.compile(r"<((?:[^\n<>\\]|\\.)*)>", re.DOTALL)
_BARE = re.compile(r"[^\x00-\x20\x7f]+")
_PARENTHESES = re.compile(rf"\\{_PUNCTUATION}|[()]")
_BEFORE_TITLE = re.compile(r"[ \t]*(?:\n[ \t]*)?")
#: a quotation mark after a backslash may end it, if no other does
_TITLE = re.compile(r'"(?:[^"]|(?<=\\)")*"|\'(?:[^\']|(?<=\\)\')*\'|\((?:[^()]|(?<=\\)[()])*\)')
_END = re.compile(r"[ \t]*(?:\n|\Z)")


class LinkDefinition(Struct, frozen=True, kw_only=True):
    label: str
    target: str
    #: where the text continues
    end: int


def parse_link_definition(text: str, start: int) -> LinkDefinition | None:
    """The definition that starts there, with the end of its last line. Lines are without leading blanks."""
    found = _LABEL.match(text, start)
    if not found or not found[1].strip() or len(found[1]) > _LABEL_LENGTH:
        return None
    target = _parse_target(text, found.end())
    if target is None:
        return None
    address, position = target
    end = _END.match(text, position)
    before = _BEFORE_TITLE.match(text, position)
    if before and before.end() > position and (title := _TITLE.match(text, before.end())):
        after_title = _END.match(text, title.end())
        # as comrak does: after an empty title, the line is not read again without it
        end = after_title or (None if title[0] in {"''", '""', "()"} else end)
    return end and LinkDefinition(label=found[1], target=unescapeAll(address), end=end.end())


def _parse_target(text: str, start: int) -> tuple[str, int] | None:
    """The target, and where it ends: in angle brackets, or without blanks and with parentheses in pairs."""
    if text.startswith("<", start):
        angled = _ANGLED.match(text, start)
        return (angled[1], angled.end()) if angled and angled.end() < len(text) else None
    bare = _BARE.match(text, start)
    if not bare:
        return None
    depth, end = 0, bare.end()
    for found in _PARENTHESES.finditer(text, start, end):
        if found[0] == "(":
            depth += 1
        elif found[0] == ")" and not depth:
            end = found.start()
            break
        elif found[0] == ")":
            depth -= 1
        if depth > _DEPTH:
            return None
    return None if depth or end == start else (text[start:end], end)

"""Changes of lines of a `.pypirc` with which a token counts: in words, and made. Other lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern
from release.credentials.sources import pypirc_file

_TOKEN = lazy_pattern(r"pypi-[A-Za-z0-9_-]+")
_LOGIN_KEYS = lazy_pattern(r"(?:username|user|password)\s*[:=]", re.IGNORECASE)


class LineChange(Struct, frozen=True, kw_only=True):
    """A change of the lines from `first` to `last`, counted from 1."""

    kind: Literal["unindent", "uncomment", "heading", "key", "move", "login"]
    first: int
    last: int
    #: the section's name for "heading" and "move"; the key that is replaced for "key"
    text: str = ""

    def to_text(self, name: str) -> str:
        """What to do with the file, an instruction."""
        lines = f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"
        where = f"{lines} of {name}"
        match self.kind:
            case "unindent":
                return f"remove the blanks at the beginning of {where}"
            case "uncomment":
                return f"remove the '#' or ';' from {where}"
            case "heading":
                return f"write [{self.text}] in {where}"
            case "key":
                return f"write 'password' in place of '{self.text}' in {where}"
            case "move":
                return f"move {where} to a section [{self.text}]"
            case "login":
                return f"write two lines in place of {where}: username = __token__, and password = the token"

    def apply(self, data: bytes) -> bytes | None:
        """The changed file; None where the result could not be parsed, or the token not be told from its line."""
        try:
            lines = data.decode().splitlines(keepends=True)
        except UnicodeDecodeError:
            return None
        after = _EDITS[self.kind](self, lines)
        new = None if after is None else "".join(after).encode()
        return new if new is not None and pypirc_file.values(new) is not None else None


def _edited(change: LineChange, lines: list[str], edit: Callable[[str], str]) -> list[str]:
    block = lines[change.first - 1 : change.last]
    return [*lines[: change.first - 1], *map(edit, block), *lines[change.last :]]


def _unindent(change: LineChange, lines: list[str]) -> list[str]:
    return _edited(change, lines, lambda line: line.lstrip(" \t"))


def _uncomment(change: LineChange, lines: list[str]) -> list[str]:
    return _edited(change, lines, lambda line: re.sub(r"^\s*[#;][\s#;]*", "", line))


def _heading(change: LineChange, lines: list[str]) -> list[str]:
    return _edited(change, lines, lambda line: f"[{change.text}]{_ending(line)}")


def _key(change: LineChange, lines: list[str]) -> list[str]:
    old = re.compile(re.escape(change.text), re.IGNORECASE)
    return _edited(change, lines, lambda line: old.sub("password", line, count=1))


def _move(change: LineChange, lines: list[str]) -> list[str]:
    moved = [line if _ending(line) else f"{line}\n" for line in lines[change.first - 1 : change.last]]
    rest = [*lines[: change.first - 1], *lines[change.last :]]
    heading = next((at for at, line in enumerate(rest) if line.strip() == f"[{change.text}]"), None)
    if heading is not None:
        return [*rest[: heading + 1], *moved, *rest[heading + 1 :]]
    if rest and not _ending(rest[-1]):
        rest[-1] += "\n"
    return [*rest, f"[{change.text}]\n", *moved]


def _login(change: LineChange, lines: list[str]) -> list[str] | None:
    """Two lines in place of the one with the token; the section's other username and password are removed."""
    at, tokens = change.first - 1, _TOKEN.findall(lines[change.first - 1])
    if len(tokens) != 1:
        return None
    start = next((number for number in range(at, -1, -1) if lines[number].startswith("[")), 0)
    end = next((number for number in range(at + 1, len(lines)) if lines[number].startswith("[")), len(lines))
    ending = _ending(lines[at]) or "\n"
    new = [f"username = __token__{ending}", f"password = {tokens[0]}{ending}"]
    above = [line for line in lines[start:at] if not _LOGIN_KEYS.match(line)]
    below = [line for line in lines[at + 1 : end] if not _LOGIN_KEYS.match(line)]
    return [*lines[:start], *above, *new, *below, *lines[end:]]


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


_EDITS: Mapping[str, Callable[[LineChange, list[str]], list[str] | None]] = MappingProxyType({
    "unindent": _unindent,
    "uncomment": _uncomment,
    "heading": _heading,
    "key": _key,
    "move": _move,
    "login": _login,
})  # fmt: skip

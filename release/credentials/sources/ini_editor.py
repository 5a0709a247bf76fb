"""Edits one value of an INI file; every other byte stays.

Each edit is parsed before it is returned. Where the parser that upload tools use would see any other change, the
result is None.
"""

from __future__ import annotations

import codecs
import configparser
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SECTION = re.compile(rb"\[(?P<name>[^\r\n]+)\]")
_OPTION = re.compile(rb"(?P<before>(?P<key>[^\s:=#;\[][^:=\r\n]*?)[ \t]*[:=][ \t]*)")
_END = re.compile(rb"[\r\n]*\Z")

Values = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionLines:
    """The lines of an option, with its continuation lines."""

    #: first line, counted from 0
    start: int
    #: the line after the last one
    end: int
    #: the part of the first line before the value
    before: bytes


def values(data: bytes) -> Values | None:
    """Every value, by section and key; None where the file cannot be parsed."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError):
        return None
    return {(name, key): value for name in parser.sections() for key, value in parser.items(name)} | {
        (name, ""): "" for name in parser.sections()
    }


def with_value(data: bytes, section: str, key: str, value: str) -> bytes | None:
    """The file with another value for an option; None where that is not possible safely."""
    lines, place = _find_option(data, section, key)
    if place is None:
        return None
    ending = _ending(lines[place.end - 1])
    new = [*lines[: place.start], place.before + value.encode() + ending, *lines[place.end :]]
    return _checked(data, new, {(section, key): value})


def without(data: bytes, section: str, key: str) -> bytes | None:
    """The file without an option; None where that is not possible safely."""
    lines, place = _find_option(data, section, key)
    if place is None:
        return None
    return _checked(data, [*lines[: place.start], *lines[place.end :]], {(section, key): None})


def with_word(data: bytes, section: str, key: str, word: str, default: Sequence[str]) -> bytes | None:
    """The file with another word in an option that lists words; `default`: the words where the option is missing."""
    lines, place = _find_option(data, section, key)
    if place is not None:
        old = (values(data) or {}).get((section, key), "")
        last = lines[place.end - 1]
        bare, ending = last[: len(last) - len(_ending(last))], _ending(last)
        if place.end - place.start > 1:  # one word per line
            indent = last[: len(last) - len(last.lstrip())]
            added = [bare, ending or b"\n", indent, word.encode(), ending]
            wanted = f"{old}\n{word}"
        else:
            added = [bare.rstrip(), b" ", word.encode(), ending]
            wanted = f"{old} {word}"
        new = [*lines[: place.end - 1], *added, *lines[place.end :]]
        return _checked(data, new, {(section, key): wanted})
    option = f"{key} = {' '.join([*default, word])}".encode()
    return _with_option(data, lines, section, key, option)


def _with_option(data: bytes, lines: list[bytes], section: str, key: str, option: bytes) -> bytes | None:
    """The file with a new option: after the heading of its section, or in a new section at the top."""
    ending = (_ending(lines[0]) if lines else b"") or b"\n"
    heads = [number for number, line in enumerate(lines) if _section(line) == section]
    value = option.partition(b" = ")[2].decode()
    if heads:
        new = [*lines[: heads[0] + 1], option, ending, *lines[heads[0] + 1 :]]
        return _checked(data, new, {(section, key): value})
    new = [f"[{section}]".encode(), ending, option, ending, ending, *lines]
    return _checked(data, new, {(section, ""): "", (section, key): value})


def _checked(before: bytes, lines: list[bytes], changes: dict[tuple[str, str], str | None]) -> bytes | None:
    """The lines as a file, if a parser sees these changes and no others; otherwise None."""
    after = (codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b"") + b"".join(lines)
    old, new = values(before), values(after)
    if old is None or new is None:
        return None
    wanted = {key: value for key, value in {**old, **changes}.items() if value is not None}
    return after if new == wanted else None


def _find_option(data: bytes, section: str, key: str) -> tuple[list[bytes], OptionLines | None]:
    """The file's lines, without a byte order mark, and the position of the option."""
    lines = data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)
    return lines, next(_options(lines, section, key), None)


def _options(lines: list[bytes], section: str, key: str) -> Iterator[OptionLines]:
    current: str | None = None
    for number, line in enumerate(lines):
        current = _section(line) or current
        option = _OPTION.match(line)
        if current == section and option and option["key"].decode("utf-8", "replace").lower() == key:
            end = number + 1
            while end < len(lines) and re.match(rb"[ \t]+[^\s#;]", lines[end]):
                end += 1
            yield OptionLines(start=number, end=end, before=option["before"])


def _section(line: bytes) -> str | None:
    match = _SECTION.match(line)
    return match["name"].decode("utf-8", "replace") if match else None


def _ending(line: bytes) -> bytes:
    match = _END.search(line)
    return match[0] if match else b""

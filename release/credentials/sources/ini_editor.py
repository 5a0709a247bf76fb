"""Changing one value of an INI file, and nothing else: every other byte stays. Pure.

Each change is read back before it is offered: where the parser that uploaders use would then see
anything else changed, there is no offer.
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
class Place:
    """Where an option stands, its continuation lines included."""

    #: of the first line, from 0
    start: int
    #: behind the last line
    end: int
    #: what stands in the first line before the value
    before: bytes


def values(data: bytes) -> Values | None:
    """Every value, by section and key; None where the file can't be read."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError):
        return None
    return {(name, key): value for name in parser.sections() for key, value in parser.items(name)} | {
        (name, ""): "" for name in parser.sections()
    }


def with_value(data: bytes, section: str, key: str, value: str) -> bytes | None:
    """The file with another value for an option; None where it can't be changed safely."""
    lines, place = _found(data, section, key)
    if place is None:
        return None
    ending = _ending(lines[place.end - 1])
    new = [*lines[: place.start], place.before + value.encode() + ending, *lines[place.end :]]
    return _kept(data, new, {(section, key): value})


def without(data: bytes, section: str, key: str) -> bytes | None:
    """The file without an option; None where it can't be changed safely."""
    lines, place = _found(data, section, key)
    if place is None:
        return None
    return _kept(data, [*lines[: place.start], *lines[place.end :]], {(section, key): None})


def with_word(data: bytes, section: str, key: str, word: str, default: Sequence[str]) -> bytes | None:
    """The file with one word more in an option that lists words; `default` is what the option means where it lacks."""
    lines, place = _found(data, section, key)
    if place is not None:
        old = (values(data) or {}).get((section, key), "")
        last = lines[place.end - 1]
        bare, ending = last[: len(last) - len(_ending(last))], _ending(last)
        if place.end - place.start > 1:  # one word a line
            indent = last[: len(last) - len(last.lstrip())]
            added = [bare, ending or b"\n", indent, word.encode(), ending]
            wanted = f"{old}\n{word}"
        else:
            added = [bare.rstrip(), b" ", word.encode(), ending]
            wanted = f"{old} {word}"
        new = [*lines[: place.end - 1], *added, *lines[place.end :]]
        return _kept(data, new, {(section, key): wanted})
    option = f"{key} = {' '.join([*default, word])}".encode()
    return _with_option(data, lines, section, key, option)


def _with_option(data: bytes, lines: list[bytes], section: str, key: str, option: bytes) -> bytes | None:
    """The file with an option that it lacks: right behind its section's heading, or in a new section at the top."""
    ending = (_ending(lines[0]) if lines else b"") or b"\n"
    heads = [number for number, line in enumerate(lines) if _section(line) == section]
    value = option.partition(b" = ")[2].decode()
    if heads:
        new = [*lines[: heads[0] + 1], option, ending, *lines[heads[0] + 1 :]]
        return _kept(data, new, {(section, key): value})
    new = [f"[{section}]".encode(), ending, option, ending, ending, *lines]
    return _kept(data, new, {(section, ""): "", (section, key): value})


def _kept(before: bytes, lines: list[bytes], changes: dict[tuple[str, str], str | None]) -> bytes | None:
    """The lines as a file, if a parser sees these changes in it and no others."""
    after = (codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b"") + b"".join(lines)
    old, new = values(before), values(after)
    if old is None or new is None:
        return None
    wanted = {key: value for key, value in {**old, **changes}.items() if value is not None}
    return after if new == wanted else None


def _found(data: bytes, section: str, key: str) -> tuple[list[bytes], Place | None]:
    """The file's lines, without a byte order mark, and where the option stands."""
    lines = data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)
    return lines, next(_places(lines, section, key), None)


def _places(lines: list[bytes], section: str, key: str) -> Iterator[Place]:
    current: str | None = None
    for number, line in enumerate(lines):
        current = _section(line) or current
        option = _OPTION.match(line)
        if current == section and option and option["key"].decode("utf-8", "replace").lower() == key:
            end = number + 1
            while end < len(lines) and re.match(rb"[ \t]+[^\s#;]", lines[end]):
                end += 1
            yield Place(start=number, end=end, before=option["before"])


def _section(line: bytes) -> str | None:
    match = _SECTION.match(line)
    return match["name"].decode("utf-8", "replace") if match else None


def _ending(line: bytes) -> bytes:
    match = _END.search(line)
    return match[0] if match else b""

"""A `.pypirc` with line numbers, and edits of one of its values, after which every other byte stays.

Errors never quote a line, which may contain a token. Each edit is parsed before it is returned: where the parser that
upload tools use would see any other change, the result is None.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from release.core.errors import os_error_reason
from release.core.lazy_pattern import lazy_pattern
from release.credentials.sources.base import BrokenSourceError

if TYPE_CHECKING:
    import configparser

_HEADING = lazy_pattern(r"\[(?P<name>.+)\]")
_KEY = lazy_pattern(r"(?P<key>[^\s:=#;][^:=]*?)\s*[:=]")


class PypircFile(Struct, frozen=True, kw_only=True):
    """A parsed file."""

    #: as the user writes it: "~/.pypirc"
    name: str
    parser: configparser.RawConfigParser
    #: (section, key) → line; the line of a section's heading has the key ""
    lines: Mapping[tuple[str, str], int]
    #: whether it starts with a byte order mark
    bom: bool
    #: permission bits
    mode: int

    def line(self, section: str, key: str = "") -> int | None:
        """The line of an option, or of its section's heading."""
        return self.lines.get((section, key)) or self.lines.get((section, ""))

    def where(self, section: str, key: str = "") -> str:
        """File and line of an option, or of a section's heading."""
        line = self.line(section, key)
        return f"{self.name}, line {line}" if line else self.name


def load_pypirc(path: Path, name: str) -> PypircFile | None:
    """The file; None where there is none. Raises `BrokenSourceError`."""
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = os_error_reason(error)
        raise _malformed(f"{name} cannot be read: {reason}", f"make {name} a file that you can read", name) from None
    import configparser

    text, parser = _decode(data, name), configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line, message, remedy = _syntax_error(error)
        where = f"{name}, line {line}" if line else name
        raise _malformed(f"{where}: {message}", remedy, where) from None
    bom = data.startswith(codecs.BOM_UTF8)
    return PypircFile(name=name, parser=parser, lines=dict(_line_numbers(text)), bom=bom, mode=mode)


def _decode(data: bytes, name: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _malformed(f"{name} is UTF-16, which no tool reads", f"save {name} as UTF-8", name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"{name} is not UTF-8: byte {error.start} belongs to no character"
        raise _malformed(message, f"save {name} as UTF-8", f"{name}, line {line}") from None


def _syntax_error(error: configparser.Error) -> tuple[int | None, str, str]:
    """Line, message and remedy. The parser's own message is not used: it quotes the line."""
    import configparser

    match error:
        case configparser.DuplicateSectionError():
            return error.lineno, "this section occurs a second time", "merge the two sections"
        case configparser.DuplicateOptionError():
            return error.lineno, f"{error.option!r} occurs a second time", "remove one of the two"
        case configparser.MissingSectionHeaderError():
            return error.lineno, "a line before the first [section]", "start with [distutils] or [pypi]"
        case configparser.ParsingError() if error.errors:
            return error.errors[0][0], "neither a [section] nor a key = value", "correct or remove that line"
        case _:
            return None, "not an INI file", "write it again: [pypi], then password = your token"


def _malformed(message: str, remedy: str, where: str) -> BrokenSourceError:
    return BrokenSourceError(message, remedy=remedy, cause="pypirc.malformed", where=where)


def _line_numbers(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADING.match(line):
            section = header["name"]
            yield (section, ""), number
        elif option := _KEY.match(line):
            yield (section, option["key"].strip().lower()), number


_SECTION = lazy_pattern(rb"\[(?P<name>[^\r\n]+)\]")
_OPTION = lazy_pattern(rb"(?P<before>(?P<key>[^\s:=#;\[][^:=\r\n]*?)[ \t]*[:=][ \t]*)")

Values = dict[tuple[str, str], str]


class OptionLines(Struct, frozen=True, kw_only=True):
    """The lines of an option, with its continuation lines."""

    #: first line, counted from 0
    start: int
    #: the line after the last one
    end: int
    #: the part of the first line before the value
    before: bytes


def values(data: bytes) -> Values | None:
    """Every value, by section and key; None where the file cannot be parsed."""
    import configparser

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
    current: str | None = None
    for number, line in enumerate(lines):
        current = _section(line) or current
        option = _OPTION.match(line)
        if current == section and option and option["key"].decode("utf-8", "replace").lower() == key:
            end = number + 1
            while end < len(lines) and re.match(rb"[ \t]+[^\s#;]", lines[end]):
                end += 1
            return lines, OptionLines(start=number, end=end, before=option["before"])
    return lines, None


def _section(line: bytes) -> str | None:
    match = _SECTION.match(line)
    return match["name"].decode("utf-8", "replace") if match else None


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]

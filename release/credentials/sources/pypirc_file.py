"""A `.pypirc` with line numbers. Its errors never quote a line, which may contain a token."""

from __future__ import annotations

import codecs
import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from release.credentials.sources.base import BrokenSourceError

_SECTION = re.compile(r"\[(?P<name>.+)\]")
_OPTION = re.compile(r"(?P<key>[^\s:=#;][^:=]*?)\s*[:=]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PypircFile:
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
        reason = (error.strerror or type(error).__name__).lower()
        raise _malformed(f"{name} cannot be read: {reason}", f"make {name} a file that you can read", name) from None
    text = _decode(data, name)
    return PypircFile(
        name=name,
        parser=_parse(text, name),
        lines=dict(_line_numbers(text)),
        bom=data.startswith(codecs.BOM_UTF8),
        mode=mode,
    )


def _decode(data: bytes, name: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _malformed(f"{name} is UTF-16, which no tool reads", f"save {name} as UTF-8", name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"{name} is not UTF-8: byte {error.start} belongs to no character"
        raise _malformed(message, f"save {name} as UTF-8", f"{name}, line {line}") from None


def _parse(text: str, name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line, message, remedy = _syntax_error(error)
        where = f"{name}, line {line}" if line else name
        raise _malformed(f"{where}: {message}", remedy, where) from None
    return parser


def _syntax_error(error: configparser.Error) -> tuple[int | None, str, str]:
    """Line, message and remedy. The parser's own message is not used: it quotes the line."""
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
        if header := _SECTION.match(line):
            section = header["name"]
            yield (section, ""), number
        elif option := _OPTION.match(line):
            yield (section, option["key"].strip().lower()), number

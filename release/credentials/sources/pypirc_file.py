"""An INI file with line numbers, whose errors never quote a line: tokens stand in them."""

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
    """A file that was read."""

    #: as the user writes it: "~/.pypirc"
    shown: str
    parser: configparser.RawConfigParser
    #: (section, key) → line; a section's own line under the key ""
    lines: Mapping[tuple[str, str], int]
    #: whether it begins with a byte order mark
    bom: bool
    #: permission bits
    mode: int

    def where(self, section: str, key: str = "") -> str:
        """File and line of an option, or of a section."""
        line = self.lines.get((section, key)) or self.lines.get((section, ""))
        return f"{self.shown}, line {line}" if line else self.shown


def read(path: Path, shown: str) -> PypircFile | None:
    """The file; None where there is none. Raises `BrokenSourceError`."""
    try:
        data, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenSourceError(
            f"{shown} can't be read: {(error.strerror or type(error).__name__).lower()}",
            remedy=f"make {shown} a file that you can read",
            cause="pypirc.malformed",
            where=shown,
        ) from None
    text = _decoded(data, shown)
    return PypircFile(
        shown=shown,
        parser=_parsed(text, shown),
        lines=dict(_lines(text)),
        bom=data.startswith(codecs.BOM_UTF8),
        mode=mode,
    )


def _decoded(data: bytes, shown: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _malformed(f"{shown} is UTF-16, which no tool reads", f"save {shown} as UTF-8", shown)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"{shown} is not UTF-8: byte {error.start} belongs to no character"
        raise _malformed(message, f"save {shown} as UTF-8", f"{shown}, line {line}") from None


def _parsed(text: str, shown: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line, message, remedy = _trouble(error)
        where = f"{shown}, line {line}" if line else shown
        raise _malformed(f"{where}: {message}", remedy, where) from None
    return parser


def _trouble(error: configparser.Error) -> tuple[int | None, str, str]:
    """Line, message and remedy of a parser's error, without its words: they quote the line."""
    match error:
        case configparser.DuplicateSectionError():
            return error.lineno, "a section stands here for the second time", "merge the two sections"
        case configparser.DuplicateOptionError():
            return error.lineno, f"{error.option!r} stands here for the second time", "keep one of the two"
        case configparser.MissingSectionHeaderError():
            return error.lineno, "a line stands before any [section]", "begin with [distutils] or [pypi]"
        case configparser.ParsingError() if error.errors:
            return error.errors[0][0], "neither a [section] nor a key = value", "correct or remove that line"
        case _:
            return None, "not an INI file", "write it anew: [pypi], then password = your token"


def _malformed(message: str, remedy: str, where: str) -> BrokenSourceError:
    return BrokenSourceError(message, remedy=remedy, cause="pypirc.malformed", where=where)


def _lines(text: str) -> Iterator[tuple[tuple[str, str], int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _SECTION.match(line):
            section = header["name"]
            yield (section, ""), number
        elif option := _OPTION.match(line):
            yield (section, option["key"].strip().lower()), number

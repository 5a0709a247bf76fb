"""The lines of a `.pypirc` with a token that an upload does not read, and the change with which it would.

Observed: Python 3.11 to 3.14, `configparser`: a line that is indented deeper than the key above it continues the value
of that key, even if it looks like a key itself; quotes and blanks inside the brackets belong to a section's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import WELL_KNOWN, Index
from release.core.redaction import redact
from release.core.tokens.token import contains_token
from release.credentials.sources import base
from release.credentials.sources.pypirc_changes import LineChange

if TYPE_CHECKING:
    from release.core.models.check_result import Finding

_HEADING = lazy_pattern(r"\[(?P<name>.+)\]")
_OPTION = lazy_pattern(r"(?P<key>[^:=]*?)\s*[:=]\s*(?P<value>.*)")
#: the beginning of an option, but not a token with padding
_KEY = lazy_pattern(r"[A-Za-z][\w -]{0,30}\s*[:=]")
_COMMENT = lazy_pattern(r"\s*[#;]")


class PypircLine(Struct, frozen=True, kw_only=True):
    """One line, and what the parser takes it for."""

    #: counted from 1
    number: int
    text: str
    kind: Literal["heading", "option", "continuation", "comment"]
    #: the section that the parser puts it in; empty before the first
    section: str = ""
    #: of the option, or of the option that the line continues
    key: str = ""


def parse_lines(text: str) -> Iterator[PypircLine]:
    """Every line but the blank ones, as `configparser` reads them."""
    section = key = ""
    indent = 0
    for number, line in enumerate(text.splitlines(), 1):
        here = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if _COMMENT.match(line):
            yield PypircLine(number=number, text=line, kind="comment", section=section)
            continue
        if key and here > indent:
            yield PypircLine(number=number, text=line, kind="continuation", section=section, key=key)
            continue
        indent = here
        if heading := _HEADING.match(line.strip()):
            section, key = heading["name"], ""
            yield PypircLine(number=number, text=line, kind="heading", section=section)
        else:
            option = _OPTION.match(line.strip())
            key = option["key"].lower() if option else line.strip().lower()
            yield PypircLine(number=number, text=line, kind="option", section=section, key=key)


def misplaced_lines(
    text: str, name: str, index: Index, is_read: Callable[[str], bool], is_of_another: Callable[[str], bool]
) -> Iterator[tuple[Finding, LineChange]]:
    """Why each line with a token of the index does not count, and the change with which it does.

    `name` is the file's; `is_read` tells whether an upload to the index reads a section, `is_of_another` whether its
    tokens are of another index, although they look the same.
    """
    lines = list(parse_lines(text))
    for line in lines:
        used = line.key == "password" and is_read(line.section) and not _continues_another(line)
        if not used and not is_of_another(line.section) and contains_token(line.text, index):
            where = f"{name}, line {line.number}"
            message, change, cause = _explain(line, lines, index, is_read)
            yield base.warning(f"{where}: {message}", change.to_text(name), where, cause), change


def _explain(
    line: PypircLine, lines: list[PypircLine], index: Index, is_read: Callable[[str], bool]
) -> tuple[str, LineChange, str]:
    """Message, change and cause."""
    heading = _swallowed_heading(line, lines)
    if line.kind == "comment":
        return "the line with the token is a comment", _change("uncomment", line), "pypirc.commented-out"
    if heading or _continues_another(line):
        return _explain_indented(line, heading, lines, index)
    if line.key in {"username", "user"}:
        return "the token is the username; it must be the password", _change("login", line), "cred.swapped"
    if re.search(r"[:/]\S+@", line.text):
        message = "the token is in the address, where neither pypi-preflight nor twine reads it"
        return message, _change("login", line), "url.credentials"
    if is_read(line.section) and line.key != "password":
        key = shown(line.key)
        change = _change("key", _option_of(line, lines), text=key[1:-1])
        return f"no tool reads a key {key}", change, "pypirc.key-misspelled"
    message = f"the token is in section {shown(line.section, '[]')}, but an upload to {index.name} reads [{index.name}]"
    heads = [one for one in lines if one.kind == "heading" and one.section == line.section]
    exists = any(one.kind == "heading" and one.section == index.name for one in lines)
    if line.section in {"distutils", *WELL_KNOWN} or exists or not heads:
        change = LineChange(kind="move", first=_option_of(line, lines).number, last=line.number, text=index.name)
    else:
        change = _change("heading", heads[0], text=index.name)
    return message, change, "pypirc.section-misspelled"


def _explain_indented(
    line: PypircLine, heading: PypircLine | None, lines: list[PypircLine], index: Index
) -> tuple[str, LineChange, str]:
    """The lines to correct are those from the heading on, or else the whole value that the line is in."""
    if heading is not None:
        message = (
            f"the token is in no section [{index.name}]: its heading, in line {heading.number}, is indented, so it "
            f"continues the value of {shown(heading.key)} above it"
        )
    else:
        message = f"the line with the token is indented, so it continues the value of {shown(line.key)} above it"
    block = [one for one in lines if one.kind == "continuation" and (one.section, one.key) == (line.section, line.key)]
    first = heading or next((one for one in block if _KEY.match(one.text.strip())), line)
    last = line if line.kind == "continuation" else first
    change = LineChange(kind="unindent", first=first.number, last=last.number)
    return message, change, "pypirc.indented"


def _change(kind: Literal["uncomment", "heading", "key", "login"], line: PypircLine, text: str = "") -> LineChange:
    return LineChange(kind=kind, first=line.number, last=line.number, text=text)


def _option_of(line: PypircLine, lines: list[PypircLine]) -> PypircLine:
    """The first line of the option that a line belongs to."""
    options = (one for one in lines if one.kind == "option" and (one.section, one.key) == (line.section, line.key))
    return next(options, line)


def _continues_another(line: PypircLine) -> bool:
    """Whether a line that looks like an option of its own belongs to the value of another."""
    return line.kind == "continuation" and _KEY.match(line.text.strip()) is not None


def _swallowed_heading(line: PypircLine, lines: list[PypircLine]) -> PypircLine | None:
    """The heading right above a line that the parser takes for the value of an option."""
    above = [one for one in lines if one.number < line.number and one.section == line.section]
    return next(
        (one for one in reversed(above) if one.kind == "continuation" and _HEADING.match(one.text.strip())), None
    )


def shown(text: str, quotes: str = "''") -> str:
    """A name from the file, quoted, as far as it contains no token."""
    return f"{quotes[0]}{redact(text)}{quotes[1]}"

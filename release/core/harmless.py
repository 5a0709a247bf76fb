r"""Text from elsewhere in what this program prints: nothing in it commands a terminal, or the log of a CI service.

File names, the words of servers, the output of tools, metadata, commits and settings may be an attacker's. Control
characters are shown escaped. A command of a log is broken by a backslash, and can still be read: `#\#[error]`.

Sources of the commands:
- GitHub Actions, "Workflow commands", and actions/runner, ActionCommand.cs: `::name …::` behind white space, with any
  name, since `::stop-commands::` makes one up; `##[name]` anywhere in a line
- Azure Pipelines, "Logging commands": `##vso[` and `##[` anywhere; TeamCity, "Service messages": `##teamcity[`
- Buildkite, "Managing log output": `--- `, `+++ `, `~~~ ` and `^^^ +++` at the start of a line
- sd-daemon(3): `<3>` at the start of a line is its priority in the journal
- GitLab's `section_start:…` and Buildkite's images need ESC or CR
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from release.core.quoting import escape_unprintable

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from typing import Any

_COMMAND = r"""(?:\#)(?=\#\w*\[)            # anywhere in a line
      | ^(?:[^\S\n]*:)(?=:.*::)
      | ^(?:-(?=--\s)|\+(?=\+\+\s)|~(?=~~\s)|\^(?=\^\^\s+\+\+\+))
      | ^(?:[^\S\n]*)(?=<\d{1,3}>)"""
#: without all of one of these no line has a command
_SIGNS = (("##", "["), ("::",), ("---",), ("+++",), ("~~~",), ("^^^",), ("<", ">"))


class OwnText(str):
    """Text whose escape sequences and commands are this program's own; what it has from elsewhere is harmless."""

    __slots__ = ()


def break_commands(text: str) -> str:
    r"""The text with a backslash in each command for the log of a CI service: `:\:error::`, `#\#[error]`."""
    if any(all(sign in text for sign in signs) for signs in _SIGNS):
        return _command().sub(r"\g<0>\\", text)
    return text


@cache
def _command() -> re.Pattern[str]:
    """Compiled when it is needed, which takes 1 ms."""
    return re.compile(_COMMAND, re.VERBOSE | re.MULTILINE)


def escape_lines(text: str) -> str:
    """The lines of a text with everything but their ends escaped, and with blanks for tabs."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(map(escape_unprintable, text.expandtabs().split("\n")))


def harmless_lines(text: str) -> str:
    """The lines of a text, in which nothing commands a terminal or a log."""
    return break_commands(escape_lines(text))


def harmless_json(document: Any, *, indent: int | None = 2) -> str:
    r"""The document in ASCII, with a line end; `##[` in it is `\u0023#[`, which every reader of JSON restores."""
    return _dump(document, indent) + "\n"


def harmless_json_parts(document: Mapping[str, Any]) -> Iterator[str]:
    """The text of `harmless_json` in parts. A value that is an iterator becomes a list, one item of it at a time."""
    before = "{"
    for name, value in document.items():
        yield f"{before}\n  {_dump(name, None)}: "
        if isinstance(value, Iterator):
            start = "["
            for item in value:
                yield f"{start}\n    " + _dump(item, 2).replace("\n", "\n    ")
                start = ","
            yield "[]" if start == "[" else "\n  ]"
        else:
            yield _dump(value, 2).replace("\n", "\n  ")
        before = ","
    yield "\n}\n" if before == "," else "{}\n"


def _dump(document: Any, indent: int | None) -> str:
    import json

    text = json.dumps(document, indent=indent)
    return re.sub(r"#(?=#\w*\[)", r"\\u0023", text) if "##" in text else text

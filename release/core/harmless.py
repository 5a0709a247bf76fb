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

import json
import re
from typing import Any

from release.core.quoting import escape_unprintable

_ANYWHERE = re.compile(r"#(?=#\w*\[)")
_COMMAND = re.compile(
    r"""(?:\#)(?=\#\w*\[)            # anywhere in a line
      | ^(?:[^\S\n]*:)(?=:.*::)
      | ^(?:-(?=--\s)|\+(?=\+\+\s)|~(?=~~\s)|\^(?=\^\^\s+\+\+\+))
      | ^(?:[^\S\n]*)(?=<\d{1,3}>)""",
    re.VERBOSE | re.MULTILINE,
)
#: without one of these no line has a command
_SIGNS = ("##", "::", "--", "++", "~~", "^^", ">")


class OwnText(str):
    """Text whose escape sequences and commands are this program's own; what it has from elsewhere is harmless."""

    __slots__ = ()


def break_commands(text: str) -> str:
    r"""The text with a backslash in each command for the log of a CI service: `:\:error::`, `#\#[error]`."""
    return _COMMAND.sub(r"\g<0>\\", text) if any(sign in text for sign in _SIGNS) else text


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
    return _ANYWHERE.sub(r"\\u0023", json.dumps(document, indent=indent)) + "\n"

"""Commands to paste into the user's shell: POSIX (bash, zsh), PowerShell, and cmd."""

from __future__ import annotations

import re
import shlex
from itertools import groupby
from typing import Literal

from release.core.harmless import harmless_lines
from release.core.lazy_pattern import lazy_pattern
from release.core.quoting import escape_unprintable

ShellName = Literal["posix", "powershell", "cmd"]

#: arguments that PowerShell and cmd read as they are
_PLAIN = lazy_pattern(r"[\w./:\\+=-]+", re.ASCII)
#: a path that cmd and PowerShell read as it is, where cmd would take single quotes as a part of it
_OF_WINDOWS = lazy_pattern(r"[A-Za-z]:\\[\w.\\+-]*", re.ASCII)
#: what ends a text in single quotes in PowerShell. Source: PowerShell documentation, "about_Special_Characters"
_QUOTES = lazy_pattern("['\u2018-\u201b]")
#: characters of a format of `printf` that stand for themselves
_LITERAL = lazy_pattern(r"[A-Za-z0-9 ._/,=+@-]|[^\x00-\x7f]")
_SEPARATORS = {"posix": " && ", "powershell": "; ", "cmd": " & "}


def quote_argument(shell: ShellName, text: str) -> str:
    """The text as one argument of a command."""
    if shell == "posix":
        return _quote_posix(text)
    if _PLAIN.fullmatch(text):
        return text
    if shell == "powershell":
        return _quote_powershell(text)
    # a program takes a backslash before a quote as an escape, and cmd replaces %NAME% also within quotes
    return '"' + re.sub(r'(\\+)(?="|\Z)', r"\1\1", text).replace('"', '""').replace("%", '"^%"') + '"'


def quote_word(text: str) -> str:
    """The text as one argument, where the shell is not known: for a POSIX shell, but for a plain path of Windows."""
    return text if _OF_WINDOWS.fullmatch(text) else _quote_posix(text)


def _quote_posix(text: str) -> str:
    r"""The text as one argument; one that a terminal or a log would not show as it is: `"$(printf 'a\033b')"`.

    Every POSIX shell knows this form; `$'…'` is missing in dash.
    """
    quoted = f"'{text}'" if text.startswith("=") and shlex.quote(text) == text else shlex.quote(text)  # zsh: =name
    if "\n" not in text and harmless_lines(quoted) == quoted:
        return quoted
    core = text.rstrip("\n")  # which `$(…)` removes
    ends = "'" + text[len(core) :] + "'" if core != text else ""
    return f"\"$(printf '{''.join(map(_octal, core))}')\"{ends}"


def _octal(character: str) -> str:
    if _LITERAL.fullmatch(character) and harmless_lines(character) == character:
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def _quote_powershell(text: str) -> str:
    """The text in single quotes, and a sum with what no terminal shows: `('a' + [char]::ConvertFromUtf32(0x1b))`."""
    pieces: list[str] = []
    for shown, characters in groupby(text, lambda one: escape_unprintable(one) == one):
        if shown:
            pieces.append("'" + _QUOTES.sub(r"\g<0>\g<0>", "".join(characters)) + "'")
        else:
            pieces += [f"[char]::ConvertFromUtf32(0x{ord(one):x})" for one in characters]
    return pieces[0] if len(pieces) == 1 else f"({' + '.join(pieces)})" if pieces else "''"


def command_line(shell: ShellName, *words: str) -> str:
    """The words as one command: `command_line("posix", "mv", "a b", "c")` is `mv 'a b' c`."""
    return " ".join(quote_argument(shell, word) for word in words)


def join_commands(shell: ShellName, *commands: str) -> str:
    """Several commands in one line, in this order. Windows PowerShell 5.1 has no `&&`."""
    return _SEPARATORS[shell].join(one for one in commands if one)


def unset_variables(shell: ShellName, *names: str) -> str:
    """Remove variables from the session; those that do not exist are no error, except in PowerShell."""
    match shell:
        case "posix":
            return f"unset {' '.join(names)}"
        case "powershell":
            return f"Remove-Item {', '.join(f'Env:{name}' for name in names)}"
        case "cmd":
            return " & ".join(f'set "{name}="' for name in names)


def set_variable(shell: ShellName, name: str, value: str) -> str:
    """Set a variable in the session."""
    match shell:
        case "posix":
            return f"export {name}={shlex.quote(value)}"
        case "powershell":
            return f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'"
        case "cmd":
            return f'set "{name}={value}"'


def copy_variable(shell: ShellName, name: str, source: str) -> str:
    """Set a variable in the session to the value of another."""
    match shell:
        case "posix":
            return f'export {name}="${source}"'
        case "powershell":
            return f"$env:{name} = $env:{source}"
        case "cmd":
            return f'set "{name}=%{source}%"'


def read_variable(shell: ShellName, name: str) -> str:
    """Prompt for the value of a variable, hidden where the shell can do that.

    In PowerShell through a credential, because `Read-Host -MaskInput` exists only from version 7.1 on.
    """
    match shell:
        case "posix":
            return f"read -rs {name} && export {name}"
        case "powershell":
            return f"$env:{name} = (Get-Credential __token__).GetNetworkCredential().Password"
        case "cmd":
            return f'set /p "{name}=API token: "'


def load_variable(shell: ShellName, name: str, path: str) -> str:
    """Set a variable in the session to the content of a file, without the line break at its end."""
    match shell:
        case "posix":
            home, rest = ("~/", path[2:]) if path.startswith("~/") else ("", path)
            return f'export {name}="$(cat {home}{shlex.quote(rest)})"'
        case "powershell":
            return f"$env:{name} = (Get-Content -Raw {quote_argument(shell, path)}).Trim()"
        case "cmd":
            return f'set /p "{name}=" < {quote_argument(shell, path)}'


def pipe_variable(shell: ShellName, name: str, command: str) -> str:
    """Run a command with the value of a variable on its standard input."""
    match shell:
        case "posix":
            return f'printf %s "${name}" | {command}'
        case "powershell":
            return f"$env:{name} | {command}"
        case "cmd":
            return f"echo %{name}%| {command}"

"""Commands for three shells; the POSIX ones are run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.core import shell
from release.core.harmless import harmless_lines
from release.core.shell import ShellName

SHELLS: tuple[ShellName, ...] = ("posix", "powershell", "cmd")


@pytest.mark.parametrize(
    ("text", "posix", "powershell", "cmd"),
    [
        ("pypi", "pypi", "pypi", "pypi"),
        ("my index", "'my index'", "'my index'", '"my index"'),
        ("it's", "'it'\"'\"'s'", "'it''s'", '"it\'s"'),
        ('a"b', "'a\"b'", "'a\"b'", '"a""b"'),
        ("$HOME", "'$HOME'", "'$HOME'", '"$HOME"'),
        ("a;b&c", "'a;b&c'", "'a;b&c'", '"a;b&c"'),
        (r"C:\my project", r"'C:\my project'", r"'C:\my project'", r'"C:\my project"'),
    ],
)
def test_an_argument_is_quoted_for_its_shell(text: str, posix: str, powershell: str, cmd: str) -> None:
    assert [shell.quote_argument(one, text) for one in SHELLS] == [posix, powershell, cmd]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda one: shell.join_commands(one, shell.unset_variables(one, "A"), "python -m x"),
            ("unset A && python -m x", "Remove-Item Env:A; python -m x", 'set "A=" & python -m x'),
        ),
        (
            lambda one: shell.unset_variables(one, "A", "B"),
            ("unset A B", "Remove-Item Env:A, Env:B", 'set "A=" & set "B="'),
        ),
        (lambda one: shell.set_variable(one, "A", "__token__"), (
            "export A=__token__", "$env:A = '__token__'", 'set "A=__token__"')),
        (lambda one: shell.copy_variable(one, "A", "B"), ('export A="$B"', "$env:A = $env:B", 'set "A=%B%"')),
        (lambda one: shell.load_variable(one, "A", "~/my token"), (
            """export A="$(cat ~/'my token')\"""", "$env:A = (Get-Content -Raw '~/my token').Trim()",
            'set /p "A=" < "~/my token"')),
        (lambda one: shell.pipe_variable(one, "A", "python -m x"), (
            'printf %s "$A" | python -m x', "$env:A | python -m x", "echo %A%| python -m x")),
        (lambda one: shell.read_variable(one, "A"), (
            "read -rs A && export A", "$env:A = (Get-Credential __token__).GetNetworkCredential().Password",
            'set /p "A=API token: "')),
    ],
)  # fmt: skip
def test_each_command_has_a_form_for_each_shell(
    make: Callable[[ShellName], str], expected: tuple[str, str, str]
) -> None:
    assert tuple(map(make, SHELLS)) == expected


def run(command: str, *, stdin: str = "", **env: str) -> str:
    done = subprocess.run(["bash", "-c", command], input=stdin, capture_output=True, text=True, check=True, env=env)
    return done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_posix_forms_do_what_they_promise(tmp_path: Path) -> None:
    show = 'printf "%s" "${A-unset}"'
    assert run(f"{shell.unset_variables('posix', 'A')} && {show}", A="x") == "unset"
    assert run(f"{shell.set_variable('posix', 'A', 'a b$c')} && {show}") == "a b$c"
    assert run(f"{shell.copy_variable('posix', 'A', 'B')} && {show}", B="a b") == "a b"
    assert run(f"{shell.read_variable('posix', 'A')} && {show}", stdin="a\\b\n") == "a\\b"
    assert run(f"{shell.pipe_variable('posix', 'A', '/bin/cat')}", A="x y") == "x y"
    (tmp_path / "my token").write_text("x y\n", encoding="utf-8")
    for path in ("~/my token", str(tmp_path / "my token")):
        assert run(f"{shell.load_variable('posix', 'A', path)} && {show}", HOME=str(tmp_path)) == "x y"
    assert run(f"printf '%s|' {shell.command_line('posix', 'a b', 'it' + chr(39) + 's', '$HOME')}") == "a b|it's|$HOME|"


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_the_powershell_forms_do_what_they_promise() -> None:
    commands = [
        shell.set_variable("powershell", "A", "it's"), shell.copy_variable("powershell", "B", "A"),
        shell.unset_variables("powershell", "A"), 'Write-Output "$env:A|$env:B"',
    ]  # fmt: skip
    command = shell.join_commands("powershell", *commands)
    done = subprocess.run(["pwsh", "-NoProfile", "-Command", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "|it's"


#: names of files and directories that a careless quotation breaks, or lets run a program
HOSTILE = (
    "a b", "it's", 'say "x"', "$(touch pwned)", "`touch pwned`", "$HOME", "*", "?", "~", "a;b", "a&b|c>d", "!!",
    "{a,b}", "-rf", "=ls", "#x", "a\\b", "a\nnext: b", "\n", "a\n\n", "\x1b[2J", "\u202egpj", "##[error]x", "100%",
    "%PATH%", "caf\xe9", "caf\udce9", "名前", "", "'\\''", "\t", "a\u200bb",
)  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="there is no POSIX shell")
@pytest.mark.parametrize("name", [one for one in ("sh", "bash", "zsh") if shutil.which(one)])
def test_a_posix_shell_reads_every_name_as_it_is(name: str, tmp_path: Path) -> None:
    line = "printf '%s\\0' " + " ".join(map(shell.quote_word, HOSTILE))
    done = subprocess.run([name, "-c", line], capture_output=True, check=True, cwd=tmp_path)
    assert done.stdout == b"".join(os.fsencode(one) + b"\0" for one in HOSTILE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [one for one in HOSTILE if not one.endswith("\n")])
def test_the_writer_does_not_change_a_quoted_name(text: str) -> None:
    for quoted in (shell.quote_word(text), shell.quote_argument("posix", text)):
        assert harmless_lines(f"next: {quoted}") == f"next: {quoted}"
        assert "\n" not in quoted
    if text.isprintable() and "##" not in text:
        assert shlex.split(shell.quote_argument("posix", text)) == [text]


@pytest.mark.parametrize(
    ("text", "powershell", "cmd"),
    [
        ("50%PATH%", "'50%PATH%'", '"50"^%"PATH"^%""'),
        ("C:\\my dir\\", "'C:\\my dir\\'", '"C:\\my dir\\\\"'),
        ("it\u2019s", "'it\u2019\u2019s'", '"it\u2019s"'),
        ("a\u202eb", "('a' + [char]::ConvertFromUtf32(0x202e) + 'b')", '"a\u202eb"'),
        ("", "''", '""'),
    ],
)
def test_windows_shells_read_a_name_as_it_is(text: str, powershell: str, cmd: str) -> None:
    assert shell.quote_argument("powershell", text) == powershell
    assert shell.quote_argument("cmd", text) == cmd


def test_a_plain_path_of_windows_needs_no_quotes() -> None:
    assert shell.quote_word(r"C:\dist\a-1.0.tar.gz") == r"C:\dist\a-1.0.tar.gz"
    assert shell.quote_word(r"C:\my dist") == r"'C:\my dist'"

"""The command that repeats a run is one, whatever the names in it are."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from release.cli.command import repeat_command
from release.cli.parser import parse_command_line
from release.core.repeated_command import RepeatedCommand
from tests.core.test_shell import HOSTILE
from tests.repeated_commands import repeated

RELEASE, SET = "pypi-preflight release --index pypi", "pypi-preflight set release"


@pytest.mark.parametrize(
    ("command", "option", "expected"),
    [
        (RELEASE, ("--new-project", "acme"), f"{RELEASE} --new-project acme"),
        (f"{RELEASE} --new-project acme", ("--new-project", "a.b_c"), f"{RELEASE} --new-project a.b_c"),
        (SET, ("--new-project", "a", "b-c"), f"{SET} --new-project a b-c"),
        (
            f"{SET} --new-project a --only c d --files 'x --only y'",
            ("--only", "c"),
            f"{SET} --new-project a --files 'x --only y' --only c",
        ),
        (RELEASE, (), RELEASE),
        (RELEASE, ("--allow",), f"{RELEASE} --allow"),
    ],
)
def test_an_option_replaces_the_same_one(command: str, option: tuple[str, ...], expected: str) -> None:
    assert str(repeated(command).with_option(*option)) == expected


def test_other_commands_are_derived_without_reading_text() -> None:
    command = repeated("pypi-preflight set rehearse --directory 'set rehearse --offline' --offline --files a b")
    other = command.with_verb("set", "release").without("--offline", "--allow")
    assert str(other) == "pypi-preflight set release --directory 'set rehearse --offline' --files a b"


def test_a_value_that_starts_with_a_dash_is_no_option() -> None:
    command = RepeatedCommand(verb=("check",), options=(("--index", ("-x",)),))
    assert str(command) == "pypi-preflight check --index=-x"


#: commands with all options that decide what is done; {} is a hostile name
COMPLETE = (
    "check --index {} --new-project {}",
    "build --output {} --siblings {}",
    "rehearse --allow --offline --require-complete {} --files {} {}",
    "testpypi --index {} --new-project {} --require-complete {} --files {}",
    "publish --index {} --dry-run-on sandbox --new-project {} --require-complete {} --files {} {}",
    "release --index {} --dry-run-on none --new-project {}",
    "set release --index {} --dry-run-on sandbox --only {} {} --new-project {} --files {}",
    "set rehearse --allow --offline --only {} --files {}",
)
_EVERYWHERE = "--directory {} --config {} --state-dir {}"
#: the parser takes words that start with a dash for options, and an empty value for none
_NAMES = [one for one in HOSTILE if one and not one.startswith("-")]
_NOT_REPEATED = {"command", "action", "run", "show_help", "words", "paths"}


def parsed(words: list[str]) -> dict[str, object]:
    found = vars(parse_command_line(words, argparse.Namespace()))
    return {name: value for name, value in found.items() if name not in _NOT_REPEATED}


@pytest.mark.skipif(os.name == "nt", reason="there is no POSIX shell")
def test_a_pasted_command_does_the_same_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every option that decides what is done is there, and a real shell reads every name as it is."""
    from release.cli.commands import release_run, set_command

    monkeypatch.setenv("SHELL", "/bin/sh")
    expected, lines = list[dict[str, object]](), list[str]()
    for number, name in enumerate(_NAMES):
        template = f"{COMPLETE[number % len(COMPLETE)]} {_EVERYWHERE}".split()
        words = [name if word == "{}" else word for word in template]
        options = parse_command_line(words, argparse.Namespace())
        repeats = set_command._REPEATED if words[0] == "set" else release_run._REPEATED
        verb = words[:2] if words[0] == "set" else words[:1]
        lines.append(str(repeat_command(options, *verb, keep=repeats)))
        expected.append(parsed(words))
        if name.isprintable() and "##" not in name:
            assert parsed(shlex.split(lines[-1])[1:]) == expected[-1]
    stand_in, here = tmp_path / "bin" / "pypi-preflight", tmp_path / "here"
    stand_in.parent.mkdir()
    here.mkdir()
    stand_in.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\nprintf 'END\\0'\n", encoding="utf-8")
    stand_in.chmod(0o755)
    path = {"PATH": f"{stand_in.parent}:{os.defpath}"}
    done = subprocess.run(["sh", "-c", "\n".join(lines)], capture_output=True, check=True, cwd=here, env=path)
    read = [part.split("\0") for part in os.fsdecode(done.stdout).removesuffix("\0END\0").split("\0END\0")]
    assert list(map(parsed, read)) == expected
    assert list(here.iterdir()) == []

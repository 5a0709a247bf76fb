"""What all commands share: when somebody is asked, patterns of files, and the command to repeat."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from release.cli import command
from release.cli.terminal.console import ActionsConsole, PlainConsole
from release.core.errors import ReleaseError, UsageError
from tests.fake_system import SDIST, WHEEL, files_in


class Terminal(io.StringIO):
    """A standard input or output that is a terminal."""

    def __init__(self, text: str = "", *, there: bool = True) -> None:
        super().__init__(text)
        self.there = there

    def isatty(self) -> bool:
        return self.there


def options(**more: Any) -> argparse.Namespace:
    found = argparse.Namespace(**more)
    command.set_global_defaults(found)
    return found


@pytest.mark.parametrize(
    ("given", "terminal", "reason"),
    [
        ({}, True, None),
        ({}, False, "cannot prompt: standard input is not a terminal"),
        ({"json": True}, True, "--json prints no prompt"),
        ({"json": True, "yes": True}, False, None),
        ({"yes": True}, False, None),
        ({"plan": True}, False, None),
    ],
)
def test_a_command_that_must_ask_and_cannot_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, bool], terminal: bool, reason: str | None
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(there=terminal))
    asked = options(**{"yes": False} | given)
    if reason is None:
        command.require_prompt(asked)
        return
    with pytest.raises(ReleaseError) as refused:
        command.require_prompt(asked)
    assert refused.value.message == reason
    assert "--yes" in refused.value.remedy


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), (" yes \n", True), ("\n", False), ("n\n", False), ("yeah\n", False), ("", False)],
)
def test_only_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    written: list[str] = []
    assert command.ask_yes_no(written.append, "Continue?") is agreed
    assert written[0] == "Continue? [y/N] "


def test_patterns_that_the_shell_has_left_are_expanded(tmp_path: Path) -> None:
    files_in(tmp_path, WHEEL, SDIST, "a[1].whl")
    assert command.expand_patterns([tmp_path / "acme*"]) == sorted([tmp_path / WHEEL, tmp_path / SDIST])
    plain = [tmp_path / SDIST, tmp_path / "absent", tmp_path / "a[1].whl"]
    assert command.expand_patterns(plain) == plain, "a file with that very name is no pattern"
    with pytest.raises(UsageError, match="no file matches") as wrong:
        command.expand_patterns([tmp_path / "*.zip"])
    assert "--output" in wrong.value.remedy


def test_the_command_to_repeat_has_the_options_that_name_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    given = options(
        directory=Path("a b"), config=None, state_dir=Path("-odd"), files=[Path("dist"), Path("x")], allow=True
    )
    found = command.repeat_command(given, "rehearse", arguments=["one"], keep=("files", "allow"))
    assert (found.verb, found.arguments) == (("rehearse",), ("one",))
    assert found.options == (
        ("--directory", ("a b",)),
        ("--state-dir", ("./-odd",)),
        ("--files", ("dist", "x")),
        ("--allow", ()),
    )
    plain = options(directory=Path(), config=None, state_dir=None, allow=False)
    assert command.repeat_command(plain, "check", keep=("allow",)).options == ()


def test_an_option_before_the_command_is_not_reset_by_its_absence_after_it() -> None:
    parser = argparse.ArgumentParser()
    command.add_global_options(parser)
    assert vars(parser.parse_args([])) == {}
    found = parser.parse_args(["--quiet"])
    command.set_global_defaults(found)
    assert found.quiet
    assert not found.json


def test_a_command_that_has_no_plan_does_not_take_that_option() -> None:
    """It would do what its user only wanted to see."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.add_global_options(parser, shown=("quiet",))
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parser.parse_args(["--plan"])
    assert "--config" not in parser.format_help()


def test_the_console_fits_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal(there=False))
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    written: list[str] = []
    assert type(command.open_console(options(), written.append)) is PlainConsole
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert type(command.open_console(options(), written.append)) is ActionsConsole
    assert type(command.open_console(options(json=True), written.append)) is PlainConsole


def test_a_document_or_its_lines() -> None:
    written: list[str] = []
    command.show(options(json=False), written.append, {"a": 1}, ["one", "two"])
    command.show(options(json=True), written.append, {"a": 1}, ["one", "two"])
    assert written[0] == "one\ntwo\n"
    assert '"a": 1' in written[1]
    assert "one" not in written[1]


def test_lines_are_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "word " * 30
    monkeypatch.setattr(sys, "stdout", Terminal(there=False))
    assert (list(command.fit_lines([long])), command.output_width()) == ([long], None)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    (fitted,) = command.fit_lines([long])
    assert max(map(len, fitted.splitlines())) <= 40

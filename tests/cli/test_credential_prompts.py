"""A token is read from a pipe, or from the terminal without an echo, and never from an argument."""

from __future__ import annotations

import getpass
import io
import sys

import pytest

from release.cli.credential_prompts import read_token
from release.core.errors import UsageError
from release.core.secret import Secret
from tests import fake_tokens
from tests.fake_system import LASTING


class Input(io.StringIO):
    def __init__(self, text: str, *, terminal: bool = False) -> None:
        super().__init__(text)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_a_token_from_a_pipe_is_its_first_line_without_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    token = fake_tokens.token()
    for text in (f"{token}\n", f"  {token}\r\n", f"{token}", f"{token}\nanother line\n"):
        monkeypatch.setattr(sys, "stdin", Input(text))
        assert read_token(LASTING) == Secret(token)


def test_an_empty_pipe_is_a_mistake_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Input(""))
    with pytest.raises(UsageError, match="no token on standard input") as wrong:
        read_token(LASTING, "rotate", "acme-widget")
    for part in ("TOKEN", "rotate", "--index acme", "--project acme-widget", "--yes"):
        assert part in wrong.value.remedy
    with pytest.raises(UsageError) as wrong:
        read_token(LASTING)
    assert "store" in wrong.value.remedy
    assert "--yes" not in wrong.value.remedy


def test_on_a_terminal_it_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    token = fake_tokens.token()

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return f" {token} "

    monkeypatch.setattr(sys, "stdin", Input("not read", terminal=True))
    monkeypatch.setattr(getpass, "getpass", ask)
    assert read_token(LASTING, project="acme-widget") == Secret(token)
    assert asked == ["API token for acme, project acme-widget (input is hidden): "]


def test_an_end_of_input_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys, "stdin", Input("", terminal=True))
    monkeypatch.setattr(getpass, "getpass", ask)
    with pytest.raises(UsageError, match="no token was entered"):
        read_token(LASTING)

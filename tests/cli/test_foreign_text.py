"""Names, logs and the output of tools that are an attacker's, in whole commands: nothing in them is executed."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from release.cli.main import main
from release.cli.output_streams import write_output
from release.cli.terminal.console import ActionsConsole, PlainConsole
from release.core.events import Message, StepFinished, StepStarted
from release.core.harmless import harmless_lines
from tests.fake_tokens import token

_NAME = "a\n::error title=pwned::pwned\n##[error]b\x1b[1A\x1b[2K\u202egpj.py"
#: the commands of this program; GitHub documentation, "Workflow commands for GitHub Actions"
_OWN = re.compile(r"::(?:group|endgroup|(?:error|warning|notice) title=[\w `'%.-]+)::")
_LOG = (
    "Uploading distributions to https://upload.pypi.org/legacy/\n"
    "##[error]pwned \x1b]52;c;eA==\x07\nHTTPError: 400 Bad Request from https://upload.pypi.org/legacy/\n"
    "::stop-commands::x\n'::error::y\u202e##vso[task.complete]' is not a valid classifier.\n--- z\n"
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names of files have no control characters there")


def executed(text: str) -> list[str]:
    """The lines that a terminal or a CI service would execute, without the program's own commands."""
    return [line for line in text.split("\n") if harmless_lines(line) != line and not _OWN.match(line)]


@pytest.mark.parametrize("actions", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        ("leaks", "{}"), ("leaks", "--json", "{}"), ("check", "--offline", "--directory", "{}"), ("status", "-C", "{}"),
        ("config", "--config", "{}/no", "-C", "{}"), ("diagnose", "--log", "{}/log"), ("explain", "{}"),
        ("rehearse", "--files", "{}/no.whl"), ("inspect", "{}/log"), ("report", "-C", "{}"), ("{}",), ("check", "--{}"),
    ],
)  # fmt: skip
def test_no_command_lets_a_name_command_the_log(
    words: tuple[str, ...], actions: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GITHUB_ACTIONS", str(actions).lower())
    monkeypatch.setenv("PYPI_PREFLIGHT_OFFLINE", "1")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    directory = tmp_path / _NAME
    directory.mkdir()
    (directory / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n', encoding="utf-8")
    (directory / f"{_NAME}.txt").write_text(token(), encoding="utf-8")
    (directory / "log").write_text(_LOG, encoding="utf-8")
    with suppress(SystemExit):
        main([word.replace("{}", str(directory)) for word in words])
    shown = capfd.readouterr()
    assert executed(shown.out) == []
    assert executed(shown.err) == []
    assert shown.out + shown.err
    if words[0] == "leaks":
        assert r"a\n" in shown.out, "the name can be recognised"


@pytest.mark.parametrize("kind", [PlainConsole, ActionsConsole])
def test_the_output_of_a_build_backend_commands_nothing(
    kind: type[PlainConsole], capsys: pytest.CaptureFixture[str]
) -> None:
    console = kind(write_output)
    console.verbose = True
    console.on_event(StepStarted(title="build"))
    for text in ("##[error]x", "::error::y\r::error::z", "\x1b[31mred\x1b[0m", "##[group]a", _NAME):
        console.on_event(Message(text=text, tool_output=True))
        console.on_event(Message(text=text))
    console.on_event(StepFinished(title="build", status="done", note=_NAME, seconds=1.0))
    shown = capsys.readouterr().out
    assert executed(shown) == []
    assert r"  | #\#[error]x" in shown
    assert r"  | ::error::y\r::error::z" in shown
    assert r"\x1b[31mred" in shown
    assert ("::group::build\n" in shown) is (kind is ActionsConsole)

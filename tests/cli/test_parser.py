"""The command line: grouped help, options that mean something, and errors that name the right word."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from release.cli.commands import COMMANDS, GROUPS, load_command
from release.cli.main import main
from release.cli.parser import command_parser, full_parser, parse_command_line
from release.core.errors import UsageError

PROGRAM = Path(sys.executable).with_name("pypi-preflight")


def parsed(*words: str) -> argparse.Namespace:
    return parse_command_line(words, argparse.Namespace())


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_help_lists_all_commands_by_purpose(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if words in ([], ["help"]):
        assert main(words) == 0
    else:
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
    text = capsys.readouterr().out
    for group, names in GROUPS.items():
        block = text.split(f"\n{group}:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in block.splitlines()] == list(names)
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("Release Python"))
    assert tuple(GROUPS) == ("release", "credentials", "files", "token health", "automation")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_help_that_shows_only_what_means_something(name: str) -> None:
    text = command_parser(name).format_help()
    assert f"usage: pypi-preflight {name}" in text
    for option, flag in (("plan", "--plan"), ("quiet", "--quiet"), ("config", "--config"), ("json", "--json")):
        assert (f" {flag}" in text or f",{flag}" in text) == (option in load_command(name).options), flag
    assert "--color" in text


@pytest.mark.parametrize("words", [("-C", "x", "check", "-q"), ("check", "-C", "x", "-q"), ("-q", "check", "-C", "x")])
def test_options_of_several_commands_stand_before_or_after_it(words: tuple[str, ...]) -> None:
    options = parsed(*words)
    assert (options.command, options.directory, options.quiet) == ("check", Path("x"), True)


def test_dry_run_is_plan_and_v_counts() -> None:
    assert parsed("release", "--dry-run").plan
    assert parsed("--dry-run", "release").plan
    assert parsed("check", "-vv").verbose == 2
    assert parsed("check").verbose == 0


def test_an_option_of_the_command_may_precede_it() -> None:
    assert parsed("--offline", "verify").offline


@pytest.mark.parametrize("words", [("publish", "dist/a.whl"), ("publish", "--files", "dist/a.whl")])
def test_files_are_arguments_too_as_with_twine_and_uv(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--yes"]) == 2
    assert "'dist/a.whl' does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["relase"], "there is no command 'relase': did you mean 'release'?"),
        (["verfy", "--offline"], "there is no command 'verfy': did you mean 'verify'?"),
        (["xyzzy"], "there is no command 'xyzzy'"),
        (["verify", "--ofline"], "'verify' has no option '--ofline': did you mean '--offline'?"),
        (["check", "--nope"], "'check' has no option '--nope'"),
        (["--jsno"], "there is no option '--jsno': did you mean '--json'?"),
        (["ci", "gihtub"], "'ci' has no service 'gihtub': did you mean 'github'?"),
        (["set", "relese"], "'set' has no action 'relese': did you mean 'release'?"),
        (["store", "--plan", "--index", "pypi"], "'store' has no option '--plan'"),
        (["--plan", "store", "--index", "pypi"], "'store' has no option '--plan'"),
        (["inspect"], "the following arguments are required: FILE"),
        (["status", "extra"], "'status' has no argument 'extra'"),
    ],
)
def test_a_wrong_word_is_named_with_the_right_one(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parsed(*words)
    assert error.value.message == message
    assert error.value.remedy.startswith(("see: pypi-preflight", "list all commands"))


def test_a_wrong_command_line_is_one_document_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json", "--index"]) == 2
    found = capsys.readouterr()
    assert json.loads(found.out)["message"] == "argument --index: expected one argument"
    assert not found.err


@pytest.mark.parametrize(
    "words", [["relase", "--json"], ["verify", "--index", "--json"], ["verify", "--ofline", "--json"]]
)
def test_a_mistake_before_the_option_json_is_one_document_too(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    found = capsys.readouterr()
    assert json.loads(found.out)["exit"] == 2
    assert not found.err


@pytest.mark.parametrize("command", ["store", "rotate"])
def test_a_token_as_an_argument_is_not_repeated(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--index", "pypi", "hunter2"]) == 2
    found = capsys.readouterr()
    assert "hunter2" not in found.out + found.err
    assert f"{command!r} takes no token as an argument" in found.err


def test_a_value_after_an_unknown_option_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be a password."""
    for words in (["publish", "-p", "hunter2"], ["publish", "--password=hunter2"], ["verify", "--secret", "hunter2"]):
        assert main(words) == 2
        found = capsys.readouterr()
        assert "hunter2" not in found.out + found.err
        assert "has no option" in found.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_completion_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "pypi-preflight" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("pypi-preflight re", {"release", "rehearse", "report"}),
        ("pypi-preflight verify --off", {"--offline"}),
        ("pypi-preflight explain cred.mis", {"cred.missing"}),
        ("pypi-preflight ci git", {"github", "gitlab"}),
        ("pypi-preflight verify --index test", {"testpypi"}),
        ("pypi-preflight prepare mi", {"minor"}),
    ],
)
def test_bash_completes(line: str, some: set[str], tmp_path: Path) -> None:
    """As bash calls the function of the script."""
    words = line.split()
    script = f"""
eval "$({PROGRAM} completion bash)"
COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE="{line}"; COMP_POINT={len(line)}; COMP_TYPE=63
_python_argcomplete {PROGRAM.name} "{words[-1]}" "{words[-2]}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    env = {**os.environ, "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert some <= {word.strip() for word in done.stdout.split()}, done.stderr


def test_the_full_parser_has_every_command_with_its_options() -> None:
    options = full_parser().parse_args(["verify", "--offline"])
    assert options.offline
    assert set(re.findall(r"^  ([a-z]+) ", full_parser().format_help(), re.MULTILINE)) >= set(COMMANDS)


@pytest.mark.parametrize(("color", "colored"), [("always", True), ("auto", False), ("never", False)])
def test_color_is_for_terminals_unless_it_is_asked_for(
    color: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, colored: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n', encoding="utf-8")
    (tmp_path / "x.whl").write_bytes(b"")
    monkeypatch.setenv("PYPI_PREFLIGHT_OFFLINE", "1")
    main(["build", "--color", color, "-C", str(tmp_path)])
    assert ("\x1b[" in capsys.readouterr().out) == colored


def test_the_help_is_plain_on_every_python(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """argparse has colors from 3.14 on, which `FORCE_COLOR` asks for where stdout is no terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for words in (["--help"], ["set", "check", "--help"]):
        with pytest.raises(SystemExit):
            parsed(*words)
    assert "\x1b[" not in capsys.readouterr().out + full_parser().format_help()


def test_no_parser_asks_argparse_for_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    create, given = argparse.ArgumentParser.__init__, []

    def init(parser: argparse.ArgumentParser, *, color: bool = True, **settings: Any) -> None:
        given.append(color)
        create(parser, **settings)

    monkeypatch.setattr(argparse.ArgumentParser, "__init__", init)
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    command_parser("set")
    full_parser()
    assert len(given) > len(COMMANDS)
    assert not any(given)


@pytest.mark.parametrize("words", [["help", "set", "check"], ["set", "check", "--help"]])
def test_help_has_the_words_of_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*words)
    assert capsys.readouterr().out.startswith("usage: pypi-preflight set check ")


def test_no_line_of_the_help_is_wider_than_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in COMMANDS:
        assert max(map(len, command_parser(name).format_help().splitlines())) <= 80, name

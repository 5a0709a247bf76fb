"""The command line in the process of the test: what its output looks like where an encoding lacks its signs."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from pypi_preflight import command_line
from release.acceptance.server_reference import SERVER
from release.cli.command import open_console
from release.cli.main import main


@pytest.mark.parametrize("errors", ["strict", "backslashreplace", "surrogateescape"])
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "latin-1"])
def test_nothing_is_lost_where_an_encoding_lacks_a_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, errors: str
) -> None:
    """The standard error of Python has "backslashreplace", its standard output "strict" or "surrogateescape"."""
    (tmp_path / "pyproject.toml").write_text('[tool.release.waive]\nthe-tree-is-claen = "x"\n', encoding="utf-8")
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    assert main(["check", "--directory", str(tmp_path)]) == 2
    out.seek(0)
    told = out.read()
    assert "\n-> correct the name in pyproject.toml" in told or "\n→ correct the name in pyproject.toml" in told
    assert "pypi-preflight explain --checks" in told


@pytest.mark.parametrize(("encoding", "draws"), [("utf-8", True), ("cp1252", False), ("latin-1", False), ("x", False)])
def test_a_terminal_that_lacks_the_signs_of_the_live_display_gets_lines(
    monkeypatch: pytest.MonkeyPatch, encoding: str, draws: bool
) -> None:
    class Terminal(io.StringIO):
        @property
        def encoding(self) -> str:  # type: ignore[override] # read-only here
            return encoding

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    console = open_console(argparse.Namespace(json=False, quiet=False, verbose=0, color="auto"), lambda _: None)
    assert (type(console).__name__ == "TerminalConsole") == draws


def test_a_reader_that_closed_the_pipe_stops_nothing_whatever_the_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="cp1252", closefd=False) as out:
        monkeypatch.setattr(sys, "stderr", out)
        (tmp_path / "pyproject.toml").write_text('[tool.release.waive]\nthe-tree-is-claen = "x"\n', encoding="utf-8")
        assert main(["check", "--directory", str(tmp_path)]) == 2
    os.close(writing)


def test_the_version_needs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"pypi-preflight \S+\n", capsys.readouterr().out)
    assert main(["--version", "--verbose"]) == 0
    assert f"warehouse {SERVER.commit[:7]}" in capsys.readouterr().out
    assert main(["--version", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["server"]["commit"] == SERVER.commit
    assert set(document["installed"]) >= {"python", "packaging", "twine"}


def test_a_rehearsal_has_files_of_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", "--built", "--files", "dist"]) == 2
    assert capsys.readouterr().err.startswith("--built and --files name different files\n")


@pytest.mark.parametrize("command", ["status", "check", "history", "config", "leaks", "set list"])
def test_a_directory_that_does_not_exist_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "file").touch()
    for name, what in (("none", "does not exist"), ("file", "is not a directory")):
        assert main([*command.split(), "-C", str(tmp_path / name)]) == 2
        told = capsys.readouterr()
        assert not told.out
        assert told.err.startswith(f"{str(tmp_path / name)!r} {what}\n→ pass the project's directory: --directory DIR")


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        ("verify", "; or name the project: --project NAME"),
        ("confirm", "; or name any release: pypi-preflight confirm NAME==VERSION"),
        ("publish", "; or pass built files: pypi-preflight publish dist/*"),
        ("rehearse", "; or pass built files: pypi-preflight rehearse dist/*"),
        ("check", ""),
        ("release", ""),
    ],
)
def test_without_a_project_the_remedy_has_what_works_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, instead: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYPI_PREFLIGHT_OFFLINE", raising=False)
    assert main([command]) == 2
    told = capsys.readouterr().err
    assert "there is no pyproject.toml, setup.py or setup.cfg\n" in told
    assert told.endswith(f"pass it: --directory DIR{instead}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_disk_does_not_change_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes what is left in a stream at its end, and ends with status 120 where that fails."""
    with open("/dev/full", "w") as out, open("/dev/full", "w") as err:  # noqa: PTH123 - streams
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        assert main(["explain", "cred.missing"]) == 1
        out.flush()
        err.flush()


def test_ctrl_c_while_the_program_is_imported_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "prepare_imports", interrupt)
    assert command_line.main() == 1
    assert capsys.readouterr() == ("", "interrupted\n")


@pytest.mark.parametrize(
    ("variables", "color", "colored"),
    [
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": ""}, "auto", False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
        ({"FORCE_COLOR": "1"}, "never", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({}, "auto", False),
    ],
)
def test_color_where_the_output_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], color: str, *, colored: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    console = open_console(argparse.Namespace(json=False, quiet=False, verbose=0, color=color), lambda _: None)
    assert (type(console).__name__ == "ColorConsole") == colored

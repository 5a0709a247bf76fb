"""A command in a remedy works on the project of the command line, not on that of the current directory."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from release.cli.main import main
from release.cli.parser import parse_command_line
from release.cli.project_options import complete_commands, complete_event
from release.core.events import CheckFinished
from release.core.models.check_result import CheckState, Finding
from tests.runs import outcome

_GIVEN = ("--directory", "my lib", "--config", "r.toml", "--state-dir", "$HOME/s")
_PROJECT = "--directory 'my lib' --config r.toml"
_STATE = f"{_PROJECT} --state-dir '$HOME/s'"


def options(*words: str) -> argparse.Namespace:
    return parse_command_line(["check", *words], argparse.Namespace())


@pytest.mark.parametrize(
    ("remedy", "expected"),
    [
        ("run: pypi-preflight build", f"run: pypi-preflight build {_STATE}"),
        ("pypi-preflight store --index pypi", f"pypi-preflight store {_PROJECT} --index pypi"),
        (
            "release it: pypi-preflight release; to leave it out: pypi-preflight prepare 1.1",
            f"release it: pypi-preflight release {_STATE}; to leave it out: pypi-preflight prepare {_STATE} 1.1",
        ),
        ("then run `pypi-preflight release`", f"then run `pypi-preflight release {_STATE}`"),
        # complete already, of no project, or of another one
        ("pypi-preflight check --index x --directory y", "pypi-preflight check --index x --directory y"),
        ("pypi-preflight rehearse --files dist", "pypi-preflight rehearse --files dist"),
        ("run: pypi-preflight set rehearse", "run: pypi-preflight set rehearse"),
        ("pypi-preflight confirm acme==1.0", "pypi-preflight confirm acme==1.0"),
        ("pypi-preflight explain url.http", "pypi-preflight explain url.http"),
        ("install pypi-preflight", "install pypi-preflight"),
        ("git push origin v1", "git push origin v1"),
    ],
)
def test_a_command_gets_what_names_the_project(remedy: str, expected: str) -> None:
    assert complete_commands(remedy, options(*_GIVEN)) == expected
    assert complete_commands(complete_commands(remedy, options(*_GIVEN)), options(*_GIVEN)) == expected
    assert complete_commands(remedy, options()) == remedy
    assert complete_commands(remedy, argparse.Namespace(json=False)) == remedy, "the command line was wrong"


def test_findings_and_errors_have_complete_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = outcome("X", CheckState.FAILED, Finding(message="old", remedy="bump it: pypi-preflight prepare"))
    shown = complete_event(CheckFinished(outcome=found, stops=True), options("-C", "a b"))
    assert isinstance(shown, CheckFinished)
    assert shown.outcome.findings[0].remedy == "bump it: pypi-preflight prepare --directory 'a b'"
    (tmp_path / "a b").mkdir()
    assert main(["report", "-C", str(tmp_path / "a b")]) == 2
    assert f"→ run: pypi-preflight rehearse --directory '{tmp_path}/a b'\n" in capsys.readouterr().err


def test_a_set_gets_the_directory_of_its_root_alone() -> None:
    of_the_set = parse_command_line(["set", "rehearse", "--directory", "root"], argparse.Namespace())
    assert complete_commands("pypi-preflight set release", of_the_set) == (
        "pypi-preflight set release --directory root"
    )

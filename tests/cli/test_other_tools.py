"""What people type who come from another tool, and the answer that brings them on: commands that exist."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from release.cli import other_tools
from release.cli.command import expand_patterns
from release.cli.commands import COMMANDS
from release.cli.parser import parse_command_line
from release.core.errors import UsageError

FILES = ["dist/acme-1.0-py3-none-any.whl", "dist/acme-1.0.tar.gz"]


def answer(*words: str) -> UsageError:
    with pytest.raises(UsageError) as error:
        parse_command_line(words, argparse.Namespace())
    return error.value


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (
            ["upload", *FILES],
            "run: pypi-preflight testpypi dist && pypi-preflight publish dist",
        ),
        (["upload", "-r", "testpypi", *FILES], "run: pypi-preflight testpypi dist"),
        (["upload", "--repository=testpypi", "my files/a-1.whl"], "run: pypi-preflight testpypi 'my files'"),
        (["check", "--strict", *FILES], "run: pypi-preflight inspect dist/*"),
        (["fullrelease"], "bump the version, then release: pypi-preflight prepare --release"),
        (["minor"], "run: pypi-preflight prepare minor"),
        (["premajor"], "run: pypi-preflight prepare major"),
        (["1.2.0"], "run: pypi-preflight prepare 1.2.0"),
        (["release", "minor"], "run: pypi-preflight prepare minor --release"),
        (["publish", "--skip-existing", *FILES], "run: pypi-preflight publish dist/*"),
        (["publish", "-r", "testpypi", "--yes", *FILES], "run: pypi-preflight publish --index testpypi --yes dist/*"),
        (["testpypi", "--check-url=https://packages.example/", *FILES], "run: pypi-preflight testpypi dist/*"),
        (["release", "--no-input"], "run: pypi-preflight release --yes"),
        (["check", "dist/*"], "run: pypi-preflight inspect dist/*"),
        (["check", "dist"], "run: pypi-preflight inspect dist/*"),
        (["-r", "testpypi"], "run: pypi-preflight testpypi"),
        (["np", "minor"], "run: pypi-preflight prepare minor"),
        (["np"], "run: pypi-preflight prepare --release"),
        (["uv", "publish"], "run: pypi-preflight publish"),
        (["twine", "upload", *FILES], "run: pypi-preflight testpypi dist && pypi-preflight publish dist"),
        (["nox", "-s", "release"], "run: pypi-preflight release"),
        (["semantic-release"], "run: pypi-preflight prepare --release"),
        (["rc"], "run: pypi-preflight prepare rc"),
        (["pre"], "run: pypi-preflight prepare pre"),
        (["prepare", "--minor"], "run: pypi-preflight prepare minor"),
        (["release", "--patch"], "run: pypi-preflight prepare patch --release"),
        (["sdist"], "build sdist and wheel: pypi-preflight build --output dist"),
        (
            ["config", "pypi-token.pypi"],
            "show them: pypi-preflight config show; store a token: pypi-preflight store --index pypi",
        ),
        (["login"], "run: pypi-preflight store --index pypi"),
        (["token-health"], "run: pypi-preflight tokens"),
        (["dist/acme-1.0.tar.gz"], "check it: pypi-preflight inspect dist/acme-1.0.tar.gz"),
    ],
)
def test_the_answer_is_the_command(words: list[str], remedy: str) -> None:
    assert answer(*words).remedy == remedy


@pytest.mark.parametrize("option", ["-p", "--password", "--token", "-t"])
def test_a_secret_on_the_command_line_is_refused_with_the_reason(option: str) -> None:
    error = answer("publish", option, "x")
    assert "can be read by every program" in error.message
    assert "pypi-preflight store" in error.remedy


@pytest.mark.parametrize(
    "words",
    [
        ["-u", "me", "-p", "correct-horse", *FILES], ["-pcorrect-horse"], ["--username=me", "--pass", "correct-horse"],
        ["--skip-existing", "--token=correct-horse", *FILES],
    ],
)  # fmt: skip
def test_no_answer_repeats_a_password(words: list[str]) -> None:
    error = answer("publish", *words)
    assert "correct-horse" not in f"{error.message} {error.remedy}"
    assert "can be read by every program" in error.message


def test_the_directory_is_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my project").mkdir()
    (tmp_path / "sub").mkdir()
    for place in (tmp_path, tmp_path / "my project"):
        (place / "pyproject.toml").write_text('[project]\nname = "acme"\n')
    monkeypatch.chdir(tmp_path)
    assert answer("build", ".").remedy == "run: pypi-preflight build"
    assert answer("check", "my project").remedy == "run: pypi-preflight check -C 'my project'"
    assert answer("check", "sub").message == "'check' has no argument 'sub'"


def test_a_pattern_is_what_it_matches(tmp_path: Path) -> None:
    """As twine does: the command prompt of Windows passes `dist/*` as it is."""
    for name in ("b.whl", "a.tar.gz", "[x].whl"):
        (tmp_path / name).touch()
    assert expand_patterns([tmp_path / "*.whl"]) == [tmp_path / "[x].whl", tmp_path / "b.whl"]
    given = [tmp_path / "[x].whl", tmp_path / "none.whl"]
    assert expand_patterns(given) == given
    with pytest.raises(UsageError, match="no file matches") as error:
        expand_patterns([Path("nowhere/*")])
    assert error.value.remedy == "build first: pypi-preflight build --output nowhere"


def test_each_command_of_an_answer_is_one() -> None:
    """Those of `prepare` are among them."""
    remedies = [one.remedy for one in other_tools._COMMANDS.values()]
    remedies += [one.remedy for one in other_tools._OPTIONS.values()]
    lines = [line for remedy in remedies for line in re.findall(r"pypi-preflight ([a-z][^;]*)", remedy)]
    assert len(lines) > 20
    for line in lines:
        words = [re.sub("[.,]$", "", word) for word in shlex.split(line)]
        if words[0] in COMMANDS:
            parse_command_line(words, argparse.Namespace())
        else:
            assert words[0] == "prepare"


def test_no_word_of_another_tool_is_a_command_of_ours() -> None:
    assert not set(other_tools._COMMANDS) & set(COMMANDS)

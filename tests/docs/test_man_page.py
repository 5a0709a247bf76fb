"""The man page, which is generated: `MANPAGE=write python -m pytest tests/docs/test_man_page.py` writes it anew."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from argparse_manpage.manpage import Manpage

from release.cli.commands import COMMANDS
from release.cli.parser import full_parser
from tests.docs.markdown_pages import ROOT

_QUOTE = r"\\&'"
PAGE = ROOT / "docs" / "man" / "pypi-preflight.1"


def man_page(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    data = {
        "date": " ", "project_name": f"pypi-preflight {version}", "manual_title": "pypi-preflight",
        "description": "release Python packages",
    }  # fmt: skip
    text = str(Manpage(full_parser(), format="single-commands-section", _data=data))
    # troff takes a quotation mark at the start of a line for a request. Observed: argparse-manpage 4.8
    return "".join(re.sub("^'", _QUOTE, line.rstrip()) + "\n" for line in text.splitlines())


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse writes options in another form from 3.13 on")
def test_the_page_is_the_generated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ.get("MANPAGE") == "write":
        PAGE.write_text(man_page(monkeypatch), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == man_page(monkeypatch)


def test_the_page_has_every_command() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\.SS \\fBpypi\\-preflight (\w+)\\fR", text, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_page() -> None:
    done = subprocess.run(["man", "--warnings", "-l", str(PAGE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert not done.stderr
    assert "pypi-preflight - release Python packages" in done.stdout


def test_the_wheel_installs_the_page() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    shared = tool["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {"docs/man/pypi-preflight.1": "share/man/man1/pypi-preflight.1"}

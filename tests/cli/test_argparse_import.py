"""argparse is imported without the search for translations."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from release.cli.argparse_import import import_argparse
import_argparse()
import argparse
parser = argparse.ArgumentParser("widget", exit_on_error=False)
parser.add_argument("files", nargs=2)
assert "positional arguments" in parser.format_help()
assert not {"gettext", "locale"} & sys.modules.keys()
try:
    parser.parse_args(["a"])
except (SystemExit, argparse.ArgumentError):
    pass
import gettext
assert gettext.translation
import_argparse()
"""
_PLURALS = """
from release.cli.argparse_import import import_argparse
import_argparse()
import argparse
for count, words in ((1, "expected 1 argument"), (2, "expected 2 arguments")):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--file", nargs=count)
    try:
        parser.parse_args(["--file"])
    except argparse.ArgumentError as error:
        assert str(error).endswith(words), error
    else:
        raise AssertionError
"""


def test_its_texts_are_as_ever_and_others_find_the_library_that_is_left_out() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=240)


def test_its_plurals_are_as_ever() -> None:
    subprocess.run([sys.executable, "-c", _PLURALS], check=True, timeout=240)

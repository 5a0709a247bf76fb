"""Paths in messages are written as their users write them."""

from __future__ import annotations

import os
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from release.core.errors import from_os_error
from release.core.quoting import escape_unprintable, quote_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PureWindowsPath(r"C:\Users\Ann\dist"), r"'C:\Users\Ann\dist'"),
        (PureWindowsPath(r"\\server\share\a b"), r"'\\server\share\a b'"),
        (PureWindowsPath(r"C:\new\table"), r"'C:\new\table'"),
        (PurePosixPath("/home/ann/a b"), "'/home/ann/a b'"),
        (PurePosixPath("it's"), '"it\'s"'),
        (PurePosixPath("caf\N{LATIN SMALL LETTER E WITH ACUTE}"), "'café'"),
        (os.fsdecode(b"caf\xe9") if os.name == "posix" else "caf\udce9", r"'caf\xe9'"),
        ("a\x1b[31m\n", r"'a\x1b[31m\n'"),
        ("\u202etxt.exe", r"'\u202etxt.exe'"),
        ("ends of the bytes \udc80\udcff", r"'ends of the bytes \x80\xff'"),
        ("and what is none \udc7f\udd00", r"'and what is none \udc7f\udd00'"),
        ("half \ud83d", r"'half \ud83d'"),
    ],
)
def test_a_path_is_quoted_as_it_is_written(path: PurePosixPath | PureWindowsPath | str, expected: str) -> None:
    assert quote_path(path) == expected


def test_an_error_of_the_system_names_the_path_as_it_is_written() -> None:
    error = from_os_error(FileNotFoundError(2, "No such file or directory", r"C:\new\pyproject.toml"))
    assert error.message == r"no such file or directory: 'C:\new\pyproject.toml'"


def test_a_selector_behind_a_filler_has_no_sign_to_choose_a_variant_of() -> None:
    assert escape_unprintable("\u3164\ufe0e") == "\\u3164\\ufe0e"
    assert escape_unprintable("\u2764\ufe0f") == "\u2764\ufe0f"

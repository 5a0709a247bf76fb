"""The width of the terminal is that of the standard library, which takes four compression libraries to find it."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from release.cli.terminal_size import terminal_columns


@pytest.mark.parametrize("columns", [None, "", "0", "-1", "x", "40", "200"])
@pytest.mark.parametrize("width", [None, 0, 120])
def test_it_is_that_of_the_standard_library(
    columns: str | None, width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def size(_descriptor: int) -> os.terminal_size:
        if width is None:
            raise OSError
        return os.terminal_size((width, 24))

    monkeypatch.setattr(os, "get_terminal_size", size)
    monkeypatch.delenv("LINES", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert terminal_columns() == shutil.get_terminal_size().columns


def test_a_missing_standard_output_has_the_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", None)
    assert terminal_columns() == shutil.get_terminal_size().columns == 80

"""The width of the terminal, as `shutil.get_terminal_size` has it, whose module loads four compression libraries."""

from __future__ import annotations

import os
import sys

#: columns where neither $COLUMNS nor a terminal has a width
_DEFAULT = 80


def terminal_columns() -> int:
    """The columns of the terminal: of $COLUMNS, else of standard output, else 80."""
    try:
        columns = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        columns = 0
    if columns > 0:
        return columns
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _DEFAULT  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):  # there is none, it is closed, or it is no terminal
        return _DEFAULT

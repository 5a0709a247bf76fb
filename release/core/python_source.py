"""Parse Python source that is not ours. Nothing is executed."""

from __future__ import annotations

import ast
import warnings


def parse_source(code: str | bytes) -> ast.Module:
    """The syntax tree of a module, without a word about its style.

    Python 3.12 and later warn on stderr about a backslash that escapes nothing, in the name of this program.

    Raises `SyntaxError`, `ValueError`, `RecursionError` or `MemoryError` for what is no module.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)

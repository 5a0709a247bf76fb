"""Regular expressions that are compiled when they are first used.

To compile one takes as long as to import a small module, and most commands use few of those in the modules that they
import.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr, cast

if TYPE_CHECKING:
    from re import Pattern


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> Pattern[AnyStr]:
    """What `re.compile` returns, compiled later: it has the methods of a pattern, but functions of `re` refuse it.

    A wrong expression raises `re.error` at its first use.
    """
    return cast("Pattern[AnyStr]", _LazyPattern(pattern, flags))


class _LazyPattern:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """Called once for each name: after that, this object has it."""
        value = getattr(re.compile(*self._source), name)
        setattr(self, name, value)
        return value

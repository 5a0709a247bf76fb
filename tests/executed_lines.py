"""Count what a function executes, where seconds would depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

#: not the libraries, which may be installed below the root
OURS = tuple(str(Path(__file__).parents[1] / name) for name in ("release", "tests"))


def executed_lines(run: Callable[[], object]) -> int:
    """The number of lines of this project that a call executes, each turn of a loop or comprehension anew."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count

"""Waiting for what must happen, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

#: seconds after which what must happen has not; a test as a whole may take 300
PATIENCE = 120.0


def wait_until(condition: Callable[[], object]) -> bool:
    """Wait until it holds, `PATIENCE` seconds at most; returns whether it does."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True

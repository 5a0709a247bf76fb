"""How long people take to answer: that is not the time of a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

Answer = TypeVar("Answer")


class AnswerTimer(Struct, kw_only=True):
    """Adds up the seconds of all answers."""

    seconds: float = 0

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer. Raises what the question raises."""
        started = time.monotonic()
        try:
            return question()
        finally:
            self.seconds += time.monotonic() - started

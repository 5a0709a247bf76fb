"""How long people take to answer: that is not the time of a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")


@dataclass(kw_only=True)
class AnswerTimer:
    """Adds up the seconds of all answers."""

    seconds: float = 0

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer. Raises what the question raises."""
        started = time.monotonic()
        try:
            return question()
        finally:
            self.seconds += time.monotonic() - started

"""The time of answers is measured, also of one that is an exception."""

from __future__ import annotations

import time

import pytest

from release.publishing.answer_timer import AnswerTimer


def test_the_seconds_of_all_answers_add_up() -> None:
    timer = AnswerTimer()

    def answered() -> str:
        time.sleep(0.01)
        return "y"

    assert timer.ask(answered) == "y"
    first = timer.seconds
    assert first >= 0.01

    def declined() -> None:
        time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        timer.ask(declined)
    assert timer.seconds >= first + 0.01

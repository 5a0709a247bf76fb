"""The time of answers is measured, also of one that is an exception."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from release.publishing import answer_timer
from release.publishing.answer_timer import AnswerTimer


def test_the_seconds_of_all_answers_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 103.0, 110.0, 114.0])
    monkeypatch.setattr(answer_timer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    timer = AnswerTimer()
    assert timer.seconds == 0
    assert timer.ask(lambda: "y") == "y"
    assert timer.seconds == 3

    def declined() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        timer.ask(declined)
    assert timer.seconds == 7, "the time between the questions is that of the step"

"""Ctrl-C in a run of several threads: each stops where it can, once."""

from __future__ import annotations

import pytest

from release.core.events import Event, Message, Progress, SecretObtained, StepFinished, StepStarted
from release.core.secret import Secret
from release.publishing.sets.interruption import Interruption
from tests.fake_system import Programs, fake_system


def test_nothing_stops_before_the_request() -> None:
    one, told = Interruption(), list[Event]()
    one.stop_if_requested()
    notify = one.interrupting(told.append)
    notify(StepStarted(title="upload"))
    one.interruptible(fake_system()).sleep(0)
    assert told == [StepStarted(title="upload")]


def test_after_the_request_a_pause_and_the_next_step_are_over() -> None:
    one = Interruption()
    one.requested.set()
    with pytest.raises(KeyboardInterrupt):
        one.stop_if_requested()
    with pytest.raises(KeyboardInterrupt):
        one.interruptible(fake_system()).sleep(600)


def test_programs_are_ended_once_the_run_is_to_stop() -> None:
    one, programs = Interruption(), Programs(answer=lambda _: "")
    system = one.interruptible(fake_system(run=programs))
    system.run(["git"])
    stop = programs.options[0]["stop"]
    assert not stop()
    one.requested.set()
    assert stop()


@pytest.mark.parametrize("event", [StepStarted(title="x"), Progress(text="x"), Message(text="x")])
def test_an_observer_stops_its_thread_once_and_has_shown_the_event(event: Event) -> None:
    """Once: what then winds down has events too, and must come to its end."""
    one, told = Interruption(), list[Event]()
    notify, other = one.interrupting(told.append), one.interrupting(told.append)
    one.requested.set()
    with pytest.raises(KeyboardInterrupt):
        notify(event)
    notify(event)
    with pytest.raises(KeyboardInterrupt):
        other(event)
    assert told == [event] * 3


def test_the_end_of_a_step_is_no_place_to_stop() -> None:
    one, told = Interruption(), list[Event]()
    one.requested.set()
    notify = one.interrupting(told.append)
    for event in (StepFinished(title="x", status="done", note="", seconds=1), SecretObtained(secret=Secret("x"))):
        notify(event)
    assert len(told) == 2

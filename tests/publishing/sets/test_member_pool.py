"""Members are worked on in parallel, each after those that it needs, until one fails or Ctrl-C stops all."""

from __future__ import annotations

import threading

import pytest

from release.adapters.system import system as systems
from release.core.events import CheckFinished, Event, Message, Progress
from release.core.models.check_result import CheckState, Outcome
from release.publishing.sets.interruption import Interruption
from release.publishing.sets.member_pool import work_on_members

NEEDS = {"b": frozenset("a"), "c": frozenset("a"), "d": frozenset("bc"), "e": frozenset()}


def test_each_member_comes_after_those_that_it_needs() -> None:
    begun: list[str] = []
    lock = threading.Lock()

    def work(name: str) -> bool:
        with lock:
            begun.append(name)
        return True

    through = work_on_members("dcbae", work, workers=3, needs=NEEDS, interruption=Interruption())
    assert through == frozenset("abcde")
    assert begun.index("a") < min(begun.index("b"), begun.index("c"))
    assert begun.index("d") > max(begun.index("b"), begun.index("c"))


def test_only_what_needs_a_failed_member_is_left_out() -> None:
    begun: list[str] = []

    def work(name: str) -> bool:
        begun.append(name)
        return name != "b"

    through = work_on_members("abcde", work, workers=1, needs=NEEDS, interruption=Interruption())
    assert through == frozenset("ace")
    assert "d" not in begun


@pytest.mark.parametrize("where", ["in a member", "in the main thread"])
def test_an_interrupt_begins_nothing_new_and_waits_for_what_is_under_way(where: str) -> None:
    interruption, ended = Interruption(), list[str]()

    def work(name: str) -> bool:
        if where == "in the main thread":
            interruption.requested.set()
        else:
            raise KeyboardInterrupt  # as a member's thread does that is told to stop
        ended.append(name)
        return True

    with pytest.raises(KeyboardInterrupt):
        work_on_members("abcde", work, workers=1, needs=NEEDS, interruption=interruption)
    assert interruption.requested.is_set()
    assert len(ended) <= 1


def test_as_many_members_are_worked_on_at_once_as_allowed() -> None:
    """Also more than the processors would get by default: each of them waits most of the time."""
    everyone = threading.Barrier(40, timeout=60)

    def work(_: str) -> bool:
        everyone.wait()
        return True

    names = [str(number) for number in range(40)]
    assert len(work_on_members(names, work, workers=40, needs={}, interruption=Interruption())) == 40


def test_no_more_members_are_worked_on_at_once_than_allowed() -> None:
    at_work, most = set[str](), list[int]()

    def work(name: str) -> bool:
        at_work.add(name)
        most.append(len(at_work))
        at_work.discard(name)
        return True

    work_on_members("abcdefgh", work, workers=1, needs={}, interruption=Interruption())
    assert max(most) == 1
    assert work_on_members("", work, workers=3, needs={}, interruption=Interruption()) == frozenset()


def test_an_unexpected_exception_is_raised() -> None:
    def work(_: str) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work_on_members("ab", work, workers=2, needs={}, interruption=Interruption())


def test_a_member_is_stopped_once_where_it_can_stop() -> None:
    interruption, seen = Interruption(), list[Event]()
    notify = interruption.interrupting(seen.append)
    interruption.requested.set()
    notify(CheckFinished(outcome=Outcome(check="x", title="X", state=CheckState.PASSED), stops=True))
    with pytest.raises(KeyboardInterrupt):
        notify(Progress(text="uploading"))
    notify(Message(text="the upload was aborted"))  # while it winds down, it is not stopped again
    assert len(seen) == 3


def test_pauses_and_programs_of_a_stopped_run_end() -> None:
    interruption = Interruption()
    system = interruption.interruptible(systems.real_system())
    system.sleep(0)
    interruption.requested.set()
    with pytest.raises(KeyboardInterrupt):
        system.sleep(60)

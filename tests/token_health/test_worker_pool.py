"""Jobs with time limits: one that hangs holds up no other."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from release.token_health.fleet import FleetLimits
from release.token_health.worker_pool import OnceCache, WorkerPool


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What a job waits for that hangs, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_every_job_has_its_result_and_a_failure_is_one() -> None:
    jobs: list[Callable[[], int]] = [lambda: 1, lambda: 1 // 0, lambda: 3]
    found = dict(WorkerPool(jobs, FleetLimits(concurrency=2)).results())
    assert (found[0], found[2]) == (1, 3)
    assert isinstance(found[1], ZeroDivisionError)
    assert dict(WorkerPool(list[Callable[[], int]](), FleetLimits()).results()) == {}


def test_a_worker_that_hangs_is_replaced(never: threading.Event) -> None:
    """With as many jobs that hang as there are workers, the others are done all the same."""
    jobs: list[Callable[[], object]] = [lambda: never.wait(600)] * 2 + [lambda: "done"] * 3
    found = dict(WorkerPool(jobs, FleetLimits(concurrency=2, patience=0.05, deadline=60)).results())
    assert found == {0: None, 1: None, 2: "done", 3: "done", 4: "done"}


def test_what_ends_after_its_time_is_not_reported_twice() -> None:
    """The result of a job that was given up comes while another one is still at work."""
    late, next_one = threading.Event(), threading.Event()
    jobs: list[Callable[[], object]] = [lambda: late.wait(60), lambda: next_one.wait(60), next_one.set]
    numbers = []
    for number, _ in WorkerPool(jobs, FleetLimits(concurrency=1, patience=0.2, deadline=60)).results():
        numbers.append(number)
        late.set()
    assert sorted(numbers) == [0, 1, 2]


def test_jobs_that_start_do_not_disturb_the_search_for_those_that_hang() -> None:
    """The search may be interrupted at any time: here by each garbage collection, of which there are many."""

    def interrupt(*_: object) -> None:
        time.sleep(0.0001)

    before = gc.get_threshold()
    gc.callbacks.append(interrupt)
    gc.set_threshold(50)
    try:
        pool = WorkerPool([lambda: time.sleep(0.0005)] * 5000, FleetLimits(concurrency=16))
        assert len(list(pool.results())) == 5000
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(interrupt)


def test_no_more_workers_than_allowed_run_at_once() -> None:
    running, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(3)

    def job() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait(60)  # breaks where fewer run at once
        with lock:
            running[0] -= 1

    found = dict(WorkerPool([job] * 6, FleetLimits(concurrency=3)).results())
    assert set(found.values()) == {None}
    assert most[0] == 3


def test_what_is_late_for_the_run_is_not_reported(never: threading.Event) -> None:
    jobs: list[Callable[[], object]] = [lambda: never.wait(60), lambda: "done"]
    found = dict(WorkerPool(jobs, FleetLimits(concurrency=2, patience=60, deadline=0.3)).results())
    assert found == {1: "done"}


def test_jobs_that_nobody_waits_for_are_not_started_and_a_sleep_ends_with_the_run() -> None:
    begun = threading.Event()
    started: list[int] = []

    def sleeping() -> None:
        begun.set()
        pool.sleep(600)

    jobs: list[Callable[[], object]] = [sleeping, *(lambda: started.append(1) for _ in range(50))]
    pool = WorkerPool(jobs, FleetLimits(concurrency=1, patience=600, deadline=0.2))
    assert list(pool.results()) == []
    assert begun.is_set()
    pool.sleep(600)  # is over at once
    assert len(started) < 50


def test_each_worker_has_a_context_of_its_own() -> None:
    opened: list[str] = []

    @contextmanager
    def context() -> Iterator[None]:
        opened.append(threading.current_thread().name)
        yield

    list(WorkerPool([lambda: 1] * 4, FleetLimits(concurrency=2), context).results())
    assert len(set(opened)) == len(opened) <= 2
    assert opened


def test_a_value_is_computed_once_until_it_is_forgotten() -> None:
    cache, computed = OnceCache[str, int](), list[str]()

    def compute() -> int:
        computed.append("x")
        return len(computed)

    assert [cache.get("a", compute), cache.get("a", compute), cache.get("b", compute)] == [1, 1, 2]
    cache.forget("a")
    cache.forget("no such key")
    assert cache.get("a", compute) == 3


def test_a_failure_is_no_value() -> None:
    cache = OnceCache[str, int]()
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0)
    assert cache.get("a", lambda: 2) == 2


def test_only_jobs_under_way_are_watched(never: threading.Event) -> None:
    """After each result, the times of all of them are compared with the limit."""
    jobs: list[Callable[[], object]] = [lambda: never.wait(600), *[lambda: "done"] * 200]
    pool = WorkerPool(jobs, FleetLimits(concurrency=4, patience=0.5, deadline=60))
    assert dict(pool.results()) == {0: None, **dict.fromkeys(range(1, 201), "done")}
    assert not pool._started

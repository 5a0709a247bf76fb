"""The workers of an upload, with clients that answer at once, and the line of progress of what they send."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import ReleaseError
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution, Receipt, UploadResult
from release.publishing.upload.workers import (
    FilesRead,
    ListingFetched,
    ProgressMeter,
    UploadEnded,
    UploadFailed,
    UploadWorkers,
    WorkerCrashed,
    WorkerEvent,
    WorkerReady,
    progress_to_text,
)
from tests.fake_system import LASTING, SDIST, WHEEL, sandbox_credential
from tests.patience import PATIENCE

FILE = Distribution(path=Path(WHEEL), sha256="a" * 64, size=10)
OTHER = Distribution(path=Path(SDIST), sha256="b" * 64, size=20)
TWINE = ReleaseError("twine cannot be used", remedy="install it")


@pytest.mark.parametrize(
    ("done", "total", "rate", "text"),
    [
        (46e6, 80e6, 12e6, "23 of 40 files, 46 of 80 MB, 12 MB/s, 3 s left"),
        (0, 80e6, 0, "23 of 40 files, 0 of 80 MB"),
        (1.5e9, 2.5e9, 1.25e6, "23 of 40 files, 1.5 of 2.5 GB, 1.2 MB/s, 13 min left"),
        (10, 900, 5, "23 of 40 files, 10 of 900 B, 5 B/s, 2 min 58 s left"),
        (1e6, 9e9, 20_000, "23 of 40 files, 0.0 of 9 GB, 20 kB/s, 125 h left"),
        (0, 0, 0, "23 of 40 files, 0 of 0 B"),
        (1e3, 1e3, 0.5, "23 of 40 files, 1 of 1 kB, 0.5 B/s, 0 s left"),
        (9e5, 1e6, 1e3, "23 of 40 files, 0.9 of 1 MB, 1 kB/s, 1 min 40 s left"),
        (12e6, 11e6, 1e6, "23 of 40 files, 12 of 11 MB, 1 MB/s, 0 s left"),
    ],
)
def test_progress_fits_a_narrow_screen(done: float, total: float, rate: float, text: str) -> None:
    shown = progress_to_text(files=23, of_files=40, done=done, total=total, rate=rate)
    assert shown == text
    assert len(shown) <= 52


def meter() -> ProgressMeter:
    made = ProgressMeter()
    made.start([replace(FILE, size=6_000), replace(OTHER, size=4_000)], now=100.0)
    return made


def test_progress_counts_what_is_accepted_and_what_is_under_way() -> None:
    one = meter()
    one.accepted.append(6_000)
    shown = one.event({SDIST: 1_000}, now=107.0)
    assert shown is not None
    assert (shown.done, shown.total) == (7_000, 10_000)
    assert shown.text == "1 of 2 files, 7 of 10 kB, 1 kB/s, 3 s left"


def test_progress_is_shown_five_times_a_second_at_most() -> None:
    one = meter()
    at = (100.0, 100.1, 100.19, 100.25, 100.3, 100.5)
    assert [one.event({}, now=now) is not None for now in at] == [True, False, False, True, False, True]


def test_at_the_start_there_is_no_rate_yet() -> None:
    """The clock may not have moved since."""
    shown = meter().event({WHEEL: 500}, now=100.0)
    assert shown is not None
    assert shown.text == "0 of 2 files, 0.5 of 10 kB"


def test_the_rate_is_that_of_the_last_seconds_and_never_negative() -> None:
    one = meter()
    for second in range(1, 21):  # 100 B/s; then 500 B/s for 5 s
        one.event({WHEEL: 100 * second}, now=100.0 + second)
    for second in range(1, 6):
        shown = one.event({WHEEL: 2_000 + 500 * second}, now=120.0 + second)
    assert shown is not None
    assert "500 B/s" in shown.text
    again = one.event({WHEEL: 0}, now=126.0)  # an attempt that starts again
    assert again is not None
    assert again.text == "0 of 2 files, 0 of 10 kB"


# -- workers -------------------------------------------------------------------------------------------------


@dataclass
class Client:
    """A client that accepts every file, once `go` is set; each problem is raised instead."""

    go: threading.Event
    problems: dict[str, BaseException]
    calls: list[str] = field(default_factory=list)
    #: the file that was to be read during the last upload
    upcoming: Distribution | None = None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.problems:
            raise self.problems[name]

    def wake(self) -> None:
        self._called("wake")

    def prepare(self, distribution: Distribution) -> None:
        self._called(f"prepare {distribution.filename}")

    def read(self, distributions: Sequence[Distribution]) -> tuple[Distribution, ReleaseError] | None:
        for distribution in distributions:
            try:
                self._called(f"read {distribution.filename}")
            except ReleaseError as error:
                return distribution, error
        return None

    def login(self, index: Any, credential: Any) -> None:
        self._called(f"login {index.name} {credential.password.reveal()}")

    def send(
        self, distribution: Distribution, *, on_progress: Callable[[int, int], None] = lambda *_: None,
        upcoming: Distribution | None = None,
    ) -> Any:  # fmt: skip
        self._called(f"send {distribution.filename}")
        self.upcoming = upcoming
        on_progress(distribution.size + 300, distribution.size + 300)  # the form has more than the file
        assert self.go.wait(PATIENCE)
        result: UploadResult = Receipt(filename=distribution.filename, sha256=distribution.sha256)
        return result

    def kill(self) -> None:
        self.calls.append("kill")
        self.go.set()

    def close(self) -> None:
        self.calls.append("close")


class Pool:
    """Workers, and the clients that they have started."""

    def __init__(self, **problems: BaseException) -> None:
        self.go = threading.Event()
        self.go.set()
        self.problems = {name.replace("_", " "): problem for name, problem in problems.items()}
        self.clients: list[Client] = []
        self.workers = UploadWorkers(self._start)

    def _start(self) -> Client:
        self.clients.append(Client(self.go, self.problems))
        return self.clients[-1]

    def next(self) -> WorkerEvent:
        return next(self.workers.events(PATIENCE))

    def grown(self, count: int = 1) -> UploadWorkers:
        self.workers.grow(count)
        assert [type(self.next()) for _ in range(count)] == [WorkerReady] * count
        return self.workers


@contextmanager
def pool(**problems: BaseException) -> Iterator[Pool]:
    made = Pool(**problems)
    with made.workers:
        yield made


def test_a_worker_is_idle_once_it_has_started_and_again_after_each_file() -> None:
    with pool() as made:
        made.workers.grow(1)
        assert (made.workers.idle, made.workers.active) == (0, True)
        assert made.next() == WorkerReady()
        assert (made.workers.idle, made.workers.active) == (1, False)
        made.workers.send(LASTING, sandbox_credential("one"), FILE)
        assert (made.workers.idle, made.workers.active) == (0, True)
        assert made.next() == UploadEnded(file=FILE, result=Receipt(filename=WHEEL, sha256="a" * 64))
        assert (made.workers.idle, made.workers.active, made.workers.done) == (1, False, {})
        made.workers.read([FILE, OTHER])
        assert made.next() == FilesRead()
    assert made.clients[0].calls == [
        "wake", "login acme one", f"send {WHEEL}", f"read {WHEEL}", f"read {SDIST}", "close",
    ]  # fmt: skip


def test_a_file_is_sent_by_the_worker_that_has_prepared_it() -> None:
    """Each idle worker prepares one file; a file that none has prepared goes to a worker without one, if there is."""
    third = replace(FILE, path=Path("acme_widget-1.0-py3-none-win_amd64.whl"))
    with pool() as made:
        workers = made.grown(3)
        assert [workers.prepare(file) for file in (FILE, OTHER)] == [True, True]
        assert workers.upcoming == {WHEEL: True, SDIST: True}
        for file in (OTHER, third, FILE):
            workers.send(LASTING, sandbox_credential("one"), file)
        assert workers.upcoming == {}
        for _ in range(3):
            made.next()
    assert [[call for call in one.calls if " " in call and "login" not in call] for one in made.clients] == [
        [f"prepare {WHEEL}", f"send {WHEEL}"], [f"prepare {SDIST}", f"send {SDIST}"], [f"send {third.filename}"],
    ]  # fmt: skip


def test_what_a_worker_has_read_is_known_for_the_file_that_it_would_be_given() -> None:
    with pool() as made:
        workers = made.grown(2)
        workers.read([FILE])
        workers.read([OTHER])
        for _ in range(2):
            made.next()
        assert workers.read_by_sender(FILE) == deque([FILE])
        workers.send(LASTING, sandbox_credential("one"), FILE)
        assert workers.read_by_sender(OTHER) == deque([OTHER])
        made.next()


def test_a_busy_worker_reads_the_file_that_it_was_given_with_the_last_one() -> None:
    with pool() as made:
        workers = made.grown()
        made.go.clear()
        assert not UploadWorkers(made._start).prepare(FILE), "there is no worker yet"
        workers.send(LASTING, sandbox_credential("one"), FILE, OTHER)
        assert workers.upcoming == {SDIST: False}
        assert not workers.prepare(FILE), "none is idle"
        made.go.set()
        made.next()
        assert workers.upcoming == {SDIST: True}
        assert not workers.prepare(FILE), "it has prepared another"
    assert made.clients[0].upcoming == OTHER


def test_there_are_as_many_workers_as_asked_for_and_none_is_ended_for_a_smaller_number() -> None:
    with pool() as made:
        made.grown(2)
        made.workers.grow(1)
        made.workers.grow(2)
        assert (len(made.clients), made.workers.idle) == (2, 2)
        assert len({one.name for one in threading.enumerate() if one.name in {"upload 1", "upload 2"}}) == 2
    assert [one.calls[-1] for one in made.clients] == ["close", "close"]


def test_bytes_under_way_are_those_of_the_file_at_most() -> None:
    with pool() as made:
        made.grown()
        made.go.clear()
        made.workers.send(LASTING, sandbox_credential("one"), FILE)
        assert set(made.workers.done) == {WHEEL}
        assert 0 <= made.workers.done[WHEEL] <= FILE.size
        made.go.set()
        made.next()


def test_a_worker_that_cannot_start_is_replaced_by_a_new_one() -> None:
    with pool(wake=TWINE) as made:
        made.workers.grow(1)
        assert made.next() == UploadFailed(file=None, error=TWINE)
        assert (made.workers.idle, made.workers.active) == (0, False)
        made.problems.clear()
        made.grown()
        assert (len(made.clients), made.workers.idle) == (2, 1)
    assert made.clients[0].calls == ["wake", "close"]


@pytest.mark.parametrize("name", [f"read {WHEEL}", "login acme one"])
def test_what_twine_refuses_costs_no_worker(name: str) -> None:
    with pool() as made:
        made.problems[name] = TWINE
        workers = made.grown()
        if name.startswith("read"):
            workers.read([OTHER, FILE])
        else:
            workers.send(LASTING, sandbox_credential("one"), FILE)
        assert made.next() == UploadFailed(file=FILE, error=TWINE)
        assert workers.idle == 1
        assert not any(call.startswith("send") for call in made.clients[0].calls)


def test_an_unexpected_exception_reaches_the_caller() -> None:
    fault = ZeroDivisionError("of a bug")
    with pool() as made:
        made.problems[f"send {WHEEL}"] = fault
        workers = made.grown()
        workers.send(LASTING, sandbox_credential("one"), FILE)
        assert made.next() == WorkerCrashed(error=fault)
        assert (workers.idle, workers.active) == (0, False)
    assert "close" in made.clients[0].calls


@pytest.mark.parametrize("listing", [None, Unknown(reason="no answer", remedy="wait")])
def test_a_listing_is_fetched_while_workers_are_busy(listing: Any) -> None:
    with pool() as made:
        made.workers.fetch_listing(lambda: listing, frozenset({WHEEL}))
        assert made.next() == ListingFetched(filenames=frozenset({WHEEL}), listing=listing)
        fault = ZeroDivisionError("of a bug")

        def broken() -> Any:
            raise fault

        made.workers.fetch_listing(broken, frozenset())
        assert made.next() == WorkerCrashed(error=fault)


def test_only_uploads_under_way_are_aborted() -> None:
    with pool() as made:
        made.grown(2)
        made.go.clear()
        made.workers.send(LASTING, sandbox_credential("one"), FILE)
        made.workers.kill()
        assert isinstance(made.next(), UploadEnded)
        assert sorted("kill" in one.calls for one in made.clients) == [False, True]


def test_the_end_aborts_what_is_under_way_and_closes_all() -> None:
    with pool() as made:
        made.grown(2)
        made.go.clear()
        made.workers.send(LASTING, sandbox_credential("one"), FILE)
    assert sorted("kill" in one.calls for one in made.clients) == [False, True]
    assert [one.calls[-1] for one in made.clients] == ["close", "close"]
    assert made.workers.idle == 0


def test_without_an_event_the_wait_ends() -> None:
    assert list(UploadWorkers(lambda: Client(threading.Event(), {})).events(0.001)) == []


def test_a_worker_does_not_keep_the_program_alive() -> None:
    """A thread that hangs in a request must not delay the end of an interrupted run."""
    with pool() as made:
        made.grown()
        (thread,) = [one for one in threading.enumerate() if one.name == "upload 1"]
        assert thread.daemon

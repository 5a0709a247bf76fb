"""The turns of an upload with workers that answer at once: what is sent when, recorded and shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from release.core.config import UploadSettings
from release.core.errors import ReleaseError
from release.core.events import Event, Message, Progress
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse
from release.core.models.index import ProjectListing
from release.publishing.journal import Journal
from release.publishing.upload.errors import UploadError
from release.publishing.upload.uploader import Timing, Uploader
from release.publishing.upload.workers import (
    FilesRead,
    ListingFetched,
    ListingResult,
    UploadEnded,
    UploadFailed,
    WorkerEvent,
)
from tests.fake_system import LASTING, PROJECT, SDIST, WHEEL, files_in, listing_of, sandbox_credential

#: what becomes of an attempt: a response, what is raised, or None while it never ends
Answer = Any
BUSY = UnclearResponse(filename=WHEEL, kind="status", status=503, detail="try later", sent="some")


def accepted(file: Distribution) -> Receipt:
    return Receipt(filename=file.filename, sha256=file.sha256)


@dataclass
class Workers:
    """As many as asked for, which are idle at once. `answers`: of each attempt by file; without one, it is accepted."""

    answers: dict[str, list[Answer]]
    listings: list[ListingResult]
    count: int = 0
    waiting: list[WorkerEvent] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    #: of each attempt, the file to read meanwhile
    read_ahead: list[str] = field(default_factory=list)
    #: what workers have read in advance, by name: whether that worker is idle
    upcoming: dict[str, bool] = field(default_factory=dict)
    #: by the name of a file, that of the next one that its worker was given
    given: dict[str, str] = field(default_factory=dict)
    #: what twine refuses to read, and why
    refused: dict[str, ReleaseError] = field(default_factory=dict)
    #: what the worker that sends the next file has read
    known: deque[Distribution] = field(default_factory=deque)
    #: how many idle workers can read a file in advance
    readers: int = 0
    #: the file at whose upload Ctrl-C is pressed once
    interrupted: str = ""

    @property
    def idle(self) -> int:
        return self.count - len(self.under_way)

    @property
    def active(self) -> bool:
        return bool(self.under_way or self.waiting)

    @property
    def done(self) -> dict[str, int]:
        return {}

    def grow(self, count: int) -> None:
        self.count = max(self.count, count)

    def prepare(self, file: Distribution) -> bool:
        if len(self.upcoming) < self.readers:
            self.calls.append(f"prepare {file.filename}")
            self.upcoming[file.filename] = True
            return True
        return False

    def read(self, files: Sequence[Distribution]) -> None:
        self.calls.append(f"read {len(files)}")
        refused = next((file for file in files if file.filename in self.refused), None)
        event = FilesRead() if refused is None else UploadFailed(file=refused, error=self.refused[refused.filename])
        self.waiting.insert(0, event)  # a later part is read earlier

    def read_by_sender(self, _file: Distribution) -> deque[Distribution]:
        return self.known

    def send(self, _index: object, _credential: object, file: Distribution, upcoming: Distribution | None) -> None:
        self.calls.append(f"send {file.filename}")
        self.read_ahead.append(upcoming.filename if upcoming else "")
        self.upcoming.pop(file.filename, None)
        if upcoming:
            self.upcoming[upcoming.filename] = False
            self.given[file.filename] = upcoming.filename
        self.under_way.append(file.filename)
        left = self.answers.get(file.filename, [])
        answer = left.pop(0) if left else accepted(file)
        if isinstance(answer, ReleaseError):
            self.waiting.append(UploadFailed(file=file, error=answer))
        elif answer is not None:
            self.waiting.append(UploadEnded(file=file, result=answer))

    def fetch_listing(self, fetch: Callable[[], ListingResult], filenames: frozenset[str]) -> None:
        self.calls.append("list")
        self.waiting.append(ListingFetched(filenames=filenames, listing=fetch()))

    def events(self, _timeout: float) -> Iterator[WorkerEvent]:
        if self.under_way == [self.interrupted] and not self.waiting:
            self.interrupted = ""
            raise KeyboardInterrupt  # as Ctrl-C ends a wait
        while self.waiting:
            event = self.waiting.pop(0)
            if isinstance(event, UploadEnded | UploadFailed) and event.file and event.file.filename in self.under_way:
                self.under_way.remove(event.file.filename)
                for name in self.upcoming:
                    self.upcoming[name] |= name == self.given.get(event.file.filename)
            yield event

    def kill(self) -> None:
        self.calls.append("kill")


@dataclass
class Run:
    """An upload of a wheel and an sdist, and what it left."""

    directory: Path
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    listings: list[ListingResult] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    passed: float = 0.0
    names: Sequence[str] = (WHEEL, SDIST)

    def __post_init__(self) -> None:
        self.files = files_in(self.directory / "dist", *self.names)
        self.workers = Workers(self.answers, self.listings)
        self.journal = Journal(directory=self.directory / "state", commit=None, version="1.0")
        self.uploader = Uploader(
            index=LASTING, project=PROJECT, journal=self.journal, notify=self.notify,
            workers=self.workers,  # type: ignore[arg-type] # in the place of threads
            credential=lambda: sandbox_credential("one"), fetch_listing=self._listing,
            timing=Timing(clock=lambda: self.passed, sleep=self._sleep, chance=lambda: 0.5),
        )  # fmt: skip

    def notify(self, event: Event) -> None:
        self.told.append(event)

    def _listing(self) -> ListingResult:
        return self.listings.pop(0) if self.listings else None

    def _sleep(self, seconds: float) -> None:
        self.passed += seconds

    def run(self, *, opened: bool = False) -> None:
        self.uploader.run(self.files, opened=opened)

    def events(self) -> list[tuple[str, str, str]]:
        return [(one["event"], one["file"], one.get("text", "")) for one in self.journal.events()]

    @property
    def texts(self) -> list[str]:
        return [one.text for one in self.told if isinstance(one, Message)]


def test_the_first_file_goes_alone_and_all_are_read_before(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.run()
    assert run.workers.calls == ["read 2", f"send {WHEEL}", f"send {SDIST}"]
    assert (run.workers.count, run.workers.under_way) == (1, [])
    assert run.events() == [(event, name, "") for name in (WHEEL, SDIST) for event in ("sending", "accepted")]
    assert run.texts == [f"{WHEEL}: accepted", f"{SDIST}: accepted"]
    assert run.uploader.results == [accepted(one) for one in run.files]
    assert run.uploader.doubtful, "the index has them"


def test_workers_are_told_what_to_read_in_advance(tmp_path: Path) -> None:
    """Idle ones before twine has read all files; a busy one with its file. No file is read by two."""
    one, two, three = (f"acme_widget-1.0-{n}-py3-none-any.whl" for n in (1, 2, 3))
    run = Run(tmp_path, names=(one, two, three))
    run.workers.readers, run.uploader.rules = 1, UploadSettings(concurrency=1)
    run.run()
    assert run.workers.calls == [f"prepare {one}", "read 3", f"send {one}", f"send {two}", f"send {three}"]
    assert run.workers.read_ahead == [two, three, ""]


def test_a_file_that_an_idle_worker_has_read_goes_first_and_one_that_a_busy_worker_reads_goes_last(
    tmp_path: Path,
) -> None:
    names = [f"acme_widget-1.0-{n}-py3-none-any.whl" for n in range(5)]
    run = Run(tmp_path, names=names)
    run.uploader.rules = UploadSettings(concurrency=2)
    run.workers.upcoming = {"of-another-release.whl": True, names[0]: False, names[2]: False, names[4]: True}
    run.run()
    sent = [call.removeprefix("send ") for call in run.workers.calls if call.startswith("send")]
    assert sent == [names[0], names[1], names[4], names[3], names[2]], "the first file stays the first one"


def test_a_worker_is_given_what_it_has_read_rather_than_what_others_have(tmp_path: Path) -> None:
    """As long as that is still to be sent, and belongs to the release."""
    names = [f"acme_widget-1.0-{n}-py3-none-any.whl" for n in range(5)]
    run = Run(tmp_path, names=names)
    run.uploader.rules = UploadSettings(concurrency=1)
    foreign = Distribution(path=tmp_path / "of-another-release.whl", sha256="a" * 64, size=1)
    run.workers.known = deque([run.files[0], foreign, run.files[3], run.files[4]])
    run.run()
    assert run.workers.read_ahead == [names[3], names[4], names[1], names[2], ""]


@pytest.mark.parametrize("twice", [True, False])
def test_twine_reads_all_files_in_parts_and_the_first_that_it_refuses_is_named(tmp_path: Path, twice: bool) -> None:
    """Also where a later one is refused earlier; no further part is read, and nothing is sent."""
    names = [f"acme_widget-1.0-{n}-py3-none-any.whl" for n in range(40)]
    errors = {
        name: ReleaseError(f"no {name}", remedy="r") for name in ([names[30], names[3]] if twice else names[30:31])
    }
    run = Run(tmp_path, names=names)
    run.workers.refused = errors
    with pytest.raises(ReleaseError, match=f"no {names[3 if twice else 30]}"):
        run.run(opened=True)
    assert run.workers.calls == ["read 16", "read 16", "read 8"]
    assert run.events() == []


def test_nothing_is_read_in_advance_once_the_release_stops(tmp_path: Path) -> None:
    run = Run(tmp_path, answers={WHEEL: [Rejection(filename=WHEEL, status=400, message="no")]})
    run.workers.readers = 2
    with pytest.raises(UploadError):
        run.run()
    assert run.workers.calls == [f"prepare {WHEEL}", "read 2", f"send {WHEEL}"]


def test_an_opened_release_needs_no_first_file(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.run(opened=True)
    assert run.workers.count == 2
    assert [event for event, *_ in run.events()] == ["sending", "sending", "accepted", "accepted"]


@pytest.mark.parametrize(
    ("answer", "text", "waited"),
    [
        (BUSY, f"{WHEEL}: no clear response (status 503)", 0.5),
        (
            UnclearResponse(filename=WHEEL, kind="status", status=429, detail="slow down", retry_after=30),
            f"{WHEEL}: no clear response (status 429); acme asks to wait 30 s",
            30,
        ),
        (
            UnclearResponse(filename=WHEEL, kind="timeout", detail="of 60 s"),
            f"{WHEEL}: no clear response (timeout)",
            0.5,
        ),
    ],
)
def test_an_unclear_response_is_shown_and_the_index_asked_before_the_next_attempt(
    tmp_path: Path, answer: UnclearResponse, text: str, waited: float
) -> None:
    run = Run(tmp_path, {WHEEL: [answer]})
    run.run()
    assert run.workers.calls == ["read 2", f"send {WHEEL}", "list", f"send {WHEEL}", f"send {SDIST}"]
    assert run.texts[0] == text
    assert run.events()[1] == ("unclear", WHEEL, f"{answer.summary}: {answer.detail}")
    assert run.passed == pytest.approx(waited)
    (wait,) = [one for one in run.told if isinstance(one, Progress) and one.unit == "seconds"]
    assert wait.text.startswith("waiting ")
    assert wait.text.endswith(" before the next request to acme")


def test_a_file_that_came_through_unheard_is_not_sent_again(tmp_path: Path) -> None:
    run = Run(tmp_path, {WHEEL: [UnclearResponse(filename=WHEEL, kind="timeout", detail="of 60 s")]})
    run.listings.append(listing_of(run.files[:1]))
    run.run()
    assert run.workers.calls.count(f"send {WHEEL}") == 1
    assert run.events()[2] == ("accepted", WHEEL, "")


def test_a_refusal_is_recorded_with_the_words_of_the_index(tmp_path: Path) -> None:
    refusal = Rejection(filename=WHEEL, status=400, message="'No' is not a valid classifier.")
    run = Run(tmp_path, {WHEEL: [refusal]})
    with pytest.raises(UploadError, match="not a valid classifier"):
        run.run()
    assert run.events() == [("sending", WHEEL, ""), ("refused", WHEEL, refusal.message)]
    assert run.uploader.results == [refusal]
    assert not run.uploader.doubtful


def test_what_twine_refuses_was_not_sent(tmp_path: Path) -> None:
    changed = ReleaseError("the file has changed since it was built", remedy="build it again")
    run = Run(tmp_path, {WHEEL: [changed]})
    with pytest.raises(ReleaseError, match="has changed"):
        run.run()
    assert (run.events(), run.uploader.results) == ([("sending", WHEEL, "")], [])
    assert not run.uploader.doubtful


def test_an_attempt_too_many_leaves_a_file_unclear(tmp_path: Path) -> None:
    """A server that never answers clearly: the end says that it is unknown, and why the index could not be asked."""
    answer = UnclearResponse(filename=WHEEL, kind="timeout", detail="of 60 s")
    run = Run(tmp_path, {WHEEL: [answer] * 9})
    with pytest.raises(UploadError, match="it is unknown whether acme accepted"):
        run.run()
    assert run.workers.calls.count(f"send {WHEEL}") == 5
    assert run.events()[-1] == ("unclear", WHEEL, "of 60 s")
    assert run.uploader.results == [answer]
    assert run.uploader.doubtful
    deaf = Run(tmp_path / "deaf", {WHEEL: [answer]}, [Unknown(reason="no route", remedy="wait")] * 999)
    with pytest.raises(UploadError, match="its listing cannot be fetched: no route"):
        deaf.run()
    assert deaf.workers.calls.count(f"send {WHEEL}") == 1, "never blindly again"


@pytest.mark.parametrize("listed", [True, False])
def test_an_interrupted_upload_is_aborted_and_the_index_asked_once(tmp_path: Path, listed: bool) -> None:
    run = Run(tmp_path, {SDIST: [None]})
    listing: ProjectListing = listing_of(run.files if listed else run.files[:1])
    run.listings.append(listing)
    run.workers.interrupted = SDIST
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.workers.calls[-2:] == [f"send {SDIST}", "kill"]
    last = ("accepted", SDIST, "") if listed else ("unclear", SDIST, "aborted by this program")
    assert run.events()[-1] == last
    result = run.uploader.results[-1]
    assert isinstance(result, Receipt if listed else UnclearResponse)
    assert getattr(result, "kind", "stopped") == "stopped"

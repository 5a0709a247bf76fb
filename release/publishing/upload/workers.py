"""Uploads side by side: each lane is a thread with a twine process and a kept-alive connection of its own.

The caller's thread gives orders and reads what happened; nothing else is shared.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from release.adapters.twine.twine_process import OnProgress
from release.core.errors import ReleaseError
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.project_listing import ProjectListing
from release.core.models.upload_result import UploadResult

#: what the index lists; None where it knows no such project
ListingResult = ProjectListing | Unknown | None
#: seconds that a lane gets to end by itself
_GRACE = 5.0


class UploadClient(Protocol):
    """What a lane needs of an uploader's `Worker`."""

    def wake(self) -> None: ...
    def login(self, index: Index, credential: Credential) -> None: ...
    def send(self, distribution: Distribution, *, on_progress: OnProgress = ...) -> UploadResult: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A lane can be used from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadEnded:
    """A file was sent, in one attempt."""

    file: Distribution
    answer: UploadResult


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFailed:
    """Nothing was sent: the file is not what was built, or twine can't be used."""

    #: None where it is about the lane itself
    file: Distribution | None
    error: ReleaseError


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFetched:
    """The index was asked what it has."""

    #: the file names that it was asked about
    about: frozenset[str]
    found: ListingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCrashed:
    """Something happened on a thread that nobody expected; to be raised."""

    error: BaseException


WorkerEvent = WorkerReady | UploadEnded | UploadFailed | ListingFetched | WorkerCrashed
#: who speaks, and what was said
_Told = tuple["_UploadWorker | None", WorkerEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    index: Index
    credential: Credential
    file: Distribution


class UploadWorkers:
    """A pool of senders; a context manager that ends them. `start` makes one whose process is starting."""

    def __init__(self, start: Callable[[], UploadClient]) -> None:
        self._start = start
        self._told: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._lanes: list[_UploadWorker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def grow(self, count: int) -> None:
        """Have so many lanes, if there are less; those that are new wake up beside the caller's work."""
        self._lanes = [lane for lane in self._lanes if not lane.broken]
        while len(self._lanes) < count:
            self._lanes.append(_UploadWorker(self._start(), self._told.put, f"upload {len(self._lanes) + 1}"))

    @property
    def idle(self) -> int:
        """Lanes that wait for a file."""
        return sum(lane.state == "idle" for lane in self._lanes if not lane.broken)

    @property
    def stirring(self) -> bool:
        """Whether any lane sends, or is still waking up."""
        return any(lane.state in {"waking", "busy"} and not lane.broken for lane in self._lanes)

    @property
    def done(self) -> dict[str, int]:
        """Bytes of each file that is under way."""
        return {lane.file.filename: min(lane.done, lane.file.size) for lane in self._lanes if lane.file}

    def send(self, index: Index, credential: Credential, file: Distribution) -> None:
        """Give a file to an idle lane; there must be one."""
        next(lane for lane in self._lanes if lane.state == "idle").order(
            _Order(index=index, credential=credential, file=file)
        )

    def ask(self, question: Callable[[], ListingResult], about: frozenset[str]) -> None:
        """Ask the index beside everything else; a `Heard` follows."""

        def run() -> None:
            try:
                event: WorkerEvent = ListingFetched(about=about, found=question())
            except BaseException as error:  # noqa: BLE001 - raised where the caller reads it
                event = WorkerCrashed(error=error)
            self._told.put((None, event))

        threading.Thread(target=run, name="upload asks", daemon=True).start()

    def events(self, timeout: float) -> Iterator[WorkerEvent]:
        """What has happened, waiting for the first so many seconds. A lane is idle once its answer was read."""
        try:
            yield self._heard(timeout)
            while True:
                yield self._heard(0)
        except queue.Empty:
            return

    def _heard(self, timeout: float) -> WorkerEvent:
        lane, event = self._told.get(timeout=timeout) if timeout > 0 else self._told.get_nowait()
        if lane is not None and not lane.broken:
            lane.state, lane.file = "idle", None
        return event

    def kill(self) -> None:
        """Break off whatever is sent; an `Unclear` follows for each file that was under way."""
        for lane in self._lanes:
            lane.kill()

    def close(self) -> None:
        """End all lanes, in the middle of a request if need be."""
        for lane in self._lanes:
            lane.end()
        for lane in self._lanes:
            lane.join()
        self._lanes = []


class _UploadWorker:
    def __init__(self, sender: UploadClient, tell: Callable[[_Told], None], name: str) -> None:
        #: "waking", "idle", "busy"; changed by the caller's thread alone
        self.state = "waking"
        #: the file under way, and bytes of its request so far
        self.file: Distribution | None = None
        self.done = 0
        #: whether it never woke up
        self.broken = False
        self._sender, self._tell = sender, tell
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def order(self, order: _Order) -> None:
        self.state, self.file, self.done = "busy", order.file, 0
        self._orders.put(order)

    def kill(self) -> None:
        if self.state == "busy":
            self._sender.kill()

    def end(self) -> None:
        self._orders.put(None)
        if self.state != "idle":
            self._sender.kill()

    def join(self) -> None:
        self._thread.join(_GRACE)

    def _run(self) -> None:
        try:
            self._sender.wake()
            self._tell((self, WorkerReady()))
            while (order := self._orders.get()) is not None:
                self._tell((self, self._serve(order)))
        except ReleaseError as error:
            self.broken = True
            self._tell((self, UploadFailed(file=None, error=error)))
        except BaseException as error:  # noqa: BLE001 - raised where the caller reads it
            self.broken = True
            self._tell((self, WorkerCrashed(error=error)))
        finally:
            self._sender.close()

    def _serve(self, order: _Order) -> WorkerEvent:
        try:
            self._sender.login(order.index, order.credential)
            answer = self._sender.send(order.file, on_progress=self._progress)
        except ReleaseError as error:
            return UploadFailed(file=order.file, error=error)
        return UploadEnded(file=order.file, answer=answer)

    def _progress(self, done: int, total: int) -> None:
        del total
        self.done = done

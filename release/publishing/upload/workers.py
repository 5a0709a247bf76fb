"""Parallel uploads and their progress: each worker is a thread with its own twine process and keep-alive connection.

The caller's thread assigns files and reads events; nothing else is shared.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct, field

from release.adapters.twine.twine_process import OnProgress
from release.core.errors import ReleaseError
from release.core.events import Progress
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, UploadResult
from release.core.models.index import Index, ProjectListing
from release.core.time_text import format_duration

#: what the index lists; None where it has no such project
ListingResult = ProjectListing | Unknown | None
#: seconds that a worker gets to end by itself
_GRACE = 5.0
#: seconds between two events
_INTERVAL = 0.2
#: seconds over which the rate is measured
_WINDOW = 5.0
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


class UploadClient(Protocol):
    """What a worker needs of `twine_process.Worker`."""

    def wake(self) -> None: ...
    def prepare(self, distribution: Distribution) -> None: ...
    def read(self, distributions: Sequence[Distribution]) -> tuple[Distribution, ReleaseError] | None: ...
    def login(self, index: Index, credential: Credential) -> None: ...
    def send(
        self, distribution: Distribution, *, on_progress: OnProgress = ..., upcoming: Distribution | None = ...
    ) -> UploadResult: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class WorkerReady(Struct, frozen=True, kw_only=True):
    """A worker has started."""


class FilesRead(Struct, frozen=True, kw_only=True):
    """Twine has read the files that a worker was given, and accepts them."""


class UploadEnded(Struct, frozen=True, kw_only=True):
    """One attempt to upload a file has ended."""

    file: Distribution
    result: UploadResult


class UploadFailed(Struct, frozen=True, kw_only=True):
    """Nothing was sent: the file has changed since it was built, twine refuses it, or twine cannot be used."""

    #: None where the worker could not start
    file: Distribution | None
    error: ReleaseError


class ListingFetched(Struct, frozen=True, kw_only=True):
    """The index's listing was fetched, or could not be."""

    #: the files that it was fetched for
    filenames: frozenset[str]
    listing: ListingResult


class WorkerCrashed(Struct, frozen=True, kw_only=True):
    """An unexpected exception on a thread; to be raised by the caller."""

    error: BaseException


WorkerEvent = WorkerReady | FilesRead | UploadEnded | UploadFailed | ListingFetched | WorkerCrashed
#: the worker that an event is about, if any, and the event
_Queued = tuple["_UploadWorker | None", WorkerEvent]
_Job = Callable[[], WorkerEvent | None]


class UploadWorkers(contextlib.AbstractContextManager["UploadWorkers"]):
    """A pool of workers; a context manager that ends them. `start` returns a client whose process is starting."""

    def __init__(self, start: Callable[[], UploadClient]) -> None:
        self._start = start
        self._events: queue.SimpleQueue[_Queued] = queue.SimpleQueue()
        self._workers: list[_UploadWorker] = []

    def __exit__(self, *_: object) -> None:
        """End all workers, in the middle of a request if necessary."""
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.thread.join(_GRACE)
        self._workers = []

    def grow(self, count: int) -> None:
        """Start workers until there are `count`; they start in parallel to the caller's work."""
        self._workers = [worker for worker in self._workers if not worker.broken]
        while len(self._workers) < count:
            self._workers.append(_UploadWorker(self._start(), self._events.put, f"upload {len(self._workers) + 1}"))

    @property
    def idle(self) -> int:
        """The number of workers that wait for a file."""
        return sum(worker.state == "idle" for worker in self._workers if not worker.broken)

    @property
    def active(self) -> bool:
        """Whether any worker is uploading or still starting."""
        return any(worker.state in {"starting", "busy"} and not worker.broken for worker in self._workers)

    @property
    def done(self) -> dict[str, int]:
        """Bytes sent of each file that is being uploaded."""
        return {one.file.filename: min(one.done, one.file.size) for one in self._workers if one.file}

    def read(self, files: Sequence[Distribution]) -> None:
        """Let an idle worker read files without sending them; there must be one. A `FilesRead` follows."""
        next(worker for worker in self._workers if worker.state == "idle").read(files)

    def send(
        self, index: Index, credential: Credential, file: Distribution, upcoming: Distribution | None = None
    ) -> None:
        """Give a file to an idle worker; there must be one. It reads `upcoming` meanwhile, which is likely to be next.

        The worker is the one that has read the file, else preferably one that has read none.
        """
        self._sender(file).send(index, credential, file, upcoming)

    def read_by_sender(self, file: Distribution) -> deque[Distribution]:
        """What the worker that `send` would give a file to was given to read; remove from it what need not be sent."""
        return self._sender(file).files_read

    def _sender(self, file: Distribution) -> _UploadWorker:
        idle = [worker for worker in self._workers if worker.state == "idle" and not worker.broken]
        return min(idle, key=lambda worker: 0 if worker.upcoming == file else 1 if worker.upcoming is None else 2)

    def prepare(self, file: Distribution) -> bool:
        """Let an idle worker read a file that is likely to be sent next; False if none is idle without one."""
        for worker in self._workers:
            if worker.state == "idle" and worker.upcoming is None and not worker.broken:
                worker.prepare(file)
                return True
        return False

    @property
    def upcoming(self) -> dict[str, bool]:
        """The names of the files that workers read in advance, and whether their worker is idle."""
        return {one.upcoming.filename: one.state == "idle" for one in self._workers if one.upcoming and not one.broken}

    def fetch_listing(self, fetch: Callable[[], ListingResult], filenames: frozenset[str]) -> None:
        """Fetch the index's listing on a thread of its own; a `ListingFetched` follows."""

        def run() -> None:
            try:
                event: WorkerEvent = ListingFetched(filenames=filenames, listing=fetch())
            except BaseException as error:  # noqa: BLE001 - raised where the caller reads it
                event = WorkerCrashed(error=error)
            self._events.put((None, event))

        threading.Thread(target=run, name="upload listing", daemon=True).start()

    def events(self, timeout: float) -> Iterator[WorkerEvent]:
        """The events so far; waits `timeout` seconds at most for the first. A worker is idle once its event is read."""
        with contextlib.suppress(queue.Empty):
            while True:
                worker, event = self._events.get(timeout=timeout)
                if worker is not None and not worker.broken:
                    worker.state, worker.file = "idle", None
                yield event
                timeout = 0

    def kill(self) -> None:
        """Abort all uploads; an `UnclearResponse` follows for each file that was being sent."""
        for worker in self._workers:
            worker.kill()


class _UploadWorker:
    def __init__(self, client: UploadClient, emit: Callable[[_Queued], None], name: str) -> None:
        #: "starting", "idle", "busy"; changed by the caller's thread only
        self.state = "starting"
        #: the file that is being uploaded, and the bytes of its request so far
        self.file: Distribution | None = None
        self.done = 0
        #: the file that it reads in advance, until the next one is sent
        self.upcoming: Distribution | None = None
        #: what it has read, and perhaps kept, before any file was sent
        self.files_read: deque[Distribution] = deque()
        #: whether it failed to start
        self.broken = False
        self._client, self._emit = client, emit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def read(self, files: Sequence[Distribution]) -> None:
        self.state = "busy"
        self.files_read.extend(files)
        self._jobs.put(partial(self._read, files))

    def prepare(self, file: Distribution) -> None:
        self.upcoming = file
        self._jobs.put(partial(self._client.prepare, file))

    def send(self, index: Index, credential: Credential, file: Distribution, upcoming: Distribution | None) -> None:
        self.state, self.file, self.done, self.upcoming = "busy", file, 0, upcoming
        self._jobs.put(partial(self._send, index, credential, file, upcoming))

    def kill(self) -> None:
        if self.state == "busy":
            self._client.kill()

    def end(self) -> None:
        self._jobs.put(None)
        if self.state != "idle":
            self._client.kill()

    def _run(self) -> None:
        try:
            self._client.wake()
            self._emit((self, WorkerReady()))
            while (job := self._jobs.get()) is not None:
                if (event := job()) is not None:
                    self._emit((self, event))
        except ReleaseError as error:
            self.broken = True
            self._emit((self, UploadFailed(file=None, error=error)))
        except BaseException as error:  # noqa: BLE001 - raised where the caller reads it
            self.broken = True
            self._emit((self, WorkerCrashed(error=error)))
        finally:
            self._client.close()

    def _read(self, files: Sequence[Distribution]) -> WorkerEvent:
        refusal = self._client.read(files)
        if refusal is not None:
            return UploadFailed(file=refusal[0], error=refusal[1])
        return FilesRead()

    def _send(
        self, index: Index, credential: Credential, file: Distribution, upcoming: Distribution | None
    ) -> WorkerEvent:
        def on_progress(done: int, _total: int) -> None:
            self.done = done

        try:
            self._client.login(index, credential)
            return UploadEnded(file=file, result=self._client.send(file, on_progress=on_progress, upcoming=upcoming))
        except ReleaseError as error:
            return UploadFailed(file=file, error=error)


class ProgressMeter(Struct, kw_only=True):
    """Counts the bytes that are uploaded and under way. Times are seconds of the caller's clock."""

    files: Sequence[Distribution] = ()
    #: the sizes of the accepted files
    accepted: list[int] = field(default_factory=list)
    _shown: float = float("-inf")
    #: (time, bytes), oldest first
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def start(self, files: Sequence[Distribution], now: float) -> None:
        self.files = files
        self._samples.append((now, 0))

    def event(self, under_way: Mapping[str, int], now: float) -> Progress | None:
        """The next event, once it is due; `under_way`: bytes sent of each file that is being uploaded."""
        if now - self._shown < _INTERVAL:
            return None
        self._shown = now
        total, done = sum(file.size for file in self.files), sum(self.accepted) + sum(under_way.values())
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:  # noqa: PLR2004 - a rate needs two
            self._samples.popleft()
        since, before = self._samples[0]
        rate = max(0.0, (done - before) / (now - since)) if now > since else 0.0
        count = len(self.accepted)
        text = progress_to_text(files=count, of_files=len(self.files), done=done, total=total, rate=rate)
        return Progress(text=text, done=done, total=total)


def progress_to_text(*, files: int, of_files: int, done: float, total: float, rate: float) -> str:
    """The progress in at most 52 characters: "23 of 40 files, 46 of 80 MB, 12 MB/s, 3 s left".

    `done` and `total` are bytes, `rate` bytes per second; 0 where it is unknown.
    """
    size, unit = _unit(total)
    text = f"{files} of {of_files} files, {_amount(done / size)} of {_amount(total / size)} {unit}"
    if rate <= 0:
        return text
    size, unit = _unit(rate)
    left = format_duration(round(max(0.0, total - done) / rate))
    return f"{text}, {_amount(rate / size)} {unit}/s, {left} left"


def _unit(scale: float) -> tuple[float, str]:
    return next((unit for unit in _UNITS if scale >= unit[0]), _UNITS[-1])


def _amount(value: float) -> str:
    """One decimal where the number is small."""
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"  # noqa: PLR2004 - two digits

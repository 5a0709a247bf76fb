"""Uploads the files of a release to one index, and continues until the result of each is known.

One thread decides, writes the journal and emits events; `UploadWorkers` send the files. Nothing is sent again before
the index's listing was compared by hash: the index is the truth.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from release.core.config import UploadSettings
from release.core.errors import ReleaseError
from release.core.events import Message, Observer, Progress
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import Index
from release.core.time_text import format_duration
from release.publishing.journal import Journal
from release.publishing.upload import upload_state, workers
from release.publishing.upload.errors import upload_error
from release.publishing.upload.upload_state import FileState, FileStates
from release.publishing.upload.workers import ListingResult, ProgressMeter, UploadWorkers, WorkerEvent

#: seconds between two checks of what is under way; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1
#: how many ticks uploads get to end after Ctrl-C
_LAST_TICKS = 20
#: how many files a worker reads at a time before any is sent
_SOME = 16
#: for more files than this, only totals are shown
MANY = 20
#: statuses with which a server asks every client to slow down, not only for this file
_BUSY = {429, 503}


class Timing(Struct, frozen=True, kw_only=True):
    """Clock, sleep and chance; tests pass their own."""

    #: monotonic seconds
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    #: in [0, 1)
    chance: Callable[[], float] = random.random


class Uploader(Struct, kw_only=True):
    """The upload of one release to one index; starts when `run` is called."""

    index: Index
    project: ProjectMetadata
    journal: Journal
    notify: Observer
    workers: UploadWorkers
    #: called for each file; connections are reused while it returns the same credential
    credential: Callable[[], Credential]
    #: fetches the index's listing, in one request
    fetch_listing: Callable[[], ListingResult]
    rules: UploadSettings = field(default_factory=UploadSettings)
    timing: Timing = field(default_factory=Timing)
    #: the result of each file, in the order in which they became known; the caller's list
    results: list[UploadResult] = field(default_factory=list)
    _states: FileStates = field(default_factory=FileStates)
    #: whether the index has a file of the release, so that the others need not wait for the first
    _opened: bool = False
    _fetching: bool = False
    #: the files that twine is still to read before any is sent, so that it refuses none after others were sent
    _unread: list[Distribution] = field(default_factory=list)
    #: how many workers read files now
    _readers: int = 0
    #: why twine refuses a file, by its name
    _refused: dict[str, ReleaseError] = field(default_factory=dict)
    #: when the next upload may start: the index asked every client to slow down
    _not_before: float = 0
    #: why nothing more is sent
    _failure: ReleaseError | None = None
    #: journal events that are not written yet
    _unwritten: list[dict[str, Any]] = field(default_factory=list)
    _meter: ProgressMeter = field(default_factory=ProgressMeter)

    def run(self, files: Sequence[Distribution], *, opened: bool = False) -> None:
        """Upload the files in this order: the first one alone, unless the index has some already (`opened`).

        Twine reads all of them before the first is sent. Raises the first `UploadError`, or `NotSentError` where a
        file has changed since it was built or twine refuses it; uploads under way end first. At Ctrl-C, and where the
        journal cannot be written, uploads get two seconds to end, and the index is checked once more.
        """
        self._opened = opened
        self._states = FileStates(files)
        self._unread = list(files)
        self._meter.start(files, self.timing.clock())
        try:
            while self._turn():
                pass
        except BaseException:
            self._wind_down()
            raise
        if self._failure is not None:
            raise self._failure

    @property
    def doubtful(self) -> bool:
        """Whether the index has, or may still list, something that this run sent."""
        return any(isinstance(one.result, Receipt) or one.doubtful for one in self._states)

    # -- one turn --------------------------------------------------------------------------------

    def _turn(self) -> bool:
        """Start what is due and handle events. False once nothing is left to do."""
        self._start_uploads()
        self._start_check()
        left = ("sent", "unclear") if self._failure else ("sent", "unclear", "pending")
        if not self._states.count(*left) and not self._fetching:
            return False
        if self._fetching or self.workers.active:
            for event in self.workers.events(self._timeout()):
                self._handle(event)
        else:
            self._wait()
        progress = self._meter.event(self.workers.done, self.timing.clock())
        if progress is not None:
            self.notify(progress)
        return True

    def _start_uploads(self) -> None:
        """Send what may be sent now. The journal records it first, in one write with earlier events."""
        chosen = self._next_files()
        self._unwritten += [self._event("sending", state.file) for state in chosen]
        self._write()
        for state in chosen:
            credential = self.credential()
            self._states.put(upload_state.mark_sent(state))
            read = self.workers.read_by_sender(state.file)
            self.workers.send(self.index, credential, state.file, self._upcoming(chosen, read))
        if not self._unread and not self._readers:
            self._read_ahead()

    def _read(self) -> None:
        """Let idle workers read some files each, and one of them prepare the first one."""
        if self.workers.idle and not self._readers and (first := self._upcoming()) is not None:
            self.workers.prepare(first)
        while self._unread and self.workers.idle:
            some, self._unread = self._unread[:_SOME], self._unread[_SOME:]
            self._readers += 1
            self.workers.read(some)

    def _has_read(self, refused: Distribution | None = None, error: ReleaseError | None = None) -> None:
        """A worker has read its files. Of those that twine refuses, the first one is the failure."""
        self._readers -= 1
        if refused is not None and error is not None:
            self._refused[refused.filename], self._unread = error, []
        if self._refused and not self._readers:
            first = next(state.file for state in self._states if state.file.filename in self._refused)
            self._failure = self._failure or self._refused[first.filename]
            self._states.put(FileState(file=first, phase="over", result=None))

    def _read_ahead(self) -> None:
        """Let idle workers prepare what they will send."""
        if self._failure is None:
            while (file := self._upcoming()) is not None and self.workers.prepare(file):
                pass

    def _upcoming(
        self, chosen: Sequence[FileState] = (), read: deque[Distribution] | None = None
    ) -> Distribution | None:
        """The first file to be sent later that no worker prepares; before it, those that its worker has `read`."""
        taken = {*self.workers.upcoming, *(state.file.filename for state in chosen)}
        while read:
            file = read.popleft()
            if self._states.is_pending(file.filename) and file.filename not in taken:
                return file
        return next((one.file for one in self._states.within("pending") if one.file.filename not in taken), None)

    def _next_files(self) -> list[FileState]:
        """As many files as there are idle workers; the first one alone. Those that an idle worker has read go first."""
        now = self.timing.clock()
        if self._failure is not None or now < self._not_before:
            return []
        unfinished = self._states.count("pending", "sent", "unclear")
        useful = unfinished if self._opened else max(1, unfinished - 1)  # as the first file is uploaded alone
        self.workers.grow(min(self.rules.concurrency, useful))
        if self._unread or self._readers:
            self._read()
            return []
        under_way = self._states.count("sent", "unclear")
        free = self.workers.idle if self._opened else min(self.workers.idle, 1 - under_way)
        if free <= 0:
            return []
        due = (state for state in self._states.within("pending") if state.due <= now)
        if not self._opened:  # the first file is the first one also after an attempt that failed
            return list(islice(due, free))
        # a worker that uploads of several releases share may hold a file of another one
        held = {name: idle for name, idle in self.workers.upcoming.items() if name in self._states}
        ready = [state for name, idle in held.items() if idle and (state := self._states[name]).phase == "pending"]
        found = {state.file.filename: state for state in (*ready, *islice(due, free + len(held)))}
        rank = {True: 0, None: 1, False: 2}
        names = sorted(found, key=lambda name: (rank[held.get(name)], self._states.number(name)))
        return [found[name] for name in names[:free]]

    def _start_check(self) -> None:
        """Fetch the index's listing where the check of any unclear file is due."""
        now = self.timing.clock()
        unclear = self._states.within("unclear")
        due = [state for state in unclear if state.due <= now or self._failure is not None]
        if due and not self._fetching:
            self._fetching = True
            self.workers.fetch_listing(self.fetch_listing, frozenset(state.file.filename for state in due))

    def _timeout(self) -> float:
        times = [state.due for state in self._states.within("unclear")]  # one that is pending is due
        ahead = [at for at in (*times, self._not_before) if at > self.timing.clock()]
        return max(0.001, min([_TICK, *(at - self.timing.clock() for at in ahead)]))

    def _wait(self) -> None:
        """Nothing is under way: sleep until the next action is due."""
        unclear = [state.due for state in self._states.within("unclear")]
        none = self._failure is not None or (unclear and not self._opened)
        pending = [] if none else [max(one.due, self._not_before) for one in self._states.within("pending")]
        seconds = min(unclear + pending) - self.timing.clock()
        if seconds > 0:
            text = f"waiting {format_duration(round(seconds))} before the next request to {self.index.name}"
            self.notify(Progress(text=text, total=seconds, unit="seconds"))
            self.timing.sleep(seconds)

    # -- events ----------------------------------------------------------------------------------

    def _handle(self, event: WorkerEvent) -> None:
        now, chance = self.timing.clock(), self.timing.chance()
        match event:
            case workers.WorkerReady():
                return
            case workers.FilesRead():
                self._has_read()
            case workers.UploadEnded(file=file, result=result):
                state = self._states[file.filename]
                self._update(upload_state.apply_response(state, result, self.rules, now=now, chance=chance), new=True)
            case workers.ListingFetched(filenames=filenames, listing=listing):
                self._fetching = False
                for state in [self._states[name] for name in filenames]:
                    if state.phase == "unclear":
                        stop = self._failure is not None
                        new = upload_state.apply_listing(state, listing, self.rules, now=now, chance=chance, stop=stop)
                        self._update(new, listing=listing)
            case workers.UploadFailed(file=failed, error=error):
                self._handle_failure(failed, error)
            case workers.WorkerCrashed(error=crash):
                raise crash

    def _handle_failure(self, file: Distribution | None, error: ReleaseError) -> None:
        """Nothing was sent; without a file, no worker can be started."""
        if file is not None and self._readers:
            self._has_read(file, error)
            return
        self._failure = self._failure or error
        if file is not None:
            self._states.put(FileState(file=file, phase="over", result=None))

    def _update(self, state: FileState, *, new: bool = False, listing: ListingResult = None) -> None:
        """Store a file's next state. `new`: a response has come; `listing`: the one that decided."""
        self._states.put(state)
        if state.phase == "over":
            self._finish(state, listing)
        elif state.phase == "unclear" and new and isinstance(state.result, UnclearResponse):
            text = f"{state.result.summary}: {state.result.detail}"
            self._unwritten.append(self._event("unclear", state.file, text=text))
            self._back_off(state, state.result)

    def _finish(self, state: FileState, listing: ListingResult) -> None:
        result = state.result
        assert result is not None
        self.results.append(result)
        match result:
            case Receipt():
                self._opened = True
                self._unwritten.append(self._event("accepted", state.file))
                self._meter.accepted.append(state.file.size)
                self._show(f"{state.file.filename}: accepted", detail=True)
                return
            case Rejection():
                self._unwritten.append(self._event("refused", state.file, text=result.message))
            case UnclearResponse():
                self._unwritten.append(self._event("unclear", state.file, text=result.detail))
        unlisted = listing if isinstance(listing, Unknown) else None
        self._failure = self._failure or upload_error(self.index, self.project, result, unlisted)

    def _back_off(self, state: FileState, response: UnclearResponse) -> None:
        """Show what is waited for; where the server is busy, delay the other files too."""
        if response.status in _BUSY and not state.last:
            self._not_before = max(self._not_before, state.due)
        request = ""
        if response.retry_after:
            request = f"; {self.index.name} asks to wait {format_duration(round(state.due - self.timing.clock()))}"
        self._show(f"{state.file.filename}: no clear response ({response.summary}){request}", always=bool(request))

    # -- an early end ----------------------------------------------------------------------------

    def _wind_down(self) -> None:
        """Let uploads end if they do so soon, abort the others, and check the index once more."""
        self._failure = self._failure or ReleaseError("stopped", remedy="")
        with contextlib.suppress(OSError):
            self._write()
        for _ in range(_LAST_TICKS):
            if not self._states.count("sent"):
                break
            self._drain()
        self.workers.kill()
        self._drain()
        unclear = [state for state in self._states if state.phase in {"sent", "unclear"}]
        listing = self.fetch_listing() if unclear else None
        for state in unclear:  # only the index's listing decides about a file that was aborted or stays unclear
            checked = upload_state.apply_listing(state, listing, self.rules, now=0, chance=0, stop=True)
            if state.phase == "sent" and checked.result is state.result:
                aborted = UnclearResponse(
                    filename=state.file.filename, kind="stopped", detail="aborted by this program"
                )
                checked = replace(state, phase="over", result=aborted)
            self._update(checked)
        with contextlib.suppress(OSError):
            self._write()

    def _drain(self) -> None:
        for event in self.workers.events(_TICK):
            if not isinstance(event, workers.WorkerCrashed):
                self._handle(event)

    # -- output ----------------------------------------------------------------------------------

    def _event(self, event: str, file: Distribution, **fields: str) -> dict[str, Any]:
        return {"event": event, "index": self.index.name, "file": file.filename, "sha256": file.sha256, **fields}

    def _write(self) -> None:
        events, self._unwritten = self._unwritten, []
        if events:
            self.journal.write_all(events)

    def _show(self, text: str, *, always: bool = False, detail: bool = False) -> None:
        if always or len(self._states) <= MANY:
            self.notify(Message(text=text, detail=detail))

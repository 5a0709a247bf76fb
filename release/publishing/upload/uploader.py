"""Sends the files of a release to one index, and does not rest before it knows what became of each.

One thread decides, writes the journal and speaks; `lanes` carry the files. Nothing is sent a second
time before the index was asked, by hash, what it has. The index is the truth.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from release.core.errors import ReleaseError
from release.core.events import Message, Observer, Progress
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.upload_result import Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.upload_settings import UploadSettings
from release.publishing.journal import Journal
from release.publishing.upload import upload_state
from release.publishing.upload.errors import upload_error
from release.publishing.upload.progress import ProgressMeter
from release.publishing.upload.upload_state import FileState
from release.publishing.upload.workers import (
    ListingFetched,
    ListingResult,
    UploadEnded,
    UploadFailed,
    UploadWorkers,
    WorkerCrashed,
    WorkerEvent,
    WorkerReady,
)

#: seconds between two looks at what is under way; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1
#: how often that is waited, after Ctrl-C, for what is under way to end
_LAST_TICKS = 20
#: a release of more files is told of in sums, not file by file
MANY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time and chance; tests have their own."""

    #: seconds since whenever, never going back
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    #: from 0 to below 1
    chance: Callable[[], float] = random.random


@dataclass(kw_only=True)
class Uploader:
    """The upload of one release to one index, once `run` is called."""

    index: Index
    project: ProjectMetadata
    journal: Journal
    tell: Observer
    lanes: UploadWorkers
    #: asked for each file that is sent; while it gives the same one, connections are kept
    credential: Callable[[], Credential]
    #: asks what the index lists, once
    ask: Callable[[], ListingResult]
    rules: UploadSettings = field(default_factory=UploadSettings)
    timing: Timing = field(default_factory=Timing)
    #: what became of each file, in the order in which that was known; the caller's list
    answers: list[UploadResult] = field(default_factory=list)
    _states: dict[str, FileState] = field(default_factory=dict)
    #: whether the index has a file of the release, so that others need not wait for the first
    _opened: bool = False
    _asking: bool = False
    #: nothing is sent before then: the index asked everybody to wait
    _hold: float = 0
    #: why nothing more is sent
    _failure: ReleaseError | None = None
    #: journal lines that are not written yet
    _lines: list[dict[str, Any]] = field(default_factory=list)
    _pace: ProgressMeter = field(default_factory=ProgressMeter)

    def run(self, files: Sequence[Distribution], *, opened: bool = False) -> None:
        """Send the files, in this order: the first alone, unless the release is `opened` already.

        Raises the first `UploadError`, or `NotSentError` where a file is not what was built; nothing
        new is sent from then on, and what is under way ends first. At Ctrl-C, and where the journal
        can't be written, what is under way gets two seconds, and the index is asked once more.
        """
        self._opened = opened
        self._states = {file.filename: FileState(file=file) for file in files}
        self._pace.begin(files, self.timing.clock())
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
        """Whether the index has, or may come to have, something that this run sent."""
        settled = (state.answer for state in self._states.values())
        return any(isinstance(answer, Receipt) for answer in settled) or any(
            state.doubtful for state in self._states.values()
        )

    # -- one turn --------------------------------------------------------------------------------

    def _turn(self) -> bool:
        """Begin what is due, and take in what has happened. False once nothing is left to be done."""
        self._begin()
        self._question()
        left = [state for state in self._states.values() if self._is_left(state)]
        if not left and not self._asking:
            return False
        if self._asking or self.lanes.stirring:
            for event in self.lanes.events(self._patience()):
                self._take(event)
        else:
            self._wait(left)
        self._show()
        return True

    def _begin(self) -> None:
        """Send what may be sent now. The journal knows of it first, in one write with what happened before."""
        chosen = self._chosen()
        self._lines += [self._line("sending", state.file) for state in chosen]
        self._write()
        for state in chosen:
            credential = self.credential()
            self._states[state.file.filename] = upload_state.mark_sent(state)
            self.lanes.send(self.index, credential, state.file)

    def _is_left(self, state: FileState) -> bool:
        return state.phase in {"sent", "unclear"} or (state.phase == "pending" and self._failure is None)

    def _chosen(self) -> list[FileState]:
        """The files to be sent now: as many as there are idle lanes, and the first one alone."""
        now = self.timing.clock()
        if self._failure is not None or now < self._hold:
            return []
        self.lanes.grow(self._wanted())
        room = self.lanes.idle if self._opened else min(self.lanes.idle, 1 - self._under_way())
        due = [state for state in self._states.values() if state.phase == "pending" and state.due <= now]
        return due[: max(0, room)]

    def _wanted(self) -> int:
        """Lanes that are worth having: one is enough for two files, as the first goes alone."""
        pending = sum(state.phase != "over" for state in self._states.values())
        return min(self.rules.concurrency, pending if self._opened else max(1, pending - 1))

    def _under_way(self) -> int:
        return sum(state.phase in {"sent", "unclear"} for state in self._states.values())

    def _question(self) -> None:
        """Ask the index about everything that is unclear, where any of it is due."""
        unclear = [state for state in self._states.values() if state.phase == "unclear"]
        now = self.timing.clock()
        due = [state for state in unclear if state.due <= now or self._failure is not None]
        if due and not self._asking:
            self._asking = True
            self.lanes.ask(self.ask, frozenset(state.file.filename for state in due))

    def _patience(self) -> float:
        times = [state.due for state in self._states.values() if state.phase in {"pending", "unclear"}]
        ahead = [at for at in (*times, self._hold) if at > self.timing.clock()]
        return max(0.001, min([_TICK, *(at - self.timing.clock() for at in ahead)]))

    def _wait(self, left: Iterable[FileState]) -> None:
        """Nothing is under way: sleep until the next thing is due."""
        unclear = [state.due for state in left if state.phase == "unclear"]
        alone = unclear and not self._opened
        pending = [] if alone else [max(state.due, self._hold) for state in left if state.phase == "pending"]
        seconds = min(unclear + pending) - self.timing.clock()
        if seconds > 0:
            self.tell(
                Progress(
                    text=f"waiting {upload_state.duration(seconds)} for {self.index.name}",
                    total=seconds,
                    unit="seconds",
                )
            )
            self.timing.sleep(seconds)

    # -- what has happened -----------------------------------------------------------------------

    def _take(self, event: WorkerEvent) -> None:
        now, chance = self.timing.clock(), self.timing.chance()
        match event:
            case WorkerReady():
                return
            case UploadEnded(file=file, answer=answer):
                state = self._states[file.filename]
                self._moved(upload_state.apply_response(state, answer, self.rules, now=now, chance=chance), told=True)
            case ListingFetched(about=about, found=found):
                self._asking = False
                for name in about:
                    state = self._states[name]
                    if state.phase == "unclear":
                        stop = self._failure is not None
                        moved = upload_state.apply_listing(state, found, self.rules, now=now, chance=chance, stop=stop)
                        self._moved(moved, found=found)
            case UploadFailed(file=failed, error=error):
                self._failure = self._failure or error
                if failed is not None:
                    self._states[failed.filename] = FileState(file=failed, phase="over", answer=None)
            case WorkerCrashed(error=crash):
                raise crash

    def _moved(self, state: FileState, *, told: bool = False, found: ListingResult = None) -> None:
        """A file is one step further."""
        self._states[state.file.filename] = state
        if state.phase == "over":
            self._settled(state, found)
        elif state.phase == "unclear" and told and isinstance(state.answer, UnclearResponse):
            self._lines.append(self._line("unclear", state.file, text=f"{state.answer.what}: {state.answer.detail}"))
            self._hold_back(state, state.answer)

    def _settled(self, state: FileState, found: ListingResult) -> None:
        answer = state.answer
        assert answer is not None
        self.answers.append(answer)
        match answer:
            case Receipt():
                self._opened = True
                self._lines.append(self._line("accepted", state.file))
                self._pace.finished(state.file)
                self._say(f"{state.file.filename}: accepted")
                return
            case Rejection():
                self._lines.append(self._line("refused", state.file, text=answer.text))
            case UnclearResponse():
                self._lines.append(self._line("unclear", state.file, text=answer.detail))
        why = found if isinstance(found, Unknown) else None
        self._failure = self._failure or upload_error(self.index, self.project, answer, why)

    def _hold_back(self, state: FileState, answer: UnclearResponse) -> None:
        """Say what is waited for; a server that is busy is left alone with the other files too."""
        wait = state.due - self.timing.clock()
        if answer.what in upload_state.BUSY and not state.last:
            self._hold = max(self._hold, state.due)
        asked_for = f"; {self.index.name} asks us to wait {upload_state.duration(wait)}" if answer.retry_after else ""
        self._say(f"{state.file.filename}: no clear answer ({answer.what}){asked_for}", always=bool(asked_for))

    # -- the end that comes too early ------------------------------------------------------------

    def _wind_down(self) -> None:
        """Let what is under way end if it does so soon, break it off, and ask the index what it has."""
        self._failure = self._failure or ReleaseError("stopped", remedy="")
        with contextlib.suppress(OSError):
            self._write()
        for _ in range(_LAST_TICKS):
            if not any(state.phase == "sent" for state in self._states.values()):
                break
            self._hear_out()
        self.lanes.kill()
        self._hear_out()
        unclear = [state for state in self._states.values() if state.phase in {"sent", "unclear"}]
        found = self.ask() if unclear else None
        for state in unclear:
            self._give_up(state, found)
        with contextlib.suppress(OSError):
            self._write()

    def _hear_out(self) -> None:
        for event in self.lanes.events(_TICK):
            if not isinstance(event, WorkerCrashed):
                self._take(event)

    def _give_up(self, state: FileState, found: ListingResult) -> None:
        """It was broken off, or stays unclear: only finding it on the index decides anything."""
        asked = upload_state.apply_listing(state, found, self.rules, now=0, chance=0, stop=True)
        if state.phase == "unclear" or (asked.answer is not state.answer):
            self._moved(asked)
            return
        cut = UnclearResponse(filename=state.file.filename, what="stopped", detail="broken off by this program")
        self._moved(replace(state, phase="over", answer=cut))

    # -- telling ---------------------------------------------------------------------------------

    def _line(self, event: str, file: Distribution, **words: str) -> dict[str, Any]:
        return {"event": event, "index": self.index.name, "file": file.filename, "sha256": file.sha256, **words}

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self.journal.write_all(lines)

    def _say(self, text: str, *, always: bool = False) -> None:
        if always or len(self._states) <= MANY:
            self.tell(Message(text=text))

    def _show(self) -> None:
        event = self._pace.shown(self.lanes.done, self.timing.clock())
        if event is not None:
            self.tell(event)

"""The state of an upload: which files remain, and how far each one is. Pure.

A file is pending → sent → accepted, refused, or unclear until the index is checked. The time, chance and responses come
in, the next state comes out. Times are seconds of the caller's monotonic clock.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from release.core.config import UploadSettings
from release.core.models.check_result import Unknown
from release.core.models.distribution import (
    Distribution,
    Receipt,
    Rejection,
    UnclearResponse,
    UploadResult,
    result_from_listing,
)
from release.core.models.index import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED, Index, ProjectListing, files_of_version
from release.core.time_text import format_time

#: failures that no retry can change, as long as nothing was sent
_PERMANENT = {"tls", "proxy"}


class FileState(Struct, frozen=True, kw_only=True):
    """One file and its state."""

    file: Distribution
    #: "pending": to be sent; "sent": under way; "unclear": the index is to be checked; "over": see `result`
    phase: Literal["pending", "sent", "unclear", "over"] = "pending"
    #: when the next action is due
    due: float = 0
    #: how often it was sent
    attempts: int = 0
    #: when the first unclear response came; None before
    since: float | None = None
    #: how often the index could not be checked since the last attempt
    failed_checks: int = 0
    #: whether it is not sent again, even if the index does not list it
    last: bool = False
    #: the newest result; None where it was never sent
    result: UploadResult | None = None
    #: whether the index may have it, or may still list it, although it is not listed
    doubtful: bool = False


class FileStates:
    """The states of all files, in the order of their upload; each phase is found without a pass over all of them."""

    def __init__(self, files: Iterable[Distribution] = ()) -> None:
        self._states = {file.filename: FileState(file=file) for file in files}
        self._order = {name: number for number, name in enumerate(self._states)}
        #: phase → the names of its files, in order; those that are over are only counted
        self._phases: dict[str, list[str]] = {"pending": list(self._states), "sent": [], "unclear": []}

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[FileState]:
        return iter(self._states.values())

    def __contains__(self, filename: object) -> bool:
        return filename in self._states

    def __getitem__(self, filename: str) -> FileState:
        return self._states[filename]

    def is_pending(self, filename: str) -> bool:
        """Whether a file is of this upload, and still to be sent."""
        return filename in self._states and self._states[filename].phase == "pending"

    def number(self, filename: str) -> int:
        """The place of a file in the order of the upload."""
        return self._order[filename]

    def put(self, state: FileState) -> None:
        """Replace the state of a file."""
        name, before = state.file.filename, self._states[state.file.filename].phase
        self._states[name] = state
        if before != state.phase:
            if before in self._phases:
                self._phases[before].remove(name)
            if state.phase in self._phases:
                insort(self._phases[state.phase], name, key=self._order.__getitem__)

    def count(self, *phases: str) -> int:
        """How many files are in any of these phases, of those that are not over."""
        return sum(len(self._phases[phase]) for phase in phases)

    def within(self, phase: str) -> Iterator[FileState]:
        """The files in a phase, in order; no state may be replaced meanwhile."""
        return (self._states[name] for name in self._phases[phase])


def mark_sent(state: FileState) -> FileState:
    """One more attempt is under way."""
    return replace(state, phase="sent", attempts=state.attempts + 1, doubtful=True)


def apply_response(
    state: FileState, result: UploadResult, rules: UploadSettings, *, now: float, chance: float
) -> FileState:
    """An attempt has ended.

    A rejection is final, unless an earlier attempt may have succeeded: then the index is checked first.
    """
    next_ = replace(state, result=result)
    match result:
        case Receipt():
            return replace(next_, phase="over", doubtful=False)
        case Rejection() if state.since is None:
            return replace(next_, phase="over", doubtful=False)
        case Rejection():
            return replace(next_, phase="unclear", due=now, last=True)
        case UnclearResponse() if result.sent == "nothing" and result.kind in _PERMANENT and state.since is None:
            return replace(next_, phase="over", doubtful=False)
        case UnclearResponse():
            return _unclear(next_, result, rules, now=now, chance=chance)


def _unclear(
    state: FileState, response: UnclearResponse, rules: UploadSettings, *, now: float, chance: float
) -> FileState:
    """Check the index after the delay that the server asks for, else after a backoff.

    A server whose response was cut off gets no further attempt: it does not take part in the protocol.
    """
    since = now if state.since is None else state.since
    end = since + rules.deadline
    pause = rules.back_off(state.attempts, chance)
    delay = pause if response.retry_after is None else min(response.retry_after, rules.longest_wait)
    last = state.attempts >= rules.attempts or now + delay > end or response.kind == "cut off"
    if last:  # only the index is checked after that
        delay = min(pause, max(0.0, end - now))
    return replace(state, phase="unclear", since=since, due=now + delay, last=last, failed_checks=0)


def apply_listing(  # noqa: PLR0913 - a state, a listing, and what decides
    state: FileState,
    listing: ProjectListing | Unknown | None,
    rules: UploadSettings,
    *,
    now: float,
    chance: float,
    stop: bool = False,
) -> FileState:
    """The index was checked; `Unknown` where that failed. `stop`: nothing is sent again."""
    end = (now if state.since is None else state.since) + rules.deadline
    if isinstance(listing, Unknown):
        if stop or now >= end:
            return replace(state, phase="over")
        times = state.failed_checks + 1
        return replace(state, failed_checks=times, due=min(end, now + rules.back_off(times, chance)))
    result = result_from_listing(state.file, listing, sent=True)
    if result is not None:
        return replace(state, phase="over", result=result, doubtful=False)
    if stop or state.last or now >= end:  # it may still be listed later if all of it was sent, and no response came
        sent = isinstance(state.result, UnclearResponse) and state.result.sent == "all"
        answered = isinstance(state.result, UnclearResponse) and state.result.kind in {"status", "unexpected reply"}
        return replace(state, phase="over", doubtful=sent and not answered)
    return replace(state, phase="pending", due=now)


class Remaining(Struct, frozen=True, kw_only=True):
    """A release compared with what an index has of it."""

    #: the files that the index has
    receipts: tuple[Receipt, ...]
    #: the files to upload, in order
    files: tuple[Distribution, ...]
    #: the first rejection that can be predicted
    rejection: Rejection | None


def upload_order(files: Sequence[Distribution]) -> list[Distribution]:
    """Wheels first: PyPI shows the metadata of a release's first file."""
    return sorted(files, key=lambda one: one.kind == "sdist")


def find_remaining(
    files: Sequence[Distribution], index: Index, listing: ProjectListing | None, version: str, *, now: datetime
) -> Remaining:
    """Compare the files with the listing. `now` is the index's time.

    A file name whose file was deleted is in no listing: the index refuses it only at the upload.
    """
    receipts: list[Receipt] = []
    todo: list[Distribution] = []
    rejection: Rejection | None = None
    for file in upload_order(files):
        match result_from_listing(file, listing):
            case Receipt() as receipt:
                receipts.append(receipt)
            case Rejection() as refused:
                rejection = refused
                break
            case None:
                todo.append(file)
    else:
        if index.kind == "warehouse":
            deadline = upload_deadline(index, listing, version)
            closed = deadline is not None and now > deadline
            rejection = _first_rejection(todo, files, listing, version, closed=closed)
    return Remaining(receipts=tuple(receipts), files=tuple(todo), rejection=rejection)


def _first_rejection(
    todo: Sequence[Distribution],
    files: Sequence[Distribution],
    listing: ProjectListing | None,
    version: str,
    *,
    closed: bool,
) -> Rejection | None:
    """The index's message for a file that it cannot accept. Source: warehouse, `forklift/legacy.py`."""
    known: list[tuple[str, str | None]] = [(one.filename, one.sha256) for one in files]
    known += [(one.filename, one.sha256) for one in (listing.files if listing else ())]
    names: dict[str | None, list[str]] = {}
    for filename, sha256 in known:
        names.setdefault(sha256, []).append(filename)
    has_sdist = any(not one.filename.endswith(".whl") for one in files_of_version(listing, version))
    sdists = sum(not one.filename.endswith(".whl") for one in files)
    for file in todo:
        if duplicate := next((name for name in names[file.sha256] if name != file.filename), None):
            message = f"File already exists, under the name {duplicate!r}"
        elif closed:
            message = UPLOAD_WINDOW_CLOSED
        elif file.kind == "sdist" and (has_sdist or sdists > 1):
            message = "Only one sdist may be uploaded per release."
        else:
            continue
        return Rejection(filename=file.filename, status=400, message=message)
    return None


def upload_deadline(index: Index, listing: ProjectListing | None, version: str) -> datetime | None:
    """When the index stops accepting files for the release; None where it has none yet or it is unknown. Aware, UTC."""
    if index.kind != "warehouse":
        return None
    times = [one.upload_time for one in files_of_version(listing, version) if one.upload_time is not None]
    return min(times) + UPLOAD_WINDOW if times else None


def remaining_to_text(index: Index, remaining: Remaining, deadline: datetime | None) -> str:
    """How many files an index has, and until when it accepts the rest (None: unknown)."""
    there, left = len(remaining.receipts), len(remaining.files)
    ends = f"; it accepts files for this release until {format_time(deadline)}" if deadline else ""
    return f"{index.name} has {there} of {there + left} files, {left} left to upload{ends}"

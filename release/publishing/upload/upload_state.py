"""The state of one file during an upload: pending → sent → accepted, refused, or unclear until the index is checked.

Pure: the time, chance and responses come in, the next state comes out. Times are seconds of the caller's monotonic
clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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
from release.core.models.index import ProjectListing

#: failures that no retry can change, as long as nothing was sent
_PERMANENT = {"tls", "proxy"}
#: statuses with which a server asks every client to slow down
_BUSY = {429, 503}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
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


def mark_sent(state: FileState) -> FileState:
    """One more attempt is under way."""
    return replace(state, phase="sent", attempts=state.attempts + 1, doubtful=True)


def asks_to_slow_down(response: UnclearResponse) -> bool:
    """Whether the server asks every client to slow down, not only for this file."""
    return response.status in _BUSY


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
    """Check the index after the delay that the server asks for, else after a backoff."""
    since = now if state.since is None else state.since
    end = since + rules.deadline
    pause = rules.back_off(state.attempts, chance)
    delay = pause if response.retry_after is None else min(response.retry_after, rules.longest_wait)
    last = state.attempts >= rules.attempts or now + delay > end
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
    if isinstance(listing, Unknown):
        return _check_failed(state, rules, now=now, chance=chance, stop=stop)
    result = result_from_listing(state.file, listing, sent=True)
    if result is not None:
        return replace(state, phase="over", result=result, doubtful=False)
    if stop or state.last or now >= (state.since or now) + rules.deadline:
        return replace(state, phase="over", doubtful=_may_appear(state.result))
    return replace(state, phase="pending", due=now)


def _check_failed(state: FileState, rules: UploadSettings, *, now: float, chance: float, stop: bool) -> FileState:
    end = (now if state.since is None else state.since) + rules.deadline
    if stop or now >= end:
        return replace(state, phase="over")
    times = state.failed_checks + 1
    return replace(state, failed_checks=times, due=min(end, now + rules.back_off(times, chance)))


def _may_appear(result: UploadResult | None) -> bool:
    """Whether an unlisted file may be listed later: all of it was sent, and no response came."""
    answered = {"status", "unexpected reply"}
    return isinstance(result, UnclearResponse) and result.sent == "all" and result.kind not in answered

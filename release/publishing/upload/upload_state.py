"""What becomes of one file on its way to an index: pending → sent → accepted, refused, or unclear and asked about.

Pure: the time, chance and answers come in, the next state comes out. Times are seconds of the caller's
clock, which must not jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.project_listing import ProjectListing
from release.core.models.upload_result import Receipt, Rejection, UnclearResponse, UploadResult, result_from_listing
from release.core.models.upload_settings import UploadSettings

#: what no second attempt changes, as long as nothing got through
_HOPELESS = {"tls", "proxy"}
#: answers with which a server asks everybody to slow down, not only this file
BUSY = {"status 429", "status 503"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One file, and how far it is."""

    file: Distribution
    #: "pending": to be sent; "sent": under way; "unclear": the index is to be asked; "over": see `answer`
    phase: Literal["pending", "sent", "unclear", "over"] = "pending"
    #: when the next thing may happen
    due: float = 0
    #: how often it was sent
    attempts: int = 0
    #: when the first unclear answer came; None before
    since: float | None = None
    #: how often the index could not be asked since the last attempt
    unheard: int = 0
    #: whether it is sent no more, whatever the index says
    last: bool = False
    #: the newest answer; None where it was never sent
    answer: UploadResult | None = None
    #: whether the index may have it, or come to have it, though nobody has seen it there
    doubtful: bool = False


def mark_sent(state: FileState) -> FileState:
    """It is on its way, once more."""
    return replace(state, phase="sent", attempts=state.attempts + 1, doubtful=True)


def apply_response(
    state: FileState, answer: UploadResult, rules: UploadSettings, *, now: float, chance: float
) -> FileState:
    """The index, or whatever is between, has answered; or has not.

    A refusal stands, unless an earlier attempt may have come through: then the index is asked first.
    """
    known = replace(state, answer=answer)
    match answer:
        case Receipt():
            return replace(known, phase="over", doubtful=False)
        case Rejection() if state.since is None:
            return replace(known, phase="over", doubtful=False)
        case Rejection():
            return replace(known, phase="unclear", due=now, last=True)
        case UnclearResponse() if answer.sent == "nothing" and answer.what in _HOPELESS and state.since is None:
            return replace(known, phase="over", doubtful=False)
        case UnclearResponse():
            return _unclear(known, answer, rules, now=now, chance=chance)


def _unclear(
    state: FileState, answer: UnclearResponse, rules: UploadSettings, *, now: float, chance: float
) -> FileState:
    """When to ask: after the wait that the server wants, else after a pause."""
    since = now if state.since is None else state.since
    end = since + rules.deadline
    pause = rules.back_off(state.attempts, chance)
    wait = pause if answer.retry_after is None else min(answer.retry_after, rules.longest_wait)
    last = state.attempts >= rules.attempts or now + wait > end
    if last:  # nothing follows but a question
        wait = min(pause, max(0.0, end - now))
    return replace(state, phase="unclear", since=since, due=now + wait, last=last, unheard=0)


def apply_listing(  # noqa: PLR0913 - a state, an answer, and what decides
    state: FileState,
    found: ProjectListing | Unknown | None,
    rules: UploadSettings,
    *,
    now: float,
    chance: float,
    stop: bool = False,
) -> FileState:
    """The index has said what it has, or could not be asked. `stop`: nothing is sent any more."""
    if isinstance(found, Unknown):
        return _unheard(state, rules, now=now, chance=chance, stop=stop)
    settled = result_from_listing(state.file, found, sent=True)
    if settled is not None:
        return replace(state, phase="over", answer=settled, doubtful=False)
    doubtful = _may_still_come(state.answer)
    if stop or state.last or now >= (state.since or now) + rules.deadline:
        return replace(state, phase="over", doubtful=doubtful)
    return replace(state, phase="pending", due=now)


def _unheard(state: FileState, rules: UploadSettings, *, now: float, chance: float, stop: bool) -> FileState:
    end = (now if state.since is None else state.since) + rules.deadline
    if stop or now >= end:
        return replace(state, phase="over")
    times = state.unheard + 1
    return replace(state, unheard=times, due=min(end, now + rules.back_off(times, chance)))


def _may_still_come(answer: UploadResult | None) -> bool:
    """Whether a file that the index does not list may be listed later: all of it went out, and nobody answered."""
    return (
        isinstance(answer, UnclearResponse)
        and answer.sent == "all"
        and not answer.what.startswith(("status", "unexpected"))
    )


def progress_text(*, files: int, of_files: int, done: float, total: float, rate: float) -> str:
    """How far a release is, in less than 50 characters: "23 of 40 files, 46 of 80 MB, 12 MB/s, 3 s left".

    `done` and `total` are bytes, `rate` bytes a second; 0 where it is not known yet.
    """
    text = f"{files} of {of_files} files, {_amount(done, total)} of {_amount(total, total)} {_unit(total)}"
    if rate <= 0:
        return text
    return f"{text}, {_amount(rate, rate)} {_unit(rate)}/s, {duration(max(0.0, total - done) / rate)} left"


_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def _unit(scale: float) -> str:
    return next((name for size, name in _UNITS if scale >= size), "B")


def _amount(value: float, scale: float) -> str:
    """A number in the unit that fits `scale`: one decimal where it is small."""
    scaled = value / next((size for size, _ in _UNITS if scale >= size), 1.0)
    return f"{scaled:.0f}" if scaled >= 10 or scaled == int(scaled) else f"{scaled:.1f}"  # noqa: PLR2004 - two digits


def duration(seconds: float) -> str:
    """A wait for a reader: "3 s", "12 min", "2 h"."""
    if seconds < 100:  # noqa: PLR2004 - two digits
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"  # noqa: PLR2004 - two digits

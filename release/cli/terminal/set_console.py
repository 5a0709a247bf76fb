"""What a run of a set shows: a line for each phase, the problems of its members, and who is at work.

A member that has none is counted; with `verbose` it has a line.

The events of a set's run become events of an ordinary console: a phase is a step, the members at work its progress.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Literal, Self

from msgspec import Struct, field
from msgspec.structs import replace

from release.core.events import (
    CheckFinished,
    MemberEvent,
    MemberFinished,
    Message,
    Progress,
    SecretObtained,
    SetEvent,
    SetPhaseFinished,
    SetPhaseStarted,
    StepFinished,
    StepStarted,
)
from release.core.models.check_result import Finding
from release.reports.check_tally import tally_key, tally_to_text
from release.reports.lines import SHOWN, Line, outcome_to_lines
from release.reports.set_text import activity_to_text, member_to_lines, phase_note

if TYPE_CHECKING:
    from release.cli.terminal.console import PlainConsole
    from release.core.events import Event

#: messages of a member that are shown if it fails
_RECENT = 12
#: columns of a terminal's progress line that its text does not have: the spinner, the bar, the time
_RESERVED = 26
#: seconds between two updates of the progress line
_INTERVAL = 0.1


class _MemberAtWork(Struct, kw_only=True):
    """What a member has done in the current phase."""

    #: the title of its current step; empty between two steps
    step: str = ""
    states: Counter[str] = field(default_factory=Counter)
    messages: deque[str] = field(default_factory=lambda: deque(maxlen=_RECENT))
    #: whether a check that stops its run was shown
    explained: bool = False


class SetConsole:
    """Shows the events of a set's run, which may come from several threads, on a console."""

    def __init__(self, console: PlainConsole, *, width: Callable[[], int], quiet: bool = False) -> None:
        """`width`: the columns of the terminal."""
        self._console, self._width, self._quiet = console, width, quiet
        self._lock = RLock()
        self._phase: SetPhaseStarted | None = None
        self._at_work: dict[str, _MemberAtWork] = {}
        self._finished: dict[str, MemberFinished] = {}
        #: the checks of all members in the current phase
        self._states: Counter[str] = Counter()
        #: each problem that was shown → the member that it was shown for
        self._problems: dict[tuple[str, str, tuple[Finding, ...]], str] = {}
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._console.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._console.__exit__(*error)

    def on_event(self, event: SetEvent) -> None:
        """Show an event of a set's run."""
        with self._lock:
            match event:
                case SetPhaseStarted():
                    self._start(event)
                case SetPhaseFinished():
                    self._finish(event)
                case MemberEvent(member=member, event=one):
                    self._show_member_event(member, one)
                case MemberFinished():
                    self._finish_member(event)
                case CheckFinished(outcome=outcome, stops=stops):
                    if outcome.state in SHOWN and (outcome.state.blocks or not self._quiet):
                        self._console.show(outcome_to_lines(outcome, stops=stops))
                case Message() | SecretObtained():
                    self._console.on_event(event)

    def show(self, lines: Iterable[Line]) -> None:
        """Show lines, with `quiet` as well."""
        with self._lock:
            self._console.show(lines)

    def align(self, titles: Iterable[str]) -> None:
        """Align the ends of the phases with these titles."""
        self._console.align(titles)

    @property
    def columns(self) -> int | None:
        """The columns of the terminal; None where there is none."""
        return self._console.width

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop any live display while the user is prompted; the events of other threads wait."""
        with self._lock, self._console.paused():
            yield

    def _start(self, phase: SetPhaseStarted) -> None:
        self._phase, self._at_work, self._finished, self._states = phase, {}, {}, Counter()
        self._console.on_event(StepStarted(title=phase.title))
        self._draw(now=True)

    def _finish(self, event: SetPhaseFinished) -> None:
        phase, self._phase = self._phase, None
        ends = [one.status for one in self._finished.values()]
        total = len(phase.members) if phase else len(ends)
        refused = len(ends) < total or not {"done", "skipped"}.issuperset(ends)
        status: Literal["done", "refused"] = "refused" if refused else "done"
        tally = "" if refused else tally_to_text(self._states)
        counted = ": ".join(filter(None, (phase_note(ends, total), tally)))
        self._console.on_event(
            StepFinished(title=event.title, status=status, note="", seconds=event.seconds, counted=counted)
        )  # fmt: skip

    def _show_member_event(self, member: str, event: Event) -> None:
        at_work = self._at_work.setdefault(member, _MemberAtWork())
        match event:
            case StepStarted(title=title):
                at_work.step = title
                self._draw(now=True)
            case StepFinished():
                at_work.step = ""
            case CheckFinished():
                self._show_check(member, at_work, event)
            case Message(tool_output=False, text=text):
                at_work.messages.append(text)
            case SecretObtained():
                self._console.on_event(event)
            case _:
                self._draw()

    def _show_check(self, member: str, at_work: _MemberAtWork, event: CheckFinished) -> None:
        """Show a problem. Most are those of a member on each index, or of all members of one repository, again."""
        outcome, stops = event.outcome, event.stops and event.outcome.state.blocks
        at_work.states[tally_key(event)] += 1
        self._states[tally_key(event)] += 1
        at_work.explained = at_work.explained or stops
        if outcome.state not in SHOWN or (self._quiet and not outcome.state.blocks):
            return
        problem = (outcome.check, outcome.reason, outcome.findings)
        known = problem in self._problems
        first = self._problems.setdefault(problem, member)
        if known and not stops:
            return
        if first != member:
            outcome = replace(outcome, findings=(), remedy="", reason=f"the same as for {first}")
        self._console.show(outcome_to_lines(outcome, stops=event.stops, prefix=f"{member}: "))

    def _finish_member(self, event: MemberFinished) -> None:
        at_work = self._at_work.pop(event.member, _MemberAtWork())
        self._finished[event.member] = event
        refused = event.status == "refused"
        if refused or (self._console.verbose and not self._quiet):
            messages = () if at_work.explained or not refused else tuple(at_work.messages)
            self._console.show(
                member_to_lines(event, at_work.states, messages=messages, explained=at_work.explained)
            )  # fmt: skip
        self._draw(now=True)

    def _draw(self, *, now: bool = False) -> None:
        """Update the progress line: which members are at work, and how many are done."""
        if self._phase is None or self._quiet or not (now or time.monotonic() - self._drawn >= _INTERVAL):
            return
        self._drawn = time.monotonic()
        done, total = len(self._finished), len(self._phase.members)
        steps = {member: one.step for member, one in self._at_work.items() if one.step}
        text = activity_to_text(steps, done, total, width=max(20, self._width() - _RESERVED))
        self._console.on_event(Progress(text=text, done=done, total=total, unit="files"))

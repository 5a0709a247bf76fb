"""Consoles without a terminal: plain lines, and groups and annotations in GitHub Actions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event as ThreadEvent
from threading import Thread
from typing import TYPE_CHECKING, Self

from release.core.events import CheckFinished, Event, Message, Progress, SecretObtained, StepFinished, StepStarted
from release.core.harmless import OwnText, harmless_lines
from release.reports.check_tally import tally_key
from release.reports.lines import Line, event_to_lines
from release.reports.step_text import step_to_lines

if TYPE_CHECKING:
    from release.core.models.token_health import TokenStatus

#: seconds without output after which a plain console reports progress
_HEARTBEAT = 15.0
#: columns of a title; a longer one is not aligned
_LONGEST_TITLE = 40


class PlainConsole:
    """A line for each step, for a pipe or a log; problems are shown in full, and what passed is counted.

    With `quiet`, only failed checks and what is passed to `show`; with `verbose`, each check and each detail.
    """

    #: the columns of the terminal; None where there is none
    width: int | None = None

    def __init__(
        self, write: Callable[[str], None], *, mask: Callable[[str], None] | None = None, quiet: bool = False,
        verbose: bool = False,
    ) -> None:  # fmt: skip
        self._write, self._mask, self._quiet, self.verbose = write, mask, quiet, verbose
        self._last_output = time.monotonic()
        self._scanned = 0
        #: the checks of the current step by `tally_key`
        self._states: Counter[str] = Counter()
        self._title, self._title_width = "", 0
        #: what the current step does; empty outside of a step
        self._doing = ""
        self._over = ThreadEvent()
        self._pulse: Thread | None = None

    def align(self, titles: Iterable[str]) -> None:
        """Align the ends of the steps with these titles."""
        self._title_width = min(max(map(len, titles), default=0), _LONGEST_TITLE)

    def __enter__(self) -> Self:
        if not self._quiet:
            self._pulse = Thread(target=self._beat, daemon=True)
            self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._pulse is not None:
            self._pulse.join()

    def on_event(self, event: Event) -> None:
        """Show an event of a run."""
        if isinstance(event, SecretObtained):
            # have the CI service mask the secret in its log, if `mask` reaches one that can: GitHub Actions alone can.
            # Source: GitHub documentation, "Workflow commands for GitHub Actions", add-mask
            if self._mask is not None:
                self._mask(f"::add-mask::{_escape_data(event.secret.reveal())}\n")
        elif not self._quiet or (isinstance(event, CheckFinished) and event.outcome.state.blocks):
            self._show_event(event)

    def on_token_scanned(self, status: TokenStatus, total: int) -> None:
        """Show that one more of `total` tokens was scanned."""
        self._scanned += 1
        if not self._quiet:
            self._heartbeat(f"{self._scanned} of {total}, now {status.about}")

    def show(self, lines: Iterable[Line]) -> None:
        """Show lines, with `quiet` as well."""
        for line in lines:
            self._show_line(line)

    def _show_line(self, line: Line) -> None:
        self._last_output = time.monotonic()
        self._write(self._format(line))

    def _format(self, line: Line) -> str:
        """What is written for a line, with its end."""
        return f"{harmless_lines(line.text)}\n"

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop any live display while the user is prompted."""
        doing, self._doing = self._doing, ""
        yield
        self._doing = doing

    def _show_event(self, event: Event) -> None:
        match event:
            case Progress():
                shares = bool(event.total) and event.unit != "seconds"  # which the text has
                self._doing = event.text + (f" {event.done / (event.total or 1):.0%}" if shares else "")
            case Message(tool_output=True, text=text) if not self.verbose:
                self._doing = f"{self._title}: {text.removeprefix('* ')}"
            case StepStarted(title=title):
                self._title, self._states, self._doing = title, Counter(), title
            case CheckFinished():
                self._states[tally_key(event)] += 1
            case _:
                pass
        self.show(event_to_lines(event, verbose=self.verbose))
        if isinstance(event, StepFinished):
            self._title = self._doing = ""
            self._end_step(event)

    def _end_step(self, event: StepFinished) -> None:
        self.show(step_to_lines(event, self._states, title_width=self._title_width))

    def _beat(self) -> None:
        """Report what a step does where it has written nothing for long."""
        while not self._over.wait(_HEARTBEAT / 5):
            if self._doing:
                self._heartbeat(self._doing)

    def _heartbeat(self, text: str) -> None:
        if time.monotonic() - self._last_output > _HEARTBEAT:
            self._last_output = time.monotonic()
            self._write(f"  … {text}\n")


class ActionsConsole(PlainConsole):
    """GitHub Actions: a group for each step with each check in it, and an annotation for each problem.

    A group is folded there; the line of its step follows it. Source: GitHub documentation, "Workflow commands for
    GitHub Actions".
    """

    def __init__(
        self, write: Callable[[str], None], *, mask: Callable[[str], None] | None = None, quiet: bool = False
    ) -> None:
        super().__init__(write, mask=mask, quiet=quiet, verbose=True)

    def _show_event(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._write(OwnText(f"::group::{_escape(event.title)}\n"))
            self._title, self._states, self._doing = event.title, Counter(), event.title
        else:
            super()._show_event(event)

    def _end_step(self, event: StepFinished) -> None:
        self._write(OwnText("::endgroup::\n"))
        super()._end_step(event)

    def _show_line(self, line: Line) -> None:
        super()._show_line(line)
        if line.annotation:
            level, title, message = line.annotation
            title = _escape(title).replace(":", "%3A").replace(",", "%2C")
            self._write(OwnText(f"::{level} title={title}::{_escape(message)}\n"))


def _escape(text: str) -> str:
    """The text in a command: the runner shows it in its log as lines of their own, where nothing commands either."""
    return _escape_data(harmless_lines(text))


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

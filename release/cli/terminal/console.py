"""Consoles without a terminal: plain lines, and groups and annotations in GitHub Actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Self

from release.core.events import CheckFinished, Event, Progress, SecretObtained, StepFinished, StepStarted
from release.reports.lines import Line, event_to_lines

if TYPE_CHECKING:
    from release.core.models.token_health import TokenStatus

#: seconds without output after which a plain console reports progress
_HEARTBEAT = 15.0


class PlainConsole:
    """Lines as they come, for a pipe or a log. With `quiet`, only failed checks and what is passed to `show`."""

    def __init__(
        self, write: Callable[[str], None], *, mask: Callable[[str], None] | None = None, quiet: bool = False
    ) -> None:
        self._write, self._mask, self._quiet = write, mask, quiet
        self._last_output = time.monotonic()
        self._scanned = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def on_event(self, event: Event) -> None:
        """Show an event of a run."""
        if isinstance(event, SecretObtained):
            # have the CI service mask the secret in its log, if `mask` reaches one that can: GitHub Actions alone can.
            # Source: GitHub documentation, "Workflow commands for GitHub Actions", add-mask
            if self._mask is not None:
                self._mask(f"::add-mask::{event.secret.reveal()}\n")
        elif not self._quiet or (isinstance(event, CheckFinished) and event.outcome.state.blocks and event.stops):
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
        self._write(line.text + "\n")

    def paused(self) -> AbstractContextManager[None]:
        """Stop any live display while the user is prompted."""
        return nullcontext()

    def _show_event(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._heartbeat(event.text + (f" {event.done / event.total:.0%}" if event.total else ""))
        self.show(event_to_lines(event))

    def _heartbeat(self, text: str) -> None:
        if time.monotonic() - self._last_output > _HEARTBEAT:
            self._last_output = time.monotonic()
            self._write(f"  … {text}\n")


class ActionsConsole(PlainConsole):
    """GitHub Actions: a group for each step, an annotation for each problem.

    Source: GitHub documentation, "Workflow commands for GitHub Actions".
    """

    def _show_event(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._write(f"::group::{_escape(event.title)}\n")
        super()._show_event(event)
        if isinstance(event, StepFinished):
            self._write("::endgroup::\n")

    def _show_line(self, line: Line) -> None:
        super()._show_line(line)
        if line.annotation:
            level, title, message = line.annotation
            self._write(f"::{level} title={_escape(title, in_property=True)}::{_escape(message)}\n")


def _escape(text: str, *, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text

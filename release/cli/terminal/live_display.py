"""The console of a terminal, drawn with rich: progress of a step, a table for a scan of tokens, lines that fit."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, get_args

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.progress_bar import ProgressBar as RichBar
from rich.table import Column, Table
from rich.text import Text

from release.cli.terminal.console import PlainConsole
from release.core import events
from release.core.events import Event, Message, StepFinished, StepStarted
from release.core.harmless import OwnText, break_commands, escape_lines, harmless_lines
from release.core.models.check_result import VerdictWord
from release.core.models.token_health import TokenStatus
from release.core.redaction import redact
from release.reports.line_width import fit_line, truncate_middle
from release.reports.lines import Line, printable

#: columns of the bar; on a terminal of 80 columns this leaves room for the longest text of an upload's progress
_BAR_WIDTH = 12
#: problems in the table
_RECENT = 8
#: columns of an echoed `^C`, and one for the cursor
_ECHO = 3
#: seconds between two updates of the table
_INTERVAL = 0.1


def spinner_name() -> str:
    """The spinner of rich that the terminal can draw: fonts of the old console of Windows have no Braille."""
    return "line" if sys.platform == "win32" and not os.environ.get("WT_SESSION") else "dots"


class ProgressBar:
    """A spinner, a text, a bar where the total is known, and the time."""

    def __init__(self, screen: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(spinner_name()), _TextColumn(table_column=Column(ratio=1, no_wrap=True)),
            _OptionalBar(bar_width=_BAR_WIDTH), TimeElapsedColumn(),
            console=screen, transient=True, expand=True,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=None)
        self._progress.start()
        self.console = self._progress.console

    def update(self, text: str, *, done: float, total: float | None) -> None:
        self._progress.update(self._task, description=text[:200], completed=done)
        self._progress.tasks[0].total = total

    def refresh(self) -> None:
        self._progress.refresh()

    def stop(self) -> None:
        self._progress.stop()


class _Truncated:
    """A text, truncated in its middle to the available width."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield Text(truncate_middle(self._text, options.max_width), no_wrap=True, overflow="ellipsis")

    def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, min(len(self._text), options.max_width))


class _TextColumn(ProgressColumn):
    def render(self, task: Task) -> _Truncated:
        return _Truncated(task.description)


class _OptionalBar(BarColumn):
    def render(self, task: Task) -> RichBar | Text:  # type: ignore[override] # a bar, or nothing
        return super().render(task) if task.total else Text("")


class TokenTable:
    """Counts for each index, and the latest problems. It disappears at the end."""

    def __init__(self, screen: Console) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self._recent: deque[TokenStatus] = deque(maxlen=_RECENT)
        self._live = Live(console=screen, transient=True, auto_refresh=False)
        self._live.start()
        self._drawn = 0.0

    def add(self, status: TokenStatus, total: int) -> None:
        self._counts.setdefault(status.index, Counter())[status.word] += 1
        if status.word != "healthy":
            self._recent.append(status)
        if time.monotonic() - self._drawn >= _INTERVAL:
            self._drawn = time.monotonic()
            self._live.update(self._table(total), refresh=True)

    def stop(self) -> None:
        self._live.stop()

    def _table(self, total: int) -> Table:
        done, words = sum(map(Counter.total, self._counts.values())), get_args(VerdictWord)
        counts = Table(title=f"{done} of {total}", title_justify="left", expand=False, box=None, pad_edge=False)
        for name in ("index", *words):
            counts.add_column(name, justify="left" if name == "index" else "right", no_wrap=True)
        for index, found in self._counts.items():
            counts.add_row(Text(index), *(str(found[word] or "") for word in words))
        table = Table.grid()
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_row(counts)
        for one in self._recent:
            text = harmless_lines(redact(f"{one.state:<9} {one.about}: {one.message}"))
            table.add_row(Text(text, overflow="ellipsis", no_wrap=True))
        return table


class TerminalConsole(PlainConsole):
    """A terminal: finished lines scroll up, the current step or a table of tokens is updated at the bottom."""

    def __init__(
        self, write: Callable[[str], None], *, quiet: bool = False, verbose: bool = False, color: str = "auto"
    ) -> None:
        super().__init__(write, quiet=quiet, verbose=verbose)
        self._color = color
        self._bar: ProgressBar | None = None
        self._table: TokenTable | None = None

    @property
    def width(self) -> int:  # type: ignore[override] # that of the terminal now
        return _new_screen(self._color).width

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _show_event(self, event: Event) -> None:
        match event:
            case StepStarted():
                super()._show_event(event)
                self._draw(event.title)
            case StepFinished():
                self._stop()
                super()._show_event(event)
            case events.Progress():
                self._draw(event.text, event)
            case Message(tool_output=True, text=text):
                self._draw(f"{self._title}: {text.removeprefix('* ')}")
                if self.verbose:
                    super()._show_event(event)
            case _:
                super()._show_event(event)

    def on_token_scanned(self, status: TokenStatus, total: int) -> None:
        if not self._quiet:
            self._table = self._table or TokenTable(_new_screen(self._color, live=True))
            self._table.add(status, total)

    def _show_line(self, line: Line) -> None:
        screen = self._bar.console if self._bar else _new_screen(self._color)
        text = break_commands(fit_line(escape_lines(redact(line.text)), self.width))  # a part may start a line
        screen.print(Text(text, style=line.style), soft_wrap=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._stop()
        yield
        if self._title and not self._quiet:
            self._draw(self._title)

    def _draw(self, text: str, event: events.Progress | None = None) -> None:
        self._bar = self._bar or ProgressBar(_new_screen(self._color, live=True))
        total = event.total if event and event.unit != "seconds" else None  # the text has the seconds
        self._bar.update(harmless_lines(redact(printable(text))), done=event.done if event else 0, total=total)

    def _stop(self) -> None:
        for display in (self._bar, self._table):
            if display is not None:
                display.stop()
        self._bar = self._table = None


class ColorConsole(PlainConsole):
    """Lines in color where there is no terminal, as with `--color always`."""

    def _format(self, line: Line) -> OwnText:
        screen = Console(color_system="standard", force_terminal=True, no_color=False)
        with screen.capture() as captured:
            screen.print(Text(harmless_lines(redact(line.text)), style=line.style), soft_wrap=True)
        return OwnText(captured.get())


def _new_screen(color: str, *, live: bool = False) -> Console:
    """A console of rich: "auto" follows NO_COLOR and FORCE_COLOR.

    A `live` display leaves room for the `^C` that a terminal echoes: on the next line, it would leave the display.
    """
    made = Console(highlight=False, markup=False, no_color={"always": False, "never": True}.get(color))
    if live:
        made.width = max(20, made.width - _ECHO)
    return made

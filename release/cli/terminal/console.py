"""The screen: a live checklist on a terminal, plain lines elsewhere, groups and annotations in CI.

How an event reads is the caller's affair: `lines` comes in, and so does `write`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, Self

from release.cli.terminal.truncate import fitting, shortened
from release.core.events import CheckFinished, Event, Message, Progress, SecretObtained, StepFinished, StepStarted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress


class Readable(Protocol):
    """A line for a reader."""

    @property
    def text(self) -> str: ...
    @property
    def style(self) -> str: ...
    @property
    def annotation(self) -> tuple[str, str, str] | None: ...


Lines = Callable[[Event], Iterable[Readable]]
Write = Callable[[str], None]

#: columns of the bar: beside it, on a screen of 80, there is room for all that `sending.progress` says
_BAR = 12
#: seconds between two signs of life where nothing is drawn
_SIGN_OF_LIFE = 15.0


class Plain:
    """Lines as they come, for a pipe or a log."""

    def __init__(self, lines: Lines, write: Write, *, mask: Write | None = None) -> None:
        self._lines, self._write, self._mask = lines, write, mask
        self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def tell(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._sign_of_life(event)
        self._masked(event)
        for line in self._lines(event):
            self.show(line)

    def show(self, line: Readable) -> None:
        self._spoke = time.monotonic()
        self._write(line.text + "\n")

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is drawn, so nothing need be put aside while the user is asked."""
        return nullcontext()

    def _masked(self, event: Event) -> None:
        """Have the CI system hide a secret from its log, where `mask` reaches one that can.

        Source: GitHub documentation, "Workflow commands for GitHub Actions", add-mask; the only one that has it.
        """
        if isinstance(event, SecretObtained) and self._mask is not None:
            self._mask(f"::add-mask::{event.secret.reveal()}\n")

    def _sign_of_life(self, event: Progress) -> None:
        if time.monotonic() - self._spoke > _SIGN_OF_LIFE:
            share = f" {event.done / event.total:.0%}" if event.total else ""
            self._spoke = time.monotonic()
            self._write(f"  … {event.text}{share}\n")


class Quiet(Plain):
    """Only what is wrong, and the end."""

    def tell(self, event: Event) -> None:
        self._masked(event)
        if isinstance(event, CheckFinished) and event.outcome.state.blocks and event.stops:
            super().tell(event)


class Silent(Plain):
    """Nothing at all: the one JSON document is written at the end."""

    def tell(self, event: Event) -> None:
        self._masked(event)

    def show(self, line: Readable) -> None:
        del line


class Actions(Plain):
    """GitHub Actions: a group for each step, an annotation for what is wrong.

    Source: GitHub documentation, "Workflow commands for GitHub Actions".
    """

    def tell(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self._write(f"::group::{_escaped(event.title)}\n")
        super().tell(event)
        if isinstance(event, StepFinished):
            self._write("::endgroup::\n")

    def show(self, line: Readable) -> None:
        super().show(line)
        if line.annotation:
            level, title, message = line.annotation
            self._write(f"::{level} title={_escaped(title, property_=True)}::{_escaped(message)}\n")


def _escaped(text: str, *, property_: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property_ else text


class Live(Plain):
    """A terminal: finished lines scroll up, the step under way moves at the bottom."""

    def __init__(self, lines: Lines, write: Write, redact: Callable[[str], str]) -> None:
        super().__init__(lines, write)
        self._redact = redact
        self._progress: RichProgress | None = None
        self._title = ""

    def __exit__(self, *_: object) -> None:
        self._stop()

    def tell(self, event: Event) -> None:
        match event:
            case StepStarted():
                super().tell(event)
                self._title = event.title
                self._draw(event.title)
            case StepFinished():
                self._stop()
                super().tell(event)
            case Progress():
                self._draw(event.text, event)
            case Message(tool_output=True):
                self._draw(event.text)
            case _:
                super().tell(event)

    def show(self, line: Readable) -> None:
        from rich.text import Text

        screen = self._screen()
        screen.print(Text(fitting(self._redact(line.text), screen.width), style=line.style), soft_wrap=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._stop()
        yield
        if self._title:
            self._draw(self._title)

    def _screen(self) -> Console:
        from rich.console import Console

        return self._progress.console if self._progress else Console(highlight=False, markup=False)

    def _draw(self, what: str, event: Progress | None = None) -> None:
        if self._progress is None:
            self._progress = _rich_progress()
            self._progress.add_task(self._redact(what)[:200], total=None)
            self._progress.start()
        task = self._progress.task_ids[0]
        total = event.total if event else None
        self._progress.update(task, description=self._redact(what)[:200], completed=event.done if event else 0)
        self._progress.tasks[0].total = total

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _rich_progress() -> RichProgress:
    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
    from rich.progress_bar import ProgressBar
    from rich.table import Column
    from rich.text import Text

    class Fitting:
        """A text in whatever room there is."""

        def __init__(self, text: str) -> None:
            self._text = text

        def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
            yield Text(shortened(self._text, options.max_width), no_wrap=True, overflow="ellipsis")

        def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
            return Measurement(1, min(len(self._text), options.max_width))

    class What(ProgressColumn):
        def render(self, task: Task) -> Fitting:
            return Fitting(task.description)

    class Share(BarColumn):
        def render(self, task: Task) -> ProgressBar | Text:  # type: ignore[override] # a bar, or nothing
            return super().render(task) if task.total else Text("")

    return Progress(
        SpinnerColumn(),
        What(table_column=Column(ratio=1, no_wrap=True)),
        Share(bar_width=_BAR),
        TimeElapsedColumn(),
        console=Console(highlight=False, markup=False),
        transient=True,
        expand=True,
    )

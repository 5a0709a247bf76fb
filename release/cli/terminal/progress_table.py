"""The screen of a look at many tokens: a table that moves on a terminal, a sign of life elsewhere."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

#: seconds between two signs of life where nothing is drawn
_SIGN_OF_LIFE = 15.0
#: lines of trouble that the moving table has room for
_RECENT = 8
_WORDS = ("healthy", "warning", "broken", "unknown")
#: seconds between two drawings
_FRAME = 0.1


class Seen(Protocol):
    """What is told of one credential."""

    @property
    def index(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def word(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def message(self) -> str: ...


class Silent:
    """Nothing: the answer comes at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def tell(self, seen: Seen, total: int) -> None:
        """One more is known, of so many."""
        del seen, total


class Plain(Silent):
    """For a pipe or a log: a line now and then, so that long work does not look frozen."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._spoke = time.monotonic()
        self._done = 0

    def tell(self, seen: Seen, total: int) -> None:
        self._done += 1
        if time.monotonic() - self._spoke > _SIGN_OF_LIFE:
            self._spoke = time.monotonic()
            self._write(f"  … {self._done} of {total}, now {seen.about}\n")


class Moving(Silent):
    """For a terminal: counts for each index, and the latest trouble. It is gone at the end."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._counts: dict[str, Counter[str]] = {}
        self._recent: deque[tuple[str, str, str]] = deque(maxlen=_RECENT)
        self._live: Live | None = None
        self._drawn = 0.0
        self._done = 0

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, seen: Seen, total: int) -> None:
        self._done += 1
        self._counts.setdefault(seen.index, Counter())[seen.word] += 1
        if seen.word != "healthy":
            self._recent.append((seen.state, seen.about, seen.message))
        if self._live is None:
            self._live = _live()
        if time.monotonic() - self._drawn >= _FRAME:
            self._drawn = time.monotonic()
            self._live.update(self._table(total), refresh=True)

    def _table(self, total: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=f"{self._done} of {total}", title_justify="left", expand=False, box=None, pad_edge=False)
        for name in ("index", *_WORDS):
            table.add_column(name, justify="left" if name == "index" else "right", no_wrap=True)
        for index, counts in self._counts.items():
            table.add_row(Text(index), *(str(counts[word] or "") for word in _WORDS))
        return self._with_trouble(table)

    def _with_trouble(self, table: Table) -> Table:
        from rich.table import Table
        from rich.text import Text

        whole = Table.grid()
        whole.add_column(no_wrap=True, overflow="ellipsis")
        whole.add_row(table)
        for state, about, message in self._recent:
            whole.add_row(
                Text(f"{state:<9} {self._redact(about)}: {self._redact(message)}", overflow="ellipsis", no_wrap=True)
            )
        return whole


def _live() -> Live:
    from rich.console import Console
    from rich.live import Live

    live = Live(console=Console(highlight=False, markup=False), transient=True, auto_refresh=False)
    live.start()
    return live

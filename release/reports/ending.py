"""The end of a run on a screen: its cause and its remedy are the last four lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from release.core.lazy_pattern import lazy_pattern
from release.core.quoting import escape_unprintable
from release.reports.line_width import count_rows, fit_line, shorten
from release.reports.lines import Line, remedy_to_lines

#: rows of the screen for the cause, the remedy and the next command of a run that failed
ENDING_ROWS = 4
_FAILED = "bold red"
#: what stands before another remedy
_ALTERNATIVE = lazy_pattern(r"; (?:or|to accept it) ")


class Ending(Struct, frozen=True, kw_only=True):
    """How a command ended."""

    #: with its verbs: "set check"
    command: str
    message: str
    #: empty if there is nothing to do
    remedy: str
    passed: bool
    #: path of the record; empty without one
    record: str = ""
    #: empty if nothing remains to be done
    next_command: str = ""


def ending_to_lines(ending: Ending, *, width: int | None) -> Iterator[Line]:
    """The result of a command, the path of its record, what to do about it, and the next command.

    `width`: the columns of a terminal; None for a log. A failure ends with its cause and its remedy. What does not fit
    `ENDING_ROWS` precedes them in full: then the cause is shortened, and of several remedies the first one is shown.
    """
    message, remedy = ending.message, ending.remedy
    recorded = [Line(text=f"record: {escape_unprintable(ending.record)}", style="dim")] if ending.record else []
    following = [Line(text=f"next: {ending.next_command}")] if ending.next_command else []
    remedies = list(remedy_to_lines(remedy)) if remedy else []
    if ending.passed:
        yield from (Line(text=line, style="bold green") for line in message.splitlines())
        yield from chain(remedies, recorded, following)
        return
    remedies, full = _fit_remedy(remedies, width), remedies
    first, *more = [Line(text=line, style=_FAILED) for line in message.splitlines() or [""]]
    needed, left = _rows([first, *more], width), ENDING_ROWS - _rows(remedies, width)
    if left - _rows(following, width) < (needed if needed <= left else 1):
        recorded, following = recorded + following, []
    left = max(1, left - _rows(following, width))
    if needed > left or remedies != full:
        yield from (replace(line, style="") for line in (first, *more))
        yield from full if remedies != full else ()
        first, more = replace(first, text=shorten(first.text, left, width)), []
    yield from recorded
    text = f"{message}. {remedy}" if remedy else message
    yield replace(first, annotation=("error", f"pypi-preflight {ending.command}", text))
    yield from chain(more, remedies, following)


def _fit_remedy(lines: list[Line], width: int | None) -> list[Line]:
    """The remedy, or of several ones that need too many rows, the first."""
    if _rows(lines, width) < ENDING_ROWS:
        return lines
    first = Line(text=_ALTERNATIVE.split(lines[0].text)[0])
    return [first] if first.text != lines[0].text and _rows([first], width) < ENDING_ROWS else lines


def _rows(lines: Sequence[Line], width: int | None) -> int:
    """The rows of a screen that the lines need; without a width a row for each line."""
    return sum(1 if width is None else count_rows(fit_line(line.text, width), width) for line in lines)

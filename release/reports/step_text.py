"""The line of a step that is over: "✓ check the source        10 passed in 0.1 s"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release.core.events import StepFinished
from release.core.time_text import format_duration
from release.reports.check_tally import tally_to_text
from release.reports.lines import Line

#: the status of a step or of a member of a set → mark and style of rich
STATUS_MARKS: Mapping[str, tuple[str, str]] = {
    "done": ("✓", "green"), "refused": ("✕", "bold red"), "skipped": ("·", "dim"), "stopped": ("-", "yellow"),
}  # fmt: skip
#: columns of a line; what does not fit is below it
_WIDTH = 80
#: seconds that are not worth a mention
_MOMENT = 0.1


def step_to_lines(event: StepFinished, tally: Mapping[str, int], *, title_width: int = 0) -> Iterator[Line]:
    """How the step ended. `tally`: its checks by `tally_key`; `title_width`: the columns of the longest title."""
    mark, style = STATUS_MARKS[event.status]
    start = f"{mark} {event.title:<{title_width}}  "
    full, short = event.counted or tally_to_text(tally, full=True), event.counted or tally_to_text(tally)
    # of a failure the note is the cause, with which the run ends
    note = "" if event.status == "refused" or event.title.endswith(event.note) else event.note
    word = {"done": "done", "refused": "failed", "skipped": "nothing to do"}[event.status]
    took = _took(event)
    texts = [f"{', '.join(filter(None, (note, counted))) or word}{took}" for counted in (full, short)]
    fitting = [text for text in texts if len(start) + len(text) <= _WIDTH]
    if fitting or not note:
        yield Line(text=f"{start}{(fitting or texts[-1:])[0]}", style=style)
        return
    yield Line(text=f"{start}{short or word}{took}", style=style)
    yield Line(text=f"    {note}", style=style)


def _took(event: StepFinished) -> str:
    if event.status == "skipped" or event.seconds < _MOMENT:
        return ""
    return f" {'after' if event.status == 'refused' else 'in'} {format_duration(event.seconds)}"

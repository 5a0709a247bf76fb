"""The steps of a run as a picture: SVG that is part of the page, and as wide as the page allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from release.reports import record_text
from release.reports.html_elements import Markup, element
from release.reports.record_text import Data

#: pixels: of a step's row, of its bar; from the row's top to the title's baseline, to the bar, to the length's baseline
_ROW, _BAR, _TITLE, _BELOW, _LENGTH = 42, 8, 14, 23, 31
#: per cent of the width that the bars have; the rest is for the lengths
_ACROSS = 78
_TONES = {"done": "good", "skipped": "calm", "refused": "bad", "broken off": "bad"}


def timeline(run: Data) -> Markup | None:
    """A bar for each step, by its begin and length; None where no step was begun."""
    went = [step for step in run["steps"] if _start(step, run) is not None]
    if not went:
        return None
    total = max(0.001, *(_end(step, run) for step in went))
    rows = [part for number, step in enumerate(went) for part in _row(number, step, run, total)]
    told = "; ".join(f"{step['title']}: {step['how']} {_length(step)}" for step in went)
    return element(
        "svg", element("title", f"The steps of the run over {record_text.duration(total)}"), element("desc", told),
        *rows,
        role="img", width="100%", height=len(went) * _ROW, class_="timeline",
    )  # fmt: skip


def _row(number: int, step: Data, run: Data, total: float) -> Iterator[Markup]:
    """The title has a line of its own, whatever its length; below are the bar, and how long it took.

    Across by per cent, so that the picture fits any width without growing its text.
    """
    top = number * _ROW
    start, end = _start(step, run) or 0.0, _end(step, run)
    left = min(start / total * 100, 99.5)
    width = min(max((end - start) / total * 100, 0.5), 100 - left)
    state = "" if step["how"] == "done" else f" ({step['how']})"
    bar = {"y": top + _BELOW, "height": _BAR, "rx": _BAR / 2}
    yield element("text", f"{step['title']}{state}", x=0, y=top + _TITLE)
    yield element("rect", x=0, width=f"{_ACROSS}%", class_="track", **bar)
    yield element(
        "rect", x=f"{left * _ACROSS / 100:.2f}%", width=f"{width * _ACROSS / 100:.2f}%",
        class_=f"bar {_TONES.get(step['how'], 'calm')}", **bar,
    )  # fmt: skip
    yield element("text", _length(step), x="100%", y=top + _LENGTH, class_="took", text_anchor="end")


def _length(step: Data) -> str:
    return "" if step["seconds"] is None else record_text.duration(step["seconds"])


def _start(step: Data, run: Data) -> float | None:
    """Seconds from the run's begin to the step's; None where it was not begun, or nobody can tell."""
    try:
        return max((datetime.fromisoformat(step["begun"]) - datetime.fromisoformat(run["begun"])).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _end(step: Data, run: Data) -> float:
    """Seconds from the run's begin to the step's end; a step that was broken off lasts as long as the run."""
    start = _start(step, run) or 0.0
    return max(record_text.seconds(run), start) if step["seconds"] is None else start + step["seconds"]

"""The steps of a run as a picture: SVG that is part of the page, and as wide as the page allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from release.reports import words
from release.reports.elements import Markup, element
from release.reports.words import Data

#: pixels: of a step's row, of its bar, from the row's top to the text's baseline and to the bar
_ROW, _BAR, _TEXT, _BELOW = 40, 8, 15, 22
_TONES = {"done": "good", "skipped": "calm", "refused": "bad", "broken off": "bad"}


def timeline(run: Data) -> Markup | None:
    """A bar for each step, by its begin and length; None where no step was begun."""
    went = [step for step in run["steps"] if _start(step, run) is not None]
    if not went:
        return None
    total = max(0.001, *(_end(step, run) for step in went))
    rows = [part for number, step in enumerate(went) for part in _row(number, step, run, total)]
    told = "; ".join(f"{step['title']}: {_took(step)}" for step in went)
    return element(
        "svg", element("title", f"The steps of the run over {words.duration(total)}"), element("desc", told), *rows,
        role="img", width="100%", height=len(went) * _ROW, class_="timeline",
    )  # fmt: skip


def _row(number: int, step: Data, run: Data, total: float) -> Iterator[Markup]:
    """Title and length above, the bar below. Across by per cent, so that it fits any width without growing its text."""
    top = number * _ROW
    start, end = _start(step, run) or 0.0, _end(step, run)
    left = min(start / total * 100, 99.5)
    tone = _TONES.get(step["how"], "calm")
    yield element("text", str(step["title"]), x=0, y=top + _TEXT)
    yield element("text", _took(step), x="100%", y=top + _TEXT, class_="took", text_anchor="end")
    yield element("rect", x=0, y=top + _BELOW, width="100%", height=_BAR, rx=_BAR / 2, class_="track")
    width = min(max((end - start) / total * 100, 0.5), 100 - left)
    yield element(
        "rect", x=f"{left:.2f}%", y=top + _BELOW, width=f"{width:.2f}%", height=_BAR, rx=_BAR / 2, class_=f"bar {tone}"
    )


def _took(step: Data) -> str:
    took = "" if step["seconds"] is None else words.duration(step["seconds"])
    return took if step["how"] == "done" else " · ".join(filter(None, [str(step["how"]), took]))


def _start(step: Data, run: Data) -> float | None:
    """Seconds from the run's begin to the step's; None where it was not begun, or nobody can tell."""
    try:
        return max((datetime.fromisoformat(step["begun"]) - datetime.fromisoformat(run["begun"])).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _end(step: Data, run: Data) -> float:
    """Seconds from the run's begin to the step's end; a step that was broken off lasts as long as the run."""
    start = _start(step, run) or 0.0
    return max(words.seconds(run), start) if step["seconds"] is None else start + step["seconds"]

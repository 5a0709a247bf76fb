"""The release record as one HTML page: for a screen, a phone, dark mode and paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile

from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.lines import format_size
from release.reports.record import upload_targets
from release.reports.record_text import Data, IndexProgress, Level
from release.reports.templating import render_page

#: pixels: the height of a step in the timeline
_ROW = 42
#: per cent of the width for the bars; the rest is for the durations
_WIDTH = 78
_LEVELS = {"done": "good", "skipped": "calm", "refused": "bad", "broken off": "bad"}


def render(record: Data) -> str:
    """The page: result, indexes, files, then the runs, the newest first."""
    run = record["runs"][-1]
    title = record_text.headline(run["exit"]["message"]) or record_text.run_outcome(run)[1]
    return render_page(
        "release.html", title=f"{record_text.release_title(record)}: {title}",
        record=record, run=run, progress=list(_progress(record)), text=record_text, format_size=format_size,
        format_duration=format_duration, upload_targets=upload_targets, timeline=timeline,
    )  # fmt: skip


def _progress(record: Data) -> Iterator[tuple[IndexProgress, Level, str | None, bool]]:
    """For each index: the progress, its level, the address of the release's page, whether the index was temporary."""
    urls = record_text.release_urls(record)
    ephemeral = {index["name"] for run in record["runs"] for index in run["indexes"] if index["ephemeral"]}
    for one in record_text.progress_by_index(record):
        level: Level = "bad" if one.refused or one.verified is False else "good" if one.verified else "warn"
        yield one, level, urls.get(one.index), one.index in ephemeral


def timeline(run: Data) -> Data | None:
    """A bar for each step that began; None where none did."""
    steps = [step for step in run["steps"] if _start(step, run) is not None]
    if not steps:
        return None
    total = max(0.001, *(_end(step, run) for step in steps))
    return {
        "bars": [_bar(step, run, number * _ROW, total) for number, step in enumerate(steps)],
        "height": len(steps) * _ROW, "width": _WIDTH, "total": format_duration(total),
        "description": "; ".join(f"{step['title']}: {step['how']} {_took(step)}" for step in steps),
    }  # fmt: skip


def _bar(step: Data, run: Data, top: int, total: float) -> Data:
    """The horizontal unit is per cent, so that the picture fits any width without scaling its text; `top` is pixels."""
    start, end = _start(step, run) or 0.0, _end(step, run)
    left = min(start / total * 100, 99.5)
    width = min(max((end - start) / total * 100, 0.5), 100 - left)
    state = "" if step["how"] == "done" else f" ({step['how']})"
    return {
        "title": f"{step['title']}{state}", "top": top, "left": f"{left * _WIDTH / 100:.2f}",
        "width": f"{width * _WIDTH / 100:.2f}", "level": _LEVELS.get(step["how"], "calm"), "took": _took(step),
    }  # fmt: skip


def _took(step: Data) -> str:
    return "" if step["seconds"] is None else format_duration(step["seconds"])


def _start(step: Data, run: Data) -> float | None:
    """Seconds from the start of the run to that of the step, without the answers of people in between.

    None where the step did not start or has no valid time.
    """
    try:
        start = (datetime.fromisoformat(step["begun"]) - datetime.fromisoformat(run["begun"])).total_seconds()
        before = takewhile(lambda one: one is not step, run["steps"])
        return max(start - sum(map(record_text.prompted_seconds, before)), 0.0)
    except (TypeError, ValueError):
        return None


def _end(step: Data, run: Data) -> float:
    """Seconds from the start of the run to the end of the step; an interrupted step lasts as long as the run."""
    start = _start(step, run) or 0.0
    return max(record_text.run_seconds(run), start) if step["seconds"] is None else start + step["seconds"]

"""The progress of an upload: one event for all files under way, with the rate and the time left."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from release.core.events import Progress
from release.core.models.distribution import Distribution
from release.core.time_text import format_duration

#: seconds between two events
_INTERVAL = 0.2
#: seconds over which the rate is measured
_WINDOW = 5.0
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


@dataclass(kw_only=True)
class ProgressMeter:
    """Counts the bytes that are uploaded and under way. Times are seconds of the caller's clock."""

    _total: int = 0
    _files: int = 0
    _done: int = 0
    _done_files: int = 0
    _shown: float = float("-inf")
    #: (time, bytes), oldest first
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def start(self, files: Sequence[Distribution], now: float) -> None:
        self._total, self._files = sum(file.size for file in files), len(files)
        self._samples.append((now, 0))

    def add(self, file: Distribution) -> None:
        """A file was accepted."""
        self._done += file.size
        self._done_files += 1

    def event(self, under_way: Mapping[str, int], now: float) -> Progress | None:
        """The next event, once it is due; `under_way`: bytes sent of each file that is being uploaded."""
        if now - self._shown < _INTERVAL:
            return None
        self._shown = now
        done = self._done + sum(under_way.values())
        self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[0][0] > _WINDOW:  # noqa: PLR2004 - a rate needs two
            self._samples.popleft()
        since, before = self._samples[0]
        rate = max(0.0, (done - before) / (now - since)) if now > since else 0.0
        text = progress_to_text(files=self._done_files, of_files=self._files, done=done, total=self._total, rate=rate)
        return Progress(text=text, done=done, total=self._total)


def progress_to_text(*, files: int, of_files: int, done: float, total: float, rate: float) -> str:
    """The progress in at most 52 characters: "23 of 40 files, 46 of 80 MB, 12 MB/s, 3 s left".

    `done` and `total` are bytes, `rate` bytes per second; 0 where it is unknown.
    """
    text = f"{files} of {of_files} files, {_amount(done, total)} of {_amount(total, total)} {_unit(total)}"
    if rate <= 0:
        return text
    left = format_duration(round(max(0.0, total - done) / rate))
    return f"{text}, {_amount(rate, rate)} {_unit(rate)}/s, {left} left"


def _unit(scale: float) -> str:
    return next((name for size, name in _UNITS if scale >= size), "B")


def _amount(value: float, scale: float) -> str:
    """A number in the unit that fits `scale`: one decimal where it is small."""
    scaled = value / next((size for size, _ in _UNITS if scale >= size), 1.0)
    return f"{scaled:.0f}" if scaled >= 10 or scaled == int(scaled) else f"{scaled:.1f}"  # noqa: PLR2004 - two digits

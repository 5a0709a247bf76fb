"""How fast a release goes: one line of progress for all that is under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from release.core.events import Progress
from release.core.models.distribution import Distribution
from release.publishing.upload.upload_state import progress_text

#: seconds between two events
_EVERY = 0.2
#: seconds that the rate is taken over
_WINDOW = 5.0


@dataclass(kw_only=True)
class ProgressMeter:
    """Counts what has arrived and what is on its way. Times are seconds of the caller's clock."""

    _total: int = 0
    _files: int = 0
    _arrived: int = 0
    _arrived_files: int = 0
    _told: float = float("-inf")
    #: (time, bytes), oldest first
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def begin(self, files: Sequence[Distribution], now: float) -> None:
        self._total, self._files = sum(file.size for file in files), len(files)
        self._marks.append((now, 0))

    def finished(self, file: Distribution) -> None:
        """A file is there."""
        self._arrived += file.size
        self._arrived_files += 1

    def shown(self, under_way: Mapping[str, int], now: float) -> Progress | None:
        """The event to tell, if it is time for one; `under_way`: bytes of each file that is being sent."""
        if now - self._told < _EVERY:
            return None
        self._told = now
        done = self._arrived + sum(under_way.values())
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:  # noqa: PLR2004 - a rate needs two marks
            self._marks.popleft()
        since, before = self._marks[0]
        rate = max(0.0, (done - before) / (now - since)) if now > since else 0.0
        text = progress_text(files=self._arrived_files, of_files=self._files, done=done, total=self._total, rate=rate)
        return Progress(text=text, done=done, total=self._total)

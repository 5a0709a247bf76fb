"""How uploads are retried: `[tool.release.upload]`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSettings:
    """How hard an upload tries: `[tool.release.upload]`."""

    #: files that are sent at the same time, once the first one is there
    concurrency: int = 4
    #: how often one file is sent at most
    attempts: int = 5
    #: seconds from a file's first unclear answer after which nothing more is begun for it
    deadline: float = 900
    #: seconds; the longest wait that a server's Retry-After is granted
    longest_wait: float = 300
    #: seconds; what the first pause is drawn below. It doubles from pause to pause
    pause: float = 1
    #: seconds; what no pause exceeds
    longest_pause: float = 60
    #: seconds that an index gets to show what it took; None: what its kind is known to need
    visible_within: float | None = None

    def back_off(self, times: int, chance: float) -> float:
        """A pause after so many failures, at least 1: exponential, with full jitter; `chance` is in [0, 1)."""
        return chance * min(self.longest_pause, self.pause * 2.0 ** min(times - 1, 30))

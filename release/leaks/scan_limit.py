"""How much work the scan of one file may be, so that no file can hold up a release."""

from __future__ import annotations

import time

#: How much of a file may be unpacked: bytes, or so many times its size, whichever is more. PyPI has the same limits
#: for zips. Source: warehouse, `forklift/legacy.py`, `_is_valid_dist_file`
_FREE, _RATIO = 64 << 20, 50
#: Seconds of CPU time, and the bytes of the file that get another second. A file that is scanned at an ordinary speed
#: takes a hundredth of it.
_SECONDS, _BYTES_A_SECOND = 30, 4 << 20


class ScanLimitError(Exception):
    """The scan of a file was given up; the message says why: "it unpacks to far more than its size"."""


class ScanTimeError(ScanLimitError):
    """The scan of a file has taken its time."""


class ScanLimit:
    """Counts what the scan of one file costs, at every depth: unpacked bytes, and CPU time of the thread."""

    def __init__(self, size: int) -> None:
        self._left = max(_FREE, _RATIO * size)
        self._seconds = _SECONDS + size / _BYTES_A_SECOND
        #: None until the first question, which most files never need
        self._end: float | None = None

    def spend(self, count: int) -> None:
        """Count unpacked bytes. Raises `ScanLimitError`."""
        self._left -= count
        if self._left < 0:
            raise ScanLimitError("it unpacks to far more than its size")
        if self.is_reached:
            self.check_time()

    @property
    def has_begun(self) -> bool:
        """Whether anything has been found that took time."""
        return self._end is not None

    @property
    def is_reached(self) -> bool:
        """Whether the scan has taken its time, which begins with the first question."""
        now = time.thread_time()
        if self._end is None:
            self._end = now + self._seconds
        return now > self._end

    def check_time(self) -> None:
        """Raises `ScanTimeError` where the scan has taken its time, if it has begun."""
        if self._end is not None and self.is_reached:
            raise ScanTimeError(f"it was not searched to its end, because that takes more than {self._seconds:.0f} s")

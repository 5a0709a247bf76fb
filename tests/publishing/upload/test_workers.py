"""The line of progress: short enough for a narrow screen."""

from __future__ import annotations

import pytest

from release.publishing.upload.workers import progress_to_text


@pytest.mark.parametrize(
    ("done", "total", "rate", "text"),
    [
        (46e6, 80e6, 12e6, "23 of 40 files, 46 of 80 MB, 12 MB/s, 3 s left"),
        (0, 80e6, 0, "23 of 40 files, 0 of 80 MB"),
        (1.5e9, 2.5e9, 1.25e6, "23 of 40 files, 1.5 of 2.5 GB, 1.2 MB/s, 13 min left"),
        (10, 900, 5, "23 of 40 files, 10 of 900 B, 5 B/s, 2 min 58 s left"),
        (1e6, 9e9, 20_000, "23 of 40 files, 0.0 of 9 GB, 20 kB/s, 125 h left"),
    ],
)
def test_progress_fits_a_narrow_screen(done: float, total: float, rate: float, text: str) -> None:
    shown = progress_to_text(files=23, of_files=40, done=done, total=total, rate=rate)
    assert shown == text
    assert len(shown) <= 52

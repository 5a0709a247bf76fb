"""Compare how twine and we react to faults: three files, and a fault that affects the second.

    python -m benchmarks.upload_faults

twine runs as its users run it, and is stopped after twenty seconds; ours waits three seconds for a response
here, instead of minutes. "listed" is the number of files that the index lists afterwards.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import upload
from release.adapters.twine import twine_process
from release.adapters.twine.twine_process import UploadLimits
from release.core.errors import ReleaseError
from release.core.models.distribution import Distribution
from release.publishing.upload.workers import UploadWorkers
from release.sandbox.faults import CannedResponse, DiskFull, Drop, Effect, Fault, RequestFilter, Slow

HTML = (("Content-Type", "text/html"),)
PORTAL = "<html><form>Sign in</form></html>"
FAULTS: dict[str, Effect] = {
    "nothing": Slow(),
    "400": CannedResponse(status=400, reason="Bad name"),
    "403": CannedResponse(status=403, reason="Invalid token"),
    "429, retry after 2 s": CannedResponse(status=429, retry_after=2),
    "429, retry at a date": CannedResponse(status=429, retry_date=2),
    "429": CannedResponse(status=429),
    "500": CannedResponse(status=500),
    "502 in HTML": CannedResponse(status=502, body=PORTAL, headers=HTML),
    "503, retry after 2 s": CannedResponse(status=503, retry_after=2),
    "507, disk full": DiskFull(),
    "202": CannedResponse(status=202),
    "999": CannedResponse(status=999),
    "200 from a captive portal": CannedResponse(status=200, body=PORTAL, headers=HTML),
    "redirect": CannedResponse(status=302, headers=(("Location", "http://elsewhere.invalid/"),)),
    "reset before the body": Drop(at="before-body"),
    "reset in the body": Drop(at="in-body"),
    "reset after the body": Drop(at="after-body"),
    "closed after the body": Drop(at="after-body", how="close"),
    "garbage as response": Drop(at="after-body", how="garbage"),
    "silence": Drop(at="after-body", how="hang"),
    "accepted, reset": Drop(at="after-work"),
    "accepted, cut off": Drop(at="in-reply"),
    "accepted, silence": Drop(at="after-work", how="hang"),
    "accepted, 502": CannedResponse(status=502, stored=True),
}
#: seconds until twine is stopped
PATIENCE = 20
FILES = 3


def ours(place: dict[str, Any], files: Sequence[Distribution]) -> tuple[float, str, str]:
    """Return seconds, how it ended, and the message."""
    start = partial(twine_process.Worker, env=os.environ, limits=UploadLimits(read=3))
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch, UploadWorkers(start) as workers:
        engine = upload.engine(place, Path(scratch), workers)
        try:
            engine.run(files)
        except ReleaseError as error:
            return time.perf_counter() - begun, "stopped", error.message
    return time.perf_counter() - begun, "done", ""


def twine(place: dict[str, Any], files: Sequence[Distribution]) -> tuple[float, str, str]:
    seconds, status, output = upload.twine(place, files, patience=PATIENCE)
    words = [line.strip() for line in output.splitlines() if line.strip()]
    return seconds, f"exit {status}" if status >= 0 else "hangs", words[-1] if status and words else ""


def row(name: str, who: str, listed: int, result: tuple[float, str, str]) -> str:
    seconds, end, message = result
    return f"{name:<26} {who:<6} {end:<8} listed {listed} of {FILES} {seconds:6.1f} s  {message[:100]}"


def main() -> int:
    complete = 0
    with tempfile.TemporaryDirectory() as scratch:
        files = upload.wheels(Path(scratch) / "dist", FILES, 20_000)
        for name, what in FAULTS.items():
            fault = Fault(what=what, when=RequestFilter(method="POST", filename=files[1].filename, nth=1))
            for run in (twine, ours):
                with upload.index(fault) as place:
                    result = run(place, files)
                    listed = upload.listed(place)
                complete += listed == FILES and run is ours
                print(row(name, run.__name__, listed, result), flush=True)
    print(f"ours: all files uploaded with {complete} of {len(FAULTS)} faults; the others are refusals")
    return 0


if __name__ == "__main__":
    sys.exit(main())

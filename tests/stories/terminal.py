"""The program run on a terminal, with somebody who answers its questions. POSIX only."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.stories.project import UserProject


@dataclass(kw_only=True)
class Screen:
    """What was to be seen."""

    status: int
    text: str


def talk(project: UserProject, *words: str, answers: Sequence[tuple[str, str]], timeout: float = 240) -> Screen:
    """Run the program on a pseudo-terminal. `answers`: (what is waited for, what is typed then), in order.

    Questions after those are answered with no.
    """
    import pty

    ours, theirs = pty.openpty()  # type: ignore[attr-defined,unused-ignore]
    running = subprocess.Popen(
        [sys.executable, "-m", "release", *words], cwd=project.directory, env=project.environment(),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=_controlling,  # noqa: PLW1509 - a terminal of one's own can't be had otherwise; no threads here
    )  # fmt: skip
    os.close(theirs)
    seen, waiting, deadline = "", list(answers), time.monotonic() + timeout
    fresh = ""
    while time.monotonic() < deadline:
        data = _read(ours)
        if data is None:
            break
        seen, fresh = seen + data, fresh + data
        if waiting and waiting[0][0] in fresh:
            os.write(ours, waiting.pop(0)[1].encode() + b"\n")
            fresh = ""
        elif not waiting and fresh.rstrip().endswith("[y/N]"):
            os.write(ours, b"\n")
            fresh = ""
    os.close(ours)
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.wait(60)
    if running.poll() is None:
        running.kill()
    assert not waiting, f"never asked: {waiting[0][0]!r}\n{seen}"
    return Screen(status=running.wait(), text=seen.replace("\r\n", "\n"))


def _controlling() -> None:
    """The pseudo-terminal is the child's own: there getpass asks."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # type: ignore[attr-defined,unused-ignore]


def _read(terminal: int) -> str | None:
    if not select.select([terminal], [], [], 0.1)[0]:
        return ""
    try:
        data = os.read(terminal, 65_536)
    except OSError:  # Linux says so where the other end is closed
        return None
    return data.decode("utf-8", "replace") if data else None

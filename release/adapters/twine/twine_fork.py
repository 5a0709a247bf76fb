"""A process that was forked from the template of `twine_template`, which is no child of this one. Linux only."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from typing import IO

from release.adapters.system.process import Pipe

#: bytes of output that are read at a time: what a pipe holds
_BLOCK = 64 * 1024


class ForkedProcess:
    """A process that is no child of this one, with what `Pipe` needs of `subprocess.Popen`.

    Its end is that of a pipe that it holds open, and to which it writes its number when it begins. The number is not
    used again while the template lives, which leaves its forks as zombies.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes], life: IO[bytes]) -> None:
        self.stdin, self.stdout, self.stderr, self._life = stdin, stdout, stderr, life
        self._pid: int | None = None
        self._ended = False

    @property
    def pid(self) -> int | None:
        """Its number; None until it has begun."""
        self._watch(0)
        return self._pid

    def poll(self) -> int | None:
        """None while it runs, or has not begun; then -1: only the template could find out its exit status."""
        self._watch(0)
        return -1 if self._ended else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises `subprocess.TimeoutExpired`."""
        while not self._ended:
            if not self._watch(timeout):
                raise subprocess.TimeoutExpired("twine", timeout or 0)
        return -1

    def kill(self) -> None:
        """Kill it; one that has not begun ends at once when it does."""
        if sys.platform == "win32":
            raise OSError("Windows has no fork")
        pid = self.pid
        if self._ended:
            return
        if pid is None:
            with contextlib.suppress(OSError):
                self.stdin.close()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def forget(self) -> None:
        """Close what its end was seen by."""
        self._life.close()

    def _watch(self, timeout: float | None) -> bool:
        """Wait for its number and its end; whether one of them came."""
        if sys.platform == "win32":
            raise OSError("Windows has no fork")
        if self._ended:
            return True
        try:
            poll = select.poll()
            poll.register(self._life, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                return False
            found = os.read(self._life.fileno(), 32)
        except ValueError:  # another thread has seen its end just now
            return True
        if found:
            self._pid = int(found)
        else:
            self._ended = True
        return True


class ForkedPipe(Pipe):
    """Exchanges JSON with a forked process.

    The thread that waits for an event reads it itself: another one for that would have to be woken, and to wake it.
    """

    def __init__(self, process: ForkedProcess) -> None:
        self._forked = process
        #: what was read of the lines that follow
        self._rest = b""
        self._connect(process)

    @property
    def has_message(self) -> bool:
        return b"\n" in self._rest or self._wait(0)

    def close(self) -> None:
        super().close()
        self._forked.stdout.close()
        self._forked.forget()

    def _start_reading(self) -> None:
        if sys.platform != "win32":
            self._poll = select.poll()
            self._poll.register(self._forked.stdout, select.POLLIN)

    def _read_line(self, timeout: float) -> bytes | None:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._rest:
            if not self._wait(max(0, deadline - time.monotonic())):
                raise TimeoutError
            found = os.read(self._forked.stdout.fileno(), _BLOCK)
            if not found:
                return None
            self._rest += found
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _wait(self, seconds: float) -> bool:
        """Wait for more of its output; whether it came, or the process has ended."""
        if sys.platform == "win32":
            raise OSError("Windows has no fork")
        return bool(self._poll.poll(seconds * 1000))

    def _ending(self) -> str:
        return "it was ended"

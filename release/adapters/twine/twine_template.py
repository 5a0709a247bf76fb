"""Start upload processes quickly: one process imports twine, and is forked for each that uploads. Linux only.

Twine's import takes most of the time that such a process needs to start, and most of its memory. The template gets no
credential: each forked process gets its own over its own pipe. On macOS, libraries of the system break in forked
processes, and Windows has no fork: there, each process imports twine itself.
Source: Python's documentation, "multiprocessing: Contexts and start methods".
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import release
from release.adapters.system.guardian import guard_program, prepare_guard
from release.adapters.system.own_child import own_child_environment
from release.adapters.system.own_group import OWN_GROUP
from release.adapters.system.process import Pipe

AVAILABLE = sys.platform == "linux"
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from release.adapters.twine import twine_template_child as child; "
    "child.main()"
)


class TwineTemplate:
    """The process that is forked. It starts anew where it was killed.

    Its forks are of its process group, so that they end with this process as well.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        """`env`: without credentials."""
        self._env = env
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = contextlib.ExitStack()
        self._lock = threading.RLock()

    def start(self) -> None:
        """Start it, if it does not run. Raises `OSError`."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._start()

    def fork(self) -> Pipe:
        """Start a process of `twine_worker`; does not wait until it runs. Raises `OSError`."""
        read_input, stdin = os.pipe()
        outputs = [os.pipe() for _ in range(3)]
        theirs = [read_input, *(writing for _, writing in outputs)]
        process = ForkedProcess(os.fdopen(stdin, "wb"), *(os.fdopen(reading, "rb") for reading, _ in outputs))
        try:
            with self._lock:
                try:
                    self._send(theirs)
                except OSError:  # it was killed just now
                    self.close()
                    self._send(theirs)
        finally:
            for number in theirs:
                os.close(number)
        return _ForkedPipe(process)

    def close(self) -> None:
        """End the template; each process that was forked ends with its own pipe."""
        with self._lock:
            if self._channel is not None:
                self._channel.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._guard.close()
            self._channel = self._process = None

    def _send(self, numbers: list[int]) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        self.start()
        assert self._channel is not None
        socket.send_fds(self._channel, [b"+"], numbers)

    def _start(self) -> None:
        prepare_guard()
        root = str(Path(release.__file__).parents[1])
        self._channel, theirs = socket.socketpair()
        null = subprocess.DEVNULL
        with theirs:
            # -P: as in `twine_process`
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, root], env=own_child_environment(self._env), stdin=theirs.fileno(),
                stdout=null, stderr=null, **OWN_GROUP,
            )  # fmt: skip
        self._guard.enter_context(guard_program(self._process))


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
            raise NotImplementedError
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
            raise NotImplementedError
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


class _ForkedPipe(Pipe):
    def __init__(self, process: ForkedProcess) -> None:
        self._forked = process
        self._connect(process)

    def close(self) -> None:
        super().close()
        self._forked.forget()

    def _ending(self) -> str:
        return "it was ended"

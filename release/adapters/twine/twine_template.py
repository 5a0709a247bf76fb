"""Start upload processes quickly: one process imports twine, and is forked for each that uploads. Linux only.

Twine's import takes most of the time that such a process needs to start, and most of its memory. The template gets no
credential: each forked process gets its own over its own pipe. On macOS, libraries of the system break in forked
processes, and Windows has no fork: there, each process imports twine itself.
Source: Python's documentation, "multiprocessing: Contexts and start methods".
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import release
from release.adapters.system.guardian import guard_program, prepare_guard
from release.adapters.system.own_child import own_child_environment
from release.adapters.system.own_group import OWN_GROUP

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

AVAILABLE = sys.platform == "linux"
#: as in `twine_process`
_BOOT = (
    "import gc, sys; gc.disable(); sys.path.append(sys.argv[1]); "
    "from release.adapters.twine import twine_template_child as child; child.main()"
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
        from release.adapters.twine.twine_fork import ForkedPipe, ForkedProcess  # while the template imports twine

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
        return ForkedPipe(process)

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
            raise OSError("Windows has no fork")
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

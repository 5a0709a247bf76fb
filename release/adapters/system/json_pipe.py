"""A child process that is talked to in JSON, one object a line, with a time limit on every answer."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

#: seconds; on Windows, Ctrl-C does not interrupt a wait that is longer
_TICK = 0.1
#: seconds for a child to end by itself, once its stdin is closed
_GRACE = 2.0


class Pipe:
    """A running child. It is in a group of its own, so that Ctrl-C reaches its parent alone."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        group: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(list(argv), env=dict(env), stdin=pipe, stdout=pipe, stderr=pipe, **group)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._errors: deque[bytes] = deque(maxlen=20)
        self._threads = [
            _thread(self._process.stdout, self._lines.put),
            _thread(self._process.stderr, lambda line: self._errors.append(line or b"")),
        ]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def write(self, message: dict[str, Any]) -> None:
        """Send one object. Raises `OSError` where nobody reads any more."""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, timeout: float) -> dict[str, Any]:
        """The next object. Raises `TimeoutError`, `EOFError` where the child has ended, `ValueError`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=_TICK)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                continue
            if line is None:
                raise EOFError
            event = json.loads(line)
            if not isinstance(event, dict) or "is" not in event:
                raise ValueError("no event")
            return event

    def last_words(self) -> str:
        """The last line that the child wrote to stderr; waits a moment for it to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._threads[1].join(_GRACE)
        lines = [line.decode("utf-8", "replace").strip() for line in self._errors]
        return next((line for line in reversed(lines) if line), f"exit status {self._process.poll()}")

    def kill(self) -> None:
        """End the child by force, from any thread; whoever reads gets an `EOFError`."""
        self._process.kill()

    def close(self) -> None:
        """End the child: by closing its stdin, or by force."""
        with contextlib.suppress(OSError):  # a broken pipe: it has ended already
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(_GRACE)


def _thread(stream: IO[bytes] | None, put: Any) -> threading.Thread:
    thread = threading.Thread(target=_drain, args=(stream, put), daemon=True)
    thread.start()
    return thread


def _drain(stream: IO[bytes], put: Any) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        for line in stream:
            put(line)
    put(None)

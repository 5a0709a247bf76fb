"""A child process that exchanges JSON objects, one a line, with a time limit for each response."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from release.adapters.system.process import OWN_GROUP, in_thread, read_lines

#: seconds; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1
#: seconds for a child to exit after its stdin was closed
_GRACE = 2.0


class Pipe:
    """A running child in its own process group, so that Ctrl-C reaches only its parent."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(list(argv), env=dict(env), stdin=pipe, stdout=pipe, stderr=pipe, **OWN_GROUP)
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._errors: deque[bytes] = deque(maxlen=20)
        self._threads = [
            in_thread(read_lines, self._process.stdout, self._lines.put),
            in_thread(read_lines, self._process.stderr, lambda line: self._errors.append(line or b"")),
        ]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def write(self, message: dict[str, Any]) -> None:
        """Send one object. Raises `OSError` where the child has exited."""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, timeout: float) -> dict[str, Any]:
        """The next object. Raises `TimeoutError`, `EOFError` where the child has exited, `ValueError`."""
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

    def last_error_line(self) -> str:
        """The last line that the child wrote to stderr; waits briefly for it to exit."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._threads[1].join(_GRACE)
        lines = [line.decode("utf-8", "replace").strip() for line in self._errors]
        return next((line for line in reversed(lines) if line), f"exit status {self._process.poll()}")

    def kill(self) -> None:
        """Kill the child, from any thread; a waiting `read` raises `EOFError`."""
        self._process.kill()

    def close(self) -> None:
        """End the child by closing its stdin; kill it if it does not exit."""
        with contextlib.suppress(OSError):  # a broken pipe: it has exited already
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(_GRACE)

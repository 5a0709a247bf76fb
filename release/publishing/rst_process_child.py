"""The child process that renders reStructuredText.

It reads requests from stdin and writes answers to stdout, one JSON object a line; the first request has the
directories that modules are imported from:

    → {"path"}
    → {"text"}
    ← {"is": "rendered", "html", "error"}      as `render_rst` returns them
    ← {"is": "broke", "message"}               it raised RendererBrokeError

It exits when stdin ends, also while it renders.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import signal
import sys
import threading


def main() -> None:
    """Handle requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print
    sys.path[1:] = json.loads(sys.stdin.buffer.readline())["path"]
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    from release.acceptance.rst_rendering import RendererBrokeError, import_renderer, render_rst

    gc.disable()  # imports make no garbage
    import_renderer()
    gc.freeze()
    gc.enable()
    while True:
        try:
            html, error = render_rst(json.loads(requests.get())["text"])
            answer = {"is": "rendered", "html": html, "error": error}
        except RendererBrokeError as broke:
            answer = {"is": "broke", "message": str(broke)}
        answers.write(json.dumps(answer).encode() + b"\n")


def _read(requests: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)

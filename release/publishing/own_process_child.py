"""What all child processes of `own_process` do: they handle requests until stdin ends.

Requests come from stdin, answers go to stdout, one JSON object a line. The first request is `{"path"}`: the directories
that modules are imported from. When stdin ends, the child exits at once, even during a request.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import signal
import sys
import threading
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Handler = Callable[[dict[str, Any]], Iterator[dict[str, Any]]]


def serve(module: str, function: str) -> None:
    """Handle requests with what this function of the module returns, which imports what it needs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print
    sys.path[:] = json.loads(sys.stdin.buffer.readline())["path"]
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    gc.disable()  # imports make no garbage
    handle: Handler = getattr(import_module(module), function)()
    gc.freeze()
    gc.enable()
    while True:
        for answer in handle(json.loads(requests.get())):
            answers.write(json.dumps(answer).encode() + b"\n")


def _read(requests: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)

"""The process that imports twine once, and is forked for each process that uploads.

Its stdin is a socket. For each byte that arrives, with four file descriptors, it forks: the first three become stdin,
stdout and stderr of `twine_worker`; to the fourth the new process writes its number, and holds it open until it ends.
It exits when the socket ends, so it never outlives its parent.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback

from release.adapters.twine import twine_worker
from release.adapters.twine.twine_import import import_twine


def main() -> None:
    """Fork until stdin ends; does not return."""
    if sys.platform == "win32":
        raise OSError("Windows has no fork")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    channel = socket.socket(fileno=os.dup(0))
    problem = _problem()
    while True:
        data, numbers, _, _ = socket.recv_fds(channel, 1, 4)
        if not data:
            os._exit(0)
        if problem:
            os.write(numbers[2], problem.encode("utf-8", "replace"))
        elif os.fork() == 0:
            channel.close()
            _become_worker(numbers)
        for number in numbers:
            os.close(number)


def _problem() -> str:
    """Import twine; returns the traceback where that fails."""
    try:
        import_twine()
    except BaseException:  # noqa: BLE001 - reported by each process that it should become
        return traceback.format_exc()
    return ""


def _become_worker(numbers: list[int]) -> None:
    for number, standard in zip(numbers, range(3), strict=False):
        os.dup2(number, standard)
        os.close(number)
    os.write(numbers[3], str(os.getpid()).encode("ascii"))
    try:
        twine_worker.main()
    finally:
        os._exit(1)

"""A process that waits until another one has ended, ends what that one left running, and removes what it left behind.

It reads from its standard input what there is, a line for each: `+` or `-`, `g` and the number of a process group, or
`d` and the path of a directory in hexadecimal. The input ends when the other process does, also when it is killed.
Run as a file, with nothing but the standard library.
"""

import os
import signal
import sys
import time

#: seconds between SIGTERM and SIGKILL
_GRACE = 2.0
_TICK = 0.02


def main() -> None:
    """Read until the end, then clean up."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    groups, directories = _read()
    _end_groups(groups)
    if directories:
        import shutil

        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)


def _read() -> tuple[set[int], set[str]]:
    groups: set[int] = set()
    directories: set[str] = set()
    for line in sys.stdin.buffer:
        if not line.endswith(b"\n"):
            break  # the other process was killed while it wrote
        sign, kind, value = line[:1], line[1:2], line[2:-1].decode("ascii")
        if kind == b"g":
            (groups.add if sign == b"+" else groups.discard)(int(value))
        else:
            path = os.fsdecode(bytes.fromhex(value))
            (directories.add if sign == b"+" else directories.discard)(path)
    return groups, directories


def _end_groups(groups: set[int]) -> None:
    left = {group for group in groups if _signal(group, signal.SIGTERM)}
    deadline = time.monotonic() + _GRACE
    while left and time.monotonic() < deadline:
        time.sleep(_TICK)
        left = {group for group in left if _signal(group, 0)}
    if sys.platform != "win32":
        for group in left:
            _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Whether the group has a process that was sent the signal."""
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()

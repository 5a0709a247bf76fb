"""Close this process to other processes of the same user, because it has tokens in its variables and its memory."""

import sys
from contextlib import suppress

#: Source: prctl(2)
_PR_SET_DUMPABLE = 4


def close_process() -> None:
    """On Linux, let no other process of the user read `/proc/PID/environ` and `/proc/PID/mem`, or attach a debugger.

    Root still may, and the children are as before: starting a program resets it. Elsewhere nothing is done.
    """
    if sys.platform == "linux":
        with suppress(Exception):
            # Without `ctypes`, whose import takes 6 ms: this takes none. Observed: CPython 3.11 to 3.14.
            import _ctypes

            function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type] # None is this program
            _ctypes.call_function(function, (_PR_SET_DUMPABLE, 0, 0, 0, 0))

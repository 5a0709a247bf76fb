"""The child process that reads files with twine's package module, as for an upload.

It reads requests from stdin and writes answers to stdout, one JSON object a line:

    → {"path"}
    ← {"is": "read", "objection", "crashed"}      twine's message; null where it would send the file; whether it is
                                                  an exception of Python's libraries

It exits when stdin ends. A contract test covers what is used of twine: `package.PackageFile.from_filename`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def main() -> None:
    """Handle requests until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what twine prints
    read = twine_reader()
    for line in sys.stdin.buffer:
        message, crashed = objection(read, json.loads(line)["path"])
        answers.write(json.dumps({"is": "read", "objection": message, "crashed": crashed}).encode() + b"\n")


def twine_reader() -> Any:
    """The function of twine that reads a file, without the digests; call it with a path and None."""
    from twine.package import PackageFile

    class Unhashed(PackageFile):
        """The metadata is read and validated before the file is hashed, which an answer does not need."""

        def __init__(self, *_: object) -> None:
            pass

    return Unhashed.from_filename


def objection(read: Any, path: str) -> tuple[str | None, bool]:
    """Twine's message where it refuses the file, else None; and whether it crashed. `read` is a `twine_reader()`."""
    from twine.exceptions import TwineException

    try:
        read(path, None)
    except TwineException as error:
        return str(error), False
    except Exception as error:  # noqa: BLE001 - a broken archive raises anything: BadZipFile, ReadError, zlib.error, …
        return f"{type(error).__name__}: {error}", True
    return None, False

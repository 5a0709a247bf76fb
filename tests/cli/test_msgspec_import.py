"""msgspec is imported without a library that it does not need here."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from release.cli.msgspec_import import import_msgspec
import_msgspec()
assert "msgspec" in sys.modules
assert "typing_extensions" not in sys.modules
import typing_extensions
import_msgspec()
assert sys.modules["typing_extensions"] is typing_extensions
from typing import Annotated, TypedDict, NotRequired
import msgspec
class Table(TypedDict):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    size: NotRequired[int]
assert msgspec.json.decode(b'{"name": "a"}', type=Table) == {"name": "a"}
"""


_PROGRAM_WITH_THREADS = """
import sys, threading
from release.cli.msgspec_import import import_msgspec
missing, stop = [], threading.Event()
def watch():
    while not stop.is_set():
        missing.extend([1] if sys.modules.get("typing_extensions", 0) is None else [])
thread = threading.Thread(target=watch)
thread.start()
import_msgspec()
import msgspec
stop.set()
thread.join()
assert not missing
"""


def test_other_modules_still_find_the_library_that_is_left_out() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=240)


def test_no_other_thread_misses_the_library() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM_WITH_THREADS], check=True, timeout=240)

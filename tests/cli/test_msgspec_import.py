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
stop = threading.Event()
threading.Thread(target=stop.wait).start()
import_msgspec()
stop.set()
assert "msgspec" not in sys.modules
"""


def test_other_modules_still_find_the_library_that_is_left_out() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=240)


def test_nothing_is_imported_without_it_where_another_thread_could_miss_it() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM_WITH_THREADS], check=True, timeout=240)

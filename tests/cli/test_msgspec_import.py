"""msgspec is imported without modules that it does not need here."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from release.cli.msgspec_import import import_msgspec
import_msgspec()
assert "msgspec" in sys.modules
assert not {"typing_extensions", "textwrap", "platform"} & sys.modules.keys()
import platform, textwrap, typing_extensions, uuid
assert platform.machine() and textwrap.wrap("a b", 1) == ["a", "b"] and uuid.uuid1()
import_msgspec()
assert sys.modules["typing_extensions"] is typing_extensions
from typing import Annotated, TypedDict, NotRequired
import msgspec
class Table(TypedDict):
    '''
    First.
    Second.
    '''
    name: Annotated[str, msgspec.Meta(min_length=1)]
    size: NotRequired[int]
assert msgspec.json.decode(b'{"name": "a"}', type=Table) == {"name": "a"}
assert msgspec.json.schema(Table)["$defs"]["Table"]["description"] == "First.\\nSecond."
"""
_WITH_THE_MODULES = """
import platform, sys, textwrap
from release.cli.msgspec_import import import_msgspec
import_msgspec()
assert sys.modules["platform"] is platform and sys.modules["textwrap"] is textwrap
import msgspec._json_schema
assert msgspec._json_schema.textwrap is textwrap
"""
_WITH_THREADS = """
import sys, threading
from release.cli.msgspec_import import import_msgspec
stop = threading.Event()
threading.Thread(target=stop.wait).start()
import_msgspec()
stop.set()
assert "msgspec" not in sys.modules
"""


@pytest.mark.parametrize("program", [_PROGRAM, _WITH_THE_MODULES])
def test_other_modules_still_find_the_libraries_that_are_left_out(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, timeout=240)


def test_nothing_is_imported_without_them_where_another_thread_could_miss_them() -> None:
    subprocess.run([sys.executable, "-c", _WITH_THREADS], check=True, timeout=240)

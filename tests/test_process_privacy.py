"""The program's variables and memory are closed to other processes of the user; its children are as any program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_DUMPABLE")
#: 3 is PR_GET_DUMPABLE. Source: prctl(2)
_ASK = "ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)"
_PROGRAM = f"""
import sys
before = set(sys.modules)
from pypi_preflight.command_line import main
sys.argv[1:] = ["--version"]
main()
loaded = "ctypes" in set(sys.modules) - before
import ctypes, json, os, subprocess
child = subprocess.run([sys.executable, "-c", "import ctypes; print({_ASK})"], capture_output=True, text=True)
files = len(os.listdir("/proc/self/fd"))
print(json.dumps([{_ASK}, int(child.stdout), loaded, files > 2]))
"""


def test_the_process_is_closed_and_its_children_are_not() -> None:
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", _PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [0, 1, False, True]

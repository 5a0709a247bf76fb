"""How `build` is started: by the interpreter that runs this program, or by another one that the project requires."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from release.adapters.install import interpreters
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory
from release.core.errors import ToolError

#: `build` and what it imports; pure Python, so another interpreter can run it. Source: build 1.6.1, METADATA
_PACKAGES = ("build", "pyproject_hooks", "packaging")
#: before it, `build` needs more packages (tomli). Source: as above
_OLDEST = (3, 11)
_START = (
    "import runpy, sys\n"
    "sys.path.insert(0, sys.argv.pop(1))\n"
    "runpy.run_module('build', run_name='__main__', alter_sys=True)\n"
)


@contextlib.contextmanager
def build_command(system: System) -> Iterator[list[str]]:
    """The start of a command line of `build`, with which the backend runs in the interpreter of `system`.

    Where that is older than 3.11, it is used for the clean install only. Raises `ToolError` without `build`.
    """
    interpreter = interpreters.chosen_interpreter(system)
    if system.python is None or interpreter.version < _OLDEST:
        # -P: a directory `build/` in the project would be imported instead of the program.
        yield [sys.executable, "-P", "-m", "build"]
        return
    with temporary_directory() as copies:
        with explain_os_errors("the copy of build"):
            for name in _PACKAGES:
                shutil.copytree(_place(name), copies / name, ignore=shutil.ignore_patterns("__pycache__"))
        yield [str(interpreter.path), "-I", "-c", _START, str(copies)]


def _place(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ToolError(
            f"the package {package!r} is not installed",
            remedy="install build into the environment of this program: python -m pip install build",
        )
    return Path(spec.origin).parent

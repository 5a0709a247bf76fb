"""How `build` is started: by the interpreter that runs this program, or by another one that the project requires."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from release.adapters.install import installer, interpreters
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory
from release.core.child_environment import without_credentials
from release.core.errors import ToolError

#: `build` and what it imports; pure Python, so another interpreter can run it. Source: build 1.6.1, METADATA
_PACKAGES = ("build", "pyproject_hooks", "packaging")
#: before it, `build` needs more packages (tomli). Source: as above
_OLDEST = (3, 11)
_RUN = "runpy.run_module('build', run_name='__main__', alter_sys=True)\n"
_PATH = "import runpy, sys\nsys.path.insert(0, sys.argv.pop(1))\n"
#: `build`, whose backends do not see the variables that only the installer needs; their names are the next argument.
#: Source: pyproject_hooks' documentation, "BuildBackendHookCaller"
_HIDING = """import os, runpy, sys
import pyproject_hooks
names = sys.argv.pop(1).split(",")
class Caller(pyproject_hooks.BuildBackendHookCaller):
    def __init__(self, source_dir, build_backend, backend_path=None, runner=None, python_executable=None):
        runner = runner or pyproject_hooks.default_subprocess_runner
        def run(*args, **options):
            hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
            try:
                runner(*args, **options)
            finally:
                os.environ.update(hidden)
        super().__init__(source_dir, build_backend, backend_path, run, python_executable)
pyproject_hooks.BuildBackendHookCaller = Caller
"""


@contextlib.contextmanager
def build_command(system: System) -> Iterator[list[str]]:
    """The start of a command line of `build`, with which the backend runs in the interpreter of `system`.

    Where that is older than 3.11, it is used for the clean install only. Raises `ToolError` without `build`.
    The backend does not get what only the installer needs, such as the password of an index.
    """
    given = installer.installer_environment(system)
    hidden = ",".join(given.keys() - without_credentials(given, passed=system.passed).keys())
    interpreter = interpreters.chosen_interpreter(system)
    if system.python is None or interpreter.version < _OLDEST:
        # -P: a directory `build/` in the project would be imported instead of the program.
        yield [sys.executable, "-P", *(["-c", _HIDING + _RUN, hidden] if hidden else ["-m", "build"])]
        return
    with temporary_directory() as copies:
        with explain_os_errors("the copy of build"):
            for name in _PACKAGES:
                shutil.copytree(_place(name), copies / name, ignore=shutil.ignore_patterns("__pycache__"))
        start = [_PATH + _HIDING + _RUN, str(copies), hidden] if hidden else [_PATH + _RUN, str(copies)]
        yield [str(interpreter.path), "-I", "-c", *start]


def _place(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ToolError(
            f"the package {package!r} is not installed",
            remedy="install build into the environment of this program: python -m pip install build",
        )
    return Path(spec.origin).parent

"""How `build` is started: by the interpreter that runs this program, or by another one that the project requires."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from release.adapters.builds.early_child import PROGRAM
from release.adapters.install import installer, interpreters
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory
from release.core.child_environment import without_credentials
from release.core.errors import ToolError

#: `build` and what it imports; pure Python, so another interpreter can run it. Source: build 1.6.1, METADATA
_PACKAGES = ("build", "pyproject_hooks", "packaging")
#: before it, `build` needs more packages (tomli). Source: as above
_OLDEST = (3, 11)


@contextlib.contextmanager
def build_command(system: System) -> Iterator[tuple[Sequence[str], list[str]]]:
    """What starts `build_child`, and its first arguments, with which the backend runs in the interpreter of `system`.

    The settings, the file for what was installed, the installer and the directory of environments follow them. An
    interpreter that is older than 3.11 is used for the clean install only. Raises `ToolError` without `build`.
    The backend does not get what only the installer needs, such as the password of an index.
    """
    given = installer.installer_environment(system)
    hidden = ",".join(given.keys() - without_credentials(given, passed=system.passed).keys())
    interpreter = interpreters.chosen_interpreter(system)
    if system.python is None or interpreter.version < _OLDEST:
        yield PROGRAM, ["", hidden]
        return
    with temporary_directory() as copies:
        with explain_os_errors("the copy of build"):
            for name in _PACKAGES:
                shutil.copytree(_place(name), copies / name, ignore=shutil.ignore_patterns("__pycache__"))
        yield (str(interpreter.path), "-I", *PROGRAM[2:]), [str(copies), hidden]


def _place(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ToolError(
            f"the package {package!r} is not installed",
            remedy="install build into the environment of this program: python -m pip install build",
        )
    return Path(spec.origin).parent

"""Find a program on PATH, and nowhere else: Windows would search the current directory first, which is the project's.

Source: Microsoft, "CreateProcessW function" (processthreadsapi.h), `lpApplicationName`: the order of the search.
"""

from __future__ import annotations

import ntpath
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence

#: what Windows can start, where PATHEXT is not set
_EXTENSIONS = ".COM;.EXE;.BAT;.CMD"


def find_program(name: str, path: str) -> str | None:
    """The path of a program in the directories of `path`, a value of PATH; None where it is in none of them."""
    if sys.platform == "win32":
        found = find_on_windows(name, path, os.environ.get("PATHEXT") or _EXTENSIONS)
    else:
        found = shutil.which(name, path=path)
    return found


def with_program_path(argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """The command with the path of its program, on Windows; elsewhere it is searched on PATH only anyway.

    Raises `FileNotFoundError`.
    """
    if sys.platform == "win32" and not ntpath.dirname(argv[0]):
        found = find_program(argv[0], env.get("PATH", ""))
        if found is None:
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        return [found, *argv[1:]]
    return list(argv)


def find_on_windows(
    name: str, path: str, extensions: str, *, is_file: Callable[[str], bool] = os.path.isfile
) -> str | None:
    r"""As Windows would find it, but in absolute directories only: `C:\Git\cmd\git.exe` for "git"."""
    suffixes = [one for one in extensions.split(";") if one]
    if any(name.lower().endswith(one.lower()) for one in suffixes):
        suffixes.insert(0, "")
    for entry in path.split(";"):
        directory = entry.strip('"')
        drive, rest = ntpath.splitdrive(directory)
        if not drive or not rest.startswith(("\\", "/")):  # relative to a directory, or to a drive
            continue
        for suffix in suffixes:
            if is_file(found := ntpath.join(directory, name + suffix.lower())):
                return found
    return None

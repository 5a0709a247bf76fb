"""Release Python packages: green means PyPI accepts the upload, red names the cause."""

import os
import sys

__version__ = "0.1.0"


def ignore_current_directory() -> None:
    """Import nothing from the current directory, as with `python -P`, unless this package itself is there.

    `python -m` looks there first: a module of the project with the name of a dependency would run in this process,
    which sees the credentials. Call it before any other import.
    """
    if sys.flags.safe_path or not sys.path:
        return
    here = os.path.realpath(sys.path[0] or os.curdir)
    package = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - pathlib may be the project's
    if here == os.path.realpath(os.curdir) != package:
        del sys.path[0]

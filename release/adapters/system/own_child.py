"""The environment of children that run this program's own code, or tools that it is installed with."""

from __future__ import annotations

import os
from collections.abc import Mapping

import release


def own_child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env`, where PYTHONPATH lacks the directories of the project: a child imports nothing from there either.

    `python -P` ignores the current directory, but not this variable. What the child prints is UTF-8, as it is read.
    """
    env = {**env, "PYTHONIOENCODING": "utf-8"}
    entries = env.get("PYTHONPATH", "").split(os.pathsep)
    kept = [entry for entry in entries if os.path.realpath(entry or os.curdir) not in release.ignored_directories]
    if kept == entries:
        return env
    found = {name: value for name, value in env.items() if name != "PYTHONPATH"}
    return found | ({"PYTHONPATH": os.pathsep.join(kept)} if kept else {})

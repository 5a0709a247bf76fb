"""Run third-party checkers that are installed, each as a program on a project's files.

They are in the extra `[checks]`, which need not be installed into the environment that publishes.
Observed: check-wheel-contents 0.6.3, pydistcheck 0.11.3, validate-pyproject 0.27, 2026-11.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from msgspec import Struct

from release.adapters.system.own_child import own_child_environment
from release.adapters.system.program_path import find_program
from release.adapters.system.system import System
from release.core.child_environment import without_credentials
from release.core.errors import ToolError

#: seconds
_TIMEOUT = 120.0


class Checker(Struct, frozen=True, kw_only=True):
    """A program that checks files."""

    #: the name of the program and of its distribution
    name: str
    #: of the files that it checks
    suffixes: tuple[str, ...]
    #: matches one problem in its output; the group is the message
    problem: re.Pattern[str]


CHECKERS = (
    Checker(name="validate-pyproject", suffixes=("pyproject.toml",), problem=re.compile(r"(?m)^\[ERROR\] (.+)$")),
    Checker(name="check-wheel-contents", suffixes=(".whl",), problem=re.compile(r"(?m)^.+?\.whl: (?!OK$)(.+)$")),
    Checker(name="pydistcheck", suffixes=(".whl", ".tar.gz"), problem=re.compile(r"(?m)^\d+\. (\[.+)$")),
)


def run_checker(system: System, checker: Checker, path: Path) -> tuple[str, ...] | None:
    """The problems of a file; None where the checker is not installed. Raises `ToolError` where it fails."""
    places = (str(Path(sys.executable).parent), system.env.get("PATH", ""))
    program = find_program(checker.name, os.pathsep.join(places))
    if program is None:
        return None
    # Without trove-classifiers, validate-pyproject would download the list of classifiers.
    env = without_credentials(own_child_environment(system.env)) | {
        "VALIDATE_PYPROJECT_NO_NETWORK": "1",
        "NO_COLOR": "1",
    }
    absolute = path.resolve()
    done = system.run([program, str(absolute)], cwd=absolute.parent, env=env, timeout=_TIMEOUT)
    found = tuple(dict.fromkeys(one.strip() for one in checker.problem.findall(done.output)))
    if done.status and not found:
        last = (done.output.strip().splitlines() or ["no output"])[-1]
        raise ToolError(f"{checker.name} failed: {last}", remedy=f"run it yourself: {checker.name} {path}")
    return found

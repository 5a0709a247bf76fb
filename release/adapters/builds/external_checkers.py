"""Other people's checkers, as programs: what each has to say of a project's files, where it is installed.

They are in the extra `[checks]` and run in an environment of their own, so that they cost the publishing one nothing.
Observed: check-wheel-contents 0.6.3, pydistcheck 0.11.3, validate-pyproject 0.27, 2026-11.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.credential_variables import without_credentials

#: seconds
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """A program that looks at files."""

    #: its own name, and that of the distribution that has it
    name: str
    #: the end of the names of the files that it takes
    takes: tuple[str, ...]
    #: what it writes of one thing that it minds; the group is the message
    says: re.Pattern[str]


CHECKERS = (
    Checker(name="validate-pyproject", takes=("pyproject.toml",), says=re.compile(r"^\[ERROR\] (.+)$", re.MULTILINE)),
    Checker(name="check-wheel-contents", takes=(".whl",), says=re.compile(r"^.+?\.whl: (?!OK$)(.+)$", re.MULTILINE)),
    Checker(
        name="pydistcheck", takes=(".whl", ".tar.gz"), says=re.compile(r"^\d+\. (\[.+)$", re.MULTILINE)
    ),
)  # fmt: skip


def run_checker(system: System, checker: Checker, path: Path) -> tuple[str, ...] | None:
    """What a checker minds in a file; None where it is not installed. Raises `ToolError` where it breaks."""
    program = shutil.which(checker.name, path=str(Path(sys.executable).parent)) or shutil.which(checker.name)
    if program is None:
        return None
    # validate-pyproject would fetch the list of classifiers where trove-classifiers is not there
    env = without_credentials(system.env) | {"VALIDATE_PYPROJECT_NO_NETWORK": "1", "NO_COLOR": "1"}
    whole = path.resolve()
    done = system.run([program, str(whole)], cwd=whole.parent, env=env, timeout=_PATIENCE)
    found = tuple(dict.fromkeys(one.strip() for one in checker.says.findall(done.output)))
    if done.status and not found:
        last = (done.output.strip().splitlines() or ["no word"])[-1]
        raise ToolError(f"{checker.name} failed: {last}", remedy=f"run it yourself: {checker.name} {path}")
    return found


def files_for_checker(checker: Checker, paths: Sequence[Path]) -> list[Path]:
    """Those of the files that it looks at."""
    return [path for path in paths if path.name.endswith(checker.takes)]

"""The Python projects of a repository."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path, PurePosixPath

from release.adapters.git import repository
from release.adapters.system.system import System

#: projects below these are samples, or not released
SAMPLE_DIRECTORY = re.compile(
    r"_?(?:tests?|testing|test_?data|fixtures|docs?|examples?|samples?|demos?|templates?|bench(?:marks?)?|vendor(?:ed)?"
    r"|third[-_]?party|extern(?:al)?|cookiecutter.*|\{\{.*)",
    re.IGNORECASE,
)
_DECLARED = re.compile(r"(?m)^\[(?:project|tool\.poetry)\]")


def has_other_projects(system: System, root: Path, directory: Path) -> bool:
    """Whether git tracks the files of another Python project. Raises `ToolError` where git fails unexpectedly."""
    listed = repository.git_output(
        system, root, "ls-files", "-z", "--", ":(glob)**/pyproject.toml", ":(glob)**/setup.py"
    )
    here = directory.resolve()
    return any(
        (root / path).parent.resolve() != here and _is_project(root, PurePosixPath(path))
        for path in listed.split("\0")
        if path
    )


def _is_project(root: Path, path: PurePosixPath) -> bool:
    if any(map(SAMPLE_DIRECTORY.fullmatch, path.parent.parts)):
        return False
    if path.name == "setup.py":
        return True
    with suppress(OSError, UnicodeDecodeError):
        return _DECLARED.search((root / path).read_text(encoding="utf-8-sig")) is not None
    return False

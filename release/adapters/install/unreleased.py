"""Requirements that no index has: which one the output of pip or uv names, and whether the repository has it.

Observed: pip 23.2 and 26.3, uv 0.13.9, 2026-11. uv says "Because only a<2 is available" for a project that no index
has, too, so what is missing is the requirement that it names after that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from release.adapters.git import projects, repository
from release.adapters.git.projects import RepositoryProject
from release.adapters.system.shell_detection import detect_user_environment
from release.adapters.system.system import System
from release.core import shell
from release.core.errors import ToolError
from release.core.models.check_result import Finding
from release.core.models.index import normalize_name
from release.core.quoting import quote_path

#: what is known of a requirement that no index has, to be continued after "… does not install: "; None: nothing
ExplainMissing = Callable[[str], Finding | None]

_MISSING = re.compile(
    r"No matching distribution found for (?P<pip>[^\n]+)"
    r"|[Bb]ecause (?:only \S+ (?:is|are) available|\S+ was not found|there (?:is|are) no versions? of)[^,\n]*?"
    r" and (?:[^\n]*? depends? on|you require) (?P<uv>\S+?),? we can conclude"
    r"|[Bb]ecause (?P<a>\S+) was not found|there (?:is|are) no versions? of (?P<b>\S+)|only (?P<c>\S+) is available"
)
#: pip before 26.1 where a requirement has extras and a constraint has the URL of a wheel, or of an sdist
OLD_PIP = re.compile(
    r"AssertionError: '(?P<wheel>[^'\n]+\[[^'\n]+\])' != '[^'\n]+' for wheel"
    r"|has inconsistent name: expected '(?P<sdist>[^'\n]+)', but metadata has '(?P=sdist)'"
)
UPGRADE_PIP = "upgrade pip to 26.1 or newer: python -m pip install --upgrade pip"
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
#: a table that declares the members of a set
_SET = re.compile(r"(?m)^\s*\[tool\.(?:release\.set|(?:uv|pdm|rye|hatch\.envs\.default)\.workspace)\]")


def missing_requirement(output: str, project: str = "") -> str | None:
    """The requirement that no index has, as the installer spells it; None where `output` names none.

    `project`: the one that is installed. uv says of it, too, that no other version is available.
    """
    if OLD_PIP.search(output):
        return None
    for found in _MISSING.finditer(output):
        text = next(text for text in found.groups() if text).partition(" (from ")[0].strip().rstrip(",")
        name = _NAME.match(text)
        if name is not None and normalize_name(name[0]) != normalize_name(project):
            return text
    return None


def explain_missing(system: System, directory: Path, wanted: str, *, noun: str = "dependency") -> Finding | None:
    """Why no index has a requirement of the project in `directory`: another project of its repository is unreleased.

    None where that is not the reason, or where git cannot tell. `wanted` is the requirement as the installer spells it.
    """
    try:
        root = repository.find_root(system, directory)
        known = projects.declared_projects(system, root) if root else ()
    except ToolError:
        return None
    name = _NAME.match(wanted)
    sibling = next((one for one in known if name and normalize_name(one.name) == normalize_name(name[0])), None)
    if root is None or sibling is None or (root / sibling.directory).resolve() == directory.resolve():
        return None
    there = (
        f"the repository has {sibling.name} {sibling.version or '(version unknown)'} in {quote_path(sibling.directory)}"
    )
    if not _satisfies(sibling, wanted):
        return Finding(
            message=f"it needs {wanted!r}, and {there}",
            remedy=f"bump the version of {sibling.name!r} to one that {wanted!r} allows and release it first, "
            "or correct that requirement",
        )
    return Finding(
        message=f"no index has its {noun} {wanted!r}; {there}",
        remedy=f"release {sibling.name!r} first, or as a set: {_set_command(system, _set_root(root, directory))}",
    )


def _satisfies(sibling: RepositoryProject, wanted: str) -> bool:
    """Whether the version in the repository is one of the required ones; also where either is unknown."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.version import InvalidVersion

    if sibling.version is None:
        return True
    try:
        return Requirement(wanted).specifier.contains(sibling.version, prereleases=True)
    except (InvalidRequirement, InvalidVersion):
        return True


def _set_root(root: Path, directory: Path) -> Path:
    """The closest directory above the project that declares a set or a workspace, else the root of the repository."""
    for place in directory.resolve().parents:
        try:
            declares = _SET.search((place / "pyproject.toml").read_text(encoding="utf-8-sig")) is not None
        except (OSError, UnicodeDecodeError):
            declares = False
        if declares or place == root.resolve():
            return place
    return root


def _set_command(system: System, root: Path) -> str:
    here = root.resolve() == Path.cwd()
    words = ["pypi-preflight", "set", "rehearse", *([] if here else ["--directory", str(root)])]
    return shell.command_line(detect_user_environment(system.env).shell_name, *words)

"""Workflows for a project as it lies there: what they depend on is read from it, and a file is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from release.adapters import collect
from release.adapters.git import repository
from release.adapters.system import atomic_write
from release.adapters.system.system import System, filing
from release.core.errors import ReleaseError, UsageError
from release.publishing.ci import github, gitlab
from release.publishing.ci.binary_wheels import binary
from release.publishing.ci.template import Pipeline

#: service → the text of a release
RELEASES: Mapping[str, Callable[[Pipeline], str]] = {"github": github.release, "gitlab": gitlab.release}
#: service → the text that looks at tokens
HEALTH: Mapping[str, Callable[..., str]] = {"github": github.health, "gitlab": gitlab.health}
#: what may stand in a path or a tag unquoted or quoted, in YAML and in every shell
_CALM = re.compile(r"[\w .,/+@~{}-]*")


def pipeline(
    system: System, directory: Path, *, file: Path | None = None, wheels: bool | None = None, lock: str | None = None
) -> Pipeline:
    """What a workflow for the project in `directory` is made from.

    `file`: of the configuration, if not the project's. `wheels`: whether they are binary; None: as the
    project looks. `lock`: a file of requirements with hashes, relative to the project.
    Raises `UsageError` for names that no workflow can carry.
    """
    config = collect.config(directory, file, needs_project=False)
    found, because = binary(_pyproject(directory), _text(directory / "setup.py"))
    if wheels is not None and wheels != found:
        found, because = wheels, f"--{'binary' if wheels else 'pure'} was given"
    if lock is not None and not (directory / lock).is_file():
        raise UsageError(
            f"no file {lock!r} in {str(directory)!r}",
            remedy=f"make it: echo pypi-preflight=={version('pypi-preflight')} | "
            f"uv pip compile --universal --generate-hashes --output-file {lock} -",
        )
    made = Pipeline(
        tag_format=config.tag_format, name=collect.name(directory), place=_place(system, directory),
        version=version("pypi-preflight"), requirements=lock, binary=found, because=because,
    )  # fmt: skip
    for what in (made.place, made.requirements or "", *made.around):
        if not _CALM.fullmatch(what):
            raise UsageError(f"{what!r} can't stand in a workflow", remedy="use letters, digits and .,/+@~_- only")
    return made


def keep(path: Path, text: str, *, force: bool) -> bool:
    """Write a workflow to its file. Returns whether that changed anything.

    Raises `ReleaseError` where there is another text, which may be somebody's work, and not `force`.
    """
    with filing("the workflow"):
        if path.exists() and not force and path.read_bytes() != text.encode():
            raise ReleaseError(
                f"{str(path)!r} is there, and says something else",
                remedy="look at what differs (leave --output out to see the text); --force replaces it",
            )
        return atomic_write.put(path, text.encode())


def _place(system: System, directory: Path) -> str:
    """Where the project lies in its repository: empty, or a path that ends with a slash."""
    root = repository.root(system, directory)
    inside = directory.resolve().relative_to(root.resolve()).as_posix() if root else "."
    return "" if inside == "." else f"{inside}/"


def _pyproject(directory: Path) -> Mapping[str, Any]:
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(_text(directory / "pyproject.toml"))
    return {}


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""

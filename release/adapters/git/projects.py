"""The Python projects of a repository."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release.adapters.git import repository
from release.core import module_names
from release.core.toml_text import TomlError, parse_toml

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: projects below these are samples, or not released
SAMPLE_DIRECTORY = re.compile(
    r"_?(?:tests?|testing|test_?data|fixtures|docs?|examples?|samples?|demos?|templates?|bench(?:marks?)?|vendor(?:ed)?"
    r"|third[-_]?party|extern(?:al)?|cookiecutter.*|\{\{.*)",
    re.IGNORECASE,
)
#: directories of a project that its packages are in
_SOURCE_DIRECTORIES = frozenset({"src", "lib", "python"})
_DECLARED = re.compile(r"(?m)^\[(?:project|tool\.poetry)\]")


class RepositoryProject(Struct, frozen=True, kw_only=True):
    """A project of a repository, as far as its files declare it."""

    #: as it is spelled there
    name: str
    #: None where only its build backend knows it
    version: str | None
    #: relative to the root of the repository, with slashes; "." is the root
    directory: str


def has_other_projects(system: System, root: Path, directory: Path) -> bool:
    """Whether git tracks the files of another Python project. Raises `ToolError` where git fails unexpectedly."""
    here = directory.resolve()
    return any(
        (root / path).parent.resolve() != here and _is_project(root, path)
        for path in _listed(system, root, "pyproject.toml", "setup.py")
    )


def declared_projects(system: System, root: Path) -> tuple[RepositoryProject, ...]:
    """The projects whose names are declared, also those not committed yet, without what git ignores.

    Raises `ToolError` where git fails unexpectedly.
    """
    paths = _listed(system, root, "pyproject.toml", "setup.py", "setup.cfg", untracked=True)
    places = dict.fromkeys(path.parent for path in paths if path.name == "setup.cfg" or _is_project(root, path))
    found = ((place, *_declared(root / place)) for place in places if not _is_sample(place))
    return tuple(
        RepositoryProject(name=name, version=version, directory=place.as_posix())
        for place, name, version in found
        if name is not None
    )


def modules_of_others(system: System, root: Path, directory: Path) -> dict[str, str]:
    """The top-level modules of the projects besides the one in `directory`, dotted → the project, by tracked files.

    Raises `ToolError` where git fails unexpectedly.
    """
    known = {one.directory: one.name for one in declared_projects(system, root)}
    files: dict[str, list[str]] = {}
    for path in map(PurePosixPath, repository.tracked_files(system, root)):
        place = next((text for one in path.parents if (text := one.as_posix()) in known), None)
        if place is not None and path.suffix == ".py":
            parts = path.relative_to(place).parts
            files.setdefault(place, []).append("/".join(parts[1:] if parts[0] in _SOURCE_DIRECTORIES else parts))
    return {
        module: known[place]
        for place, names in files.items()
        if (root / place).resolve() != directory.resolve()
        for module in module_names.import_roots(names)
    }


def _listed(system: System, root: Path, *names: str, untracked: bool = False) -> Iterator[PurePosixPath]:
    which = ("--cached", "--others", "--exclude-standard") if untracked else ()
    patterns = (f":(glob)**/{name}" for name in names)
    listed = repository.git_output(system, root, "ls-files", "-z", *which, "--", *patterns)
    yield from (PurePosixPath(path) for path in listed.split("\0") if path)


def _declared(place: Path) -> tuple[str | None, str | None]:
    """Name and version in pyproject.toml, else in setup.cfg; None where they are missing or computed."""
    data: dict[str, Any] = {}
    with suppress(OSError, UnicodeDecodeError, TomlError):
        data = parse_toml((place / "pyproject.toml").read_text(encoding="utf-8-sig"))
    tools = data.get("tool")
    for table in (data.get("project"), tools.get("poetry") if isinstance(tools, Mapping) else None):
        if isinstance(table, Mapping) and isinstance(name := table.get("name"), str):
            version = table.get("version")
            return name, version if isinstance(version, str) else None
    parser = configparser.RawConfigParser()
    with suppress(OSError, UnicodeDecodeError, configparser.Error):
        parser.read_string((place / "setup.cfg").read_text(encoding="utf-8"))
    name = parser.get("metadata", "name", fallback=None)
    version = parser.get("metadata", "version", fallback=None)
    return name, None if version is None or version.startswith(("attr:", "file:")) else version


def _is_sample(place: PurePosixPath) -> bool:
    return any(map(SAMPLE_DIRECTORY.fullmatch, place.parts))


def _is_project(root: Path, path: PurePosixPath) -> bool:
    if _is_sample(path.parent):
        return False
    if path.name == "setup.py":
        return True
    with suppress(OSError, UnicodeDecodeError):
        return _DECLARED.search((root / path).read_text(encoding="utf-8-sig")) is not None
    return False
